"""Checks that many components of API Management share: keys of arguments, ids, secrets in Key Vault. No Pulumi."""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from edgewright.clouds.part import unknown_keys

ID = re.compile(r"[a-zA-Z0-9]([a-zA-Z0-9-]{0,78}[a-zA-Z0-9])?")
"""Of what is in a service; Azure takes more in some places, and this in all."""
_SECRET = re.compile(
    r"https://[A-Za-z0-9-]{3,24}\.vault\.(azure\.net|azure\.cn|usgovcloudapi\.net)/secrets/[A-Za-z0-9-]{1,127}"
)
_DURATION = re.compile(r"P(?=.)(\d+D)?(T(?=.)(\d+H)?(\d+M)?(\d+S)?)?")


def key_problems(args: Mapping[str, Any], kind: Any, attributes: Iterable[str], what: str) -> Iterator[str]:
    """Keys that a TypedDict does not have or that it misses, and overrides of what is not made."""
    yield from unknown_keys(args, kind.__annotations__, what)
    yield from missing_problems(args, kind, what)
    yield from unknown_keys(args.get("overrides") or {}, attributes, "overrides")


def missing_problems(args: Mapping[str, Any], kind: Any, what: str) -> Iterator[str]:
    """Keys that a TypedDict requires and that are not there, or None."""
    yield from (f"{what} needs `{key}`" for key in sorted(kind.__required_keys__) if args.get(key) is None)


def id_problems(what: str, value: object) -> Iterator[str]:
    """Whether a text is an id; what is only known later is."""
    if isinstance(value, str) and ID.fullmatch(value) is None:
        yield f"{what} `{value}` is no id: 1 to 80 letters, digits and hyphens"


def length_problems(args: Mapping[str, Any], limits: Mapping[str, int]) -> Iterator[str]:
    """Texts that are empty or too long; limits: by key."""
    for key, most in limits.items():
        value = args.get(key)
        if isinstance(value, str) and not 1 <= len(value) <= most:
            yield f"`{key}` has {len(value)} characters; it has 1 to {most}"


def secret_id_problems(what: str, value: object) -> Iterator[str]:
    """Whether a text is the id of a secret in Key Vault, without a version."""
    if not isinstance(value, str) or _SECRET.fullmatch(value) is not None:
        return
    if re.match(_SECRET.pattern + "/", value) is not None:
        yield f"{what} names one version of the secret: leave the version out, or a renewed one is not taken"
    else:
        yield f"{what} is `{value}`; it is like https://VAULT.vault.azure.net/secrets/NAME"


def duration_problems(what: str, value: object) -> Iterator[str]:
    """Whether a text is a duration of ISO 8601, in days at most."""
    if isinstance(value, str) and _DURATION.fullmatch(value) is None:
        yield f"{what} is `{value}`; it is a duration such as PT30S, PT1M or P1D"
