"""Whether the engine and an offline plan say the same about a stack: resource by resource, input by input.

What may differ is little: the engine also has the stack itself and its own provider; where it does not know a value
before the update, the plan has a token or the value that the update will bring; and after the update the value of each
token is that of the output that it names.
"""

import json
import re
from base64 import b64decode, b64encode
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, cast

from pulumi.runtime import rpc

from edgewright.clouds import digests
from edgewright.plan.model import Resource
from edgewright.plan.tokens import SECRET, stands_in
from edgewright.policies.view import SENTINELS

_STACK = "pulumi:pulumi:Stack"
_PROVIDER = "pulumi:providers:"
_ENGINES_OWN = ("__internal", "version")
"""Inputs of providers that the engine writes itself."""

_TOKEN = re.compile(r"\$\{([^{}]+)\}")
_STEP = re.compile(r"[^.\[\]]+|\[[^\]]*\]")


@dataclass(frozen=True)
class Seen:
    """A resource as one side has it.

    parent: its place, "" for the stack; dependencies: places, sorted; outputs: known after an update only.
    """

    type: str
    name: str
    parent: str
    custom: bool
    protect: bool
    dependencies: Sequence[str]
    inputs: Mapping[str, Any]
    outputs: Mapping[str, Any] = field(default_factory=dict[str, Any])


def of_engine(states: Iterable[Mapping[str, Any]]) -> dict[str, Seen]:
    """Resources by place, from states as `preview --json` (`newState`) or `stack export` has them."""
    found: dict[str, Seen] = {}
    for state in states:
        parent = str(state.get("parent", ""))
        if state["type"] == _STACK or (state["type"].startswith(_PROVIDER) and _of_stack(parent)):
            continue
        inputs = cast("dict[str, Any]", _unwrapped(state.get("inputs") or {}))
        if state["type"].startswith(_PROVIDER):
            inputs = {key: value for key, value in inputs.items() if key not in _ENGINES_OWN}
        found[place(state["urn"])] = Seen(
            type=state["type"],
            name=state["urn"].rpartition("::")[2],
            parent="" if _of_stack(parent) else place(parent),
            custom=state["custom"],
            protect=state.get("protect", False),
            dependencies=_dependencies(state),
            inputs=inputs,
            outputs={**(state.get("outputs") or {}), "id": state.get("id", "")},
        )
    return found


def of_plan(resources: Iterable[Resource]) -> dict[str, Seen]:
    """Resources by place, from a plan."""
    return {
        place(item.urn): Seen(
            type=item.type,
            name=item.name,
            parent=place(item.parent or ""),
            custom=item.custom,
            protect=item.protect,
            dependencies=sorted(place(urn) for urn in item.dependencies),
            inputs=dict(item.inputs),
        )
        for item in resources
    }


def _dependencies(state: Mapping[str, Any]) -> list[str]:
    """All of them, those of properties too; providers are none."""
    urns = {*(state.get("dependencies") or ())}
    for listed in (state.get("propertyDependencies") or {}).values():
        urns.update(listed or ())
    return sorted(place(urn) for urn in urns)


def place(urn: str) -> str:
    """What is behind stack and project in an urn: the types of all parents, the type, the name."""
    return urn.split("::", 2)[-1]


def _of_stack(urn: str) -> bool:
    return place(urn).startswith(f"{_STACK}::")


def _unwrapped(value: Any) -> Any:
    """Without what is inside of secrets."""
    if isinstance(value, Mapping):
        items = cast("Mapping[str, Any]", value)
        if items.get(rpc._special_sig_key) == rpc._special_secret_sig:  # pyright: ignore[reportPrivateUsage]
            return SECRET
        return {key: _unwrapped(item) for key, item in items.items() if item is not None}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_unwrapped(item) for item in cast("Sequence[Any]", value)]
    return value


# -- before an update --------------------------------------------------------------------------------------------------


def before(engine: Mapping[str, Seen], plan: Mapping[str, Seen]) -> list[str]:
    """Where a preview and the plan differ, a line each.

    Where the engine knows a value the plan has the same. Where it does not, `after` looks at the plan's; nor does it
    know yet all that an output comes from.
    """
    known = {
        key: replace(seen, dependencies=[item for item in seen.dependencies if item in engine[key].dependencies])
        if key in engine
        else seen
        for key, seen in plan.items()
    }
    return [*_about_resources(engine, known), *_about_inputs(engine, known, unknown_is_fine=True)]


def after(engine: Mapping[str, Seen], plan: Mapping[str, Seen]) -> list[str]:
    """Where the state after an update and the plan differ, a line each: with outputs in place of its tokens the plan
    has each input as the engine has it."""
    outputs = {_short(seen): seen.outputs for seen in engine.values() if seen.custom}
    completed = {key: replace(seen, inputs=_completed(seen.inputs, outputs)) for key, seen in plan.items()}
    return [*_about_resources(engine, completed), *_about_inputs(engine, completed, unknown_is_fine=False)]


def unexplained(engine: Mapping[str, Seen], plan: Mapping[str, Seen]) -> list[str]:
    """Paths where a preview does not know a value and the plan has one without a token: `NAME: PATH`, sorted."""
    return sorted(
        f"{_short(plan[key])}: {path}"
        for key in engine.keys() & plan.keys()
        for path, there, here in _different(engine[key].inputs, plan[key].inputs, "")
        if isinstance(there, str) and there in SENTINELS and not _has_token(here)
    )


