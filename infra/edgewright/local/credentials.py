"""API keys of a local edge: given, or generated once and kept in the state folder; filled in when files are written."""

import json
import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from edgewright.local.artifact import CredentialRef
from edgewright.local.state import LocalError, StateFolder

FILE = "credentials.json"


@dataclass(frozen=True, slots=True)
class Credentials:
    """The keys that an edge needs.

    keys: by ``<authorizer>:<client>``; given: those that did not come from the state folder; notes: what a person
    should know about them. Nothing of it shows when it is printed.
    """

    keys: Mapping[str, str] = field(repr=False)
    given: Mapping[str, str] = field(repr=False)
    placeholders: Mapping[str, str] = field(repr=False)
    notes: tuple[str, ...] = ()

    @staticmethod
    def fill(state: StateFolder, wanted: Iterable[CredentialRef], given: Mapping[str, str]) -> "Credentials":
        """Find each wanted key: given, else kept, else generated and kept from now on.

        given: by ``<authorizer>:<client>`` (or with ``/``). Raises LocalError for a key that no header could carry.
        """
        offered = {name.replace("/", ":", 1): value for name, value in given.items()}
        kept = _kept(state)
        keys: dict[str, str] = {}
        placeholders: dict[str, str] = {}
        fresh = False
        for item in wanted:
            name = f"{item.authorizer}:{item.client}"
            if name in offered:
                keys[name] = _checked(name, offered[name])
            elif name in kept:
                keys[name] = kept[name]
            else:
                keys[name] = kept[name] = secrets.token_urlsafe(32)
                fresh = True
            placeholders[item.placeholder] = keys[name]
        if len(set(keys.values())) < len(keys):
            raise LocalError("two clients are given the same API key; each client needs a key of its own")
        if fresh:
            state.write(FILE, json.dumps(kept, indent=1))
        strangers = sorted(set(offered) - set(keys))
        notes = tuple(f"a key is given for {name}, which no authorizer has as a client" for name in strangers)
        used = {name: value for name, value in offered.items() if name in keys}
        return Credentials(keys, used, placeholders, notes)

    @property
    def secrets(self) -> tuple[str, ...]:
        """All keys, to be kept out of logs."""
        return tuple(self.keys.values())

    def fill_in(self, text: str) -> str:
        """The text with each placeholder replaced."""
        if "{{" not in text:
            return text
        for placeholder, key in self.placeholders.items():
            text = text.replace(placeholder, key)
        return text

    def key(self, authorizer: str, client: str) -> str:
        """The key of one client; raises LocalError, naming the clients that there are."""
        return _find(self.keys, authorizer, client)


def kept_key(state: StateFolder, authorizer: str, client: str) -> str:
    """The generated key of one client, from the state folder; raises LocalError when there is none."""
    return _find(_kept(state), authorizer, client)


def _find(keys: Mapping[str, str], authorizer: str, client: str) -> str:
    try:
        return keys[f"{authorizer}:{client}"]
    except KeyError:
        known = ", ".join(sorted(keys)) or "none"
        raise LocalError(f"no API key for client {client!r} of authorizer {authorizer!r}; known: {known}") from None


def _kept(state: StateFolder) -> dict[str, str]:
    found = state.read_json(FILE)
    if not isinstance(found, dict):
        return {}
    return {str(name): str(key) for name, key in found.items()}  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]


def _checked(name: str, key: str) -> str:
    if len(key) < 8 or not key.isascii() or not key.isprintable() or " " in key:
        raise LocalError(f"the API key of {name} must be at least 8 visible ASCII characters without spaces")
    return key