def _about_resources(engine: Mapping[str, Seen], plan: Mapping[str, Seen]) -> Iterator[str]:
    for key in sorted(engine.keys() - plan.keys()):
        yield f"{key}: the engine has it, the plan has not"
    for key in sorted(plan.keys() - engine.keys()):
        yield f"{key}: the plan has it, the engine has not"
    for key in sorted(engine.keys() & plan.keys()):
        for name in ("type", "name", "parent", "custom", "protect", "dependencies"):
            there, here = getattr(engine[key], name), getattr(plan[key], name)
            if there != here:
                yield _line(key, f"({name})", there, here)


def _about_inputs(engine: Mapping[str, Seen], plan: Mapping[str, Seen], *, unknown_is_fine: bool) -> Iterator[str]:
    for key in sorted(engine.keys() & plan.keys()):
        for path, there, here in _different(engine[key].inputs, plan[key].inputs, ""):
            if not (isinstance(there, str) and (_is_digest(there, here) or (unknown_is_fine and there in SENTINELS))):
                yield _line(_short(plan[key]), path, there, here)


def _is_digest(there: str, here: object) -> bool:
    """Whether a text is a digest where the plan has the token of one."""
    if not isinstance(here, str) or not digests.TOKEN.search(here):
        return False
    texts, digits = digests.TOKEN.split(here)[::2], digests.TOKEN.split(here)[1::2]
    counts = [f"[0-9a-f]{{{len(item)}}}" for item in digits]
    pattern = "".join(re.escape(text) + count for text, count in zip(texts, [*counts, ""], strict=True))
    return re.fullmatch(pattern, there) is not None


def _line(what: str, path: str, there: object, here: object) -> str:
    return f"{what}: {path}\n    the engine: {_shown(there)}\n    the plan:   {_shown(here)}"


def _shown(value: object) -> str:
    text = "(nothing)" if value is _NOTHING else json.dumps(value, ensure_ascii=False, sort_keys=True)
    return text if len(text) <= 400 else f"{text[:400]}... ({len(text)} characters)"


_NOTHING = object()


def _different(there: Any, here: Any, path: str) -> Iterator[tuple[str, Any, Any]]:
    """Places where two values differ, as deep as possible."""
    if isinstance(there, dict) and isinstance(here, dict):
        sides = cast("dict[str, Any]", there), cast("dict[str, Any]", here)
        for key in sorted({*sides[0], *sides[1]}):
            inner = f"{path}.{key}" if path else key
            yield from _different(sides[0].get(key, _NOTHING), sides[1].get(key, _NOTHING), inner)
    elif (
        isinstance(there, list)
        and isinstance(here, list)
        and len(cast("list[Any]", there)) == len(cast("list[Any]", here))
    ):
        for index, pair in enumerate(zip(cast("list[Any]", there), cast("list[Any]", here), strict=True)):
            yield from _different(*pair, f"{path}[{index}]")
    elif there != here or isinstance(there, bool) != isinstance(here, bool):
        yield path, there, here


# -- tokens ------------------------------------------------------------------------------------------------------------


def _short(seen: Seen) -> str:
    return Resource("", seen.type, seen.name, None, {}, (), custom=True).short


def _has_token(value: Any) -> bool:
    if isinstance(value, str):
        return stands_in(value) or _decoded(value) is not None
    if isinstance(value, Mapping):
        return any(_has_token(item) for item in cast("Mapping[str, Any]", value).values())
    return isinstance(value, Sequence) and any(_has_token(item) for item in cast("Sequence[Any]", value))


def _decoded(text: str) -> str | None:
    """The text that Base64 stands for, if it has tokens in it: data of machines."""
    try:
        found = b64decode(text, validate=True).decode()
    except ValueError:
        return None
    return found if stands_in(found) else None


def _completed(value: Any, outputs: Mapping[str, Mapping[str, Any]]) -> Any:
    """A value of a plan with outputs in place of its tokens."""
    if isinstance(value, str):
        inside = _decoded(value)
        if inside is not None:
            return b64encode(str(_completed(inside, outputs)).encode()).decode()
        alone = _TOKEN.fullmatch(value)
        if alone:
            return _output(alone[1], outputs)
        return _TOKEN.sub(lambda found: str(_output(found[1], outputs)), value)
    if isinstance(value, Mapping):
        return {key: _completed(item, outputs) for key, item in cast("Mapping[str, Any]", value).items()}
    if isinstance(value, Sequence):
        return [_completed(item, outputs) for item in cast("Sequence[Any]", value)]
    return value


def _output(token: str, outputs: Mapping[str, Mapping[str, Any]]) -> Any:
    """The output that a token names; the token itself where there is none.

    Names and paths may both have dots in them, so the longest name wins.
    """
    name = token
    while "." in name:
        name = name.rpartition(".")[0]
        if name in outputs:
            value: Any = outputs[name]
            for step in _STEP.findall(token[len(name) + 1 :]):
                value = _inside(value, step)
            return f"${{{token}}}" if value is None else value
    return f"${{{token}}}"


def _inside(value: Any, step: str) -> Any:
    """A field of an object; of a list the item at an index, or that with a name."""
    word = step.strip("[]")
    if isinstance(value, Mapping):
        return cast("Mapping[str, Any]", value).get(word)
    if isinstance(value, Sequence) and not isinstance(value, str):
        items = cast("Sequence[Any]", value)
        if word.isdigit():
            return items[int(word)] if int(word) < len(items) else None
        return next((item for item in items if item.get("name") == word), None)
    return None
