"""Checks the parameters of a call against botocore's service models: also the enums, lengths, ranges and patterns in them."""

import re
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any

import botocore.session
from botocore.model import ServiceModel

from edgewright.plan.tokens import SECRET, UNKNOWN, stands_in

Check = Callable[[Any, Any, str, list[str]], None]
"""From a value, its shape and its path: adds what is wrong to the list."""

_SPACES = r" \u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"

JAVA: Mapping[str, str] = {
    r"\p{L}\p{Z}\p{N}_": rf"\w{_SPACES}",
    r"\p{L}\p{M}\p{N}\p{P}\p{S}\p{Zs}": rf"\S{_SPACES}",
    r"\p{L}\p{M}\p{S}\p{N}\p{P}": r"\S",
    r"\p{Z}": _SPACES,
    r"\p{ASCII}": r"[\x00-\x7f]",
    r"[\w-_]": r"[\w\-_]",
    r"\uD800\uDC00-\uDBFF\uDFFF": r"\U00010000-\U0010ffff",
}
"""What the patterns of the models say in Java's words, and the same for `re`; the third is wider by control characters."""


def problems(service: str, operation: str, params: Mapping[str, Any]) -> list[str]:
    """What the model has against a call, a line each, such as ``elbv2 CreateRule: Priority: 50001 is above 50000``.

    service: as boto3 names clients; operation: as the API does, ``CreateRule``. Where a text is asked for, one that
    stands in for what only the cloud knows is taken as it is; ``[unknown]`` and ``[secret]`` are taken everywhere.
    """
    model: Any = service_model(service)
    if operation not in model.operation_names:
        return [f"{service} {operation}: the service has no such operation"]
    shape: Any = model.operation_model(operation).input_shape
    found: list[str] = []
    if shape is not None:
        _check(params, shape, "", found)
    elif params:
        found.append("takes no parameters")
    return [f"{service} {operation}: {problem}" for problem in found]


@cache
def service_model(service: str) -> ServiceModel:
    """The model that botocore carries; UnknownServiceError for a name that it does not know."""
    return _session().get_service_model(service)


@cache
def pattern(java: str) -> re.Pattern[str]:
    """A pattern of a model, compiled; re.error for one that `JAVA` should list and does not."""
    for there, here in JAVA.items():
        java = java.replace(there, here)
    return re.compile(java)


@cache
def _session() -> botocore.session.Session:
    return botocore.session.get_session()


# Shapes are typed as Any: botocore has no type hints, and what pyright infers of its lazy properties is wrong.


def _check(value: Any, shape: Any, path: str, found: list[str]) -> None:
    if isinstance(value, str) and value in {UNKNOWN, SECRET}:
        return
    check = _CHECKS.get(shape.type_name)
    if check is None:
        found.append(f"{_at(path)}there is no check for the type {shape.type_name}")
    else:
        check(value, shape, path, found)


def _structure(value: Any, shape: Any, path: str, found: list[str]) -> None:
    if not isinstance(value, Mapping):
        if not shape.is_document_type:
            found.append(f"{_at(path)}{_shown(value)} is not an object")
        return
    if shape.is_document_type:
        return
    members: Mapping[str, Any] = shape.members
    found += [
        f"{_at(path)}`{key}` is not known; there is {', '.join(sorted(members))}" for key in value if key not in members
    ]
    found += [f"{_at(path)}`{key}` is missing" for key in shape.required_members if value.get(key) is None]
    if shape.is_tagged_union and len(value) != 1:
        found.append(f"{_at(path)}has {len(value)} members; exactly one is asked for")
    for key, item in value.items():
        if key in members:
            _check(item, members[key], f"{path}.{key}" if path else key, found)


def _list(value: Any, shape: Any, path: str, found: list[str]) -> None:
    if not isinstance(value, list | tuple):
        found.append(f"{_at(path)}{_shown(value)} is not a list")
        return
    _sized(len(value), "items", shape, path, found)
    for index, item in enumerate(value):
        _check(item, shape.member, f"{path}[{index}]", found)


def _map(value: Any, shape: Any, path: str, found: list[str]) -> None:
    if not isinstance(value, Mapping):
        found.append(f"{_at(path)}{_shown(value)} is not an object")
        return
    _sized(len(value), "entries", shape, path, found)
    for key, item in value.items():
        _check(key, shape.key, f"{path}.{key}", found)
        _check(item, shape.value, f"{path}.{key}", found)


def _string(value: Any, shape: Any, path: str, found: list[str]) -> None:
    if not isinstance(value, str):
        found.append(f"{_at(path)}{_shown(value)} is not a text")
        return
    if stands_in(value):
        return
    _sized(len(value), "characters", shape, path, found)
    if shape.enum and value not in shape.enum:
        found.append(f"{_at(path)}{_shown(value)} is none of {', '.join(shape.enum)}")
    wanted = shape.metadata.get("pattern")
    # The services match the whole text, whether or not the model's pattern has anchors.
    if wanted and not pattern(wanted).fullmatch(value):
        found.append(f"{_at(path)}{_shown(value)} does not match {wanted}")


def _integer(value: Any, shape: Any, path: str, found: list[str]) -> None:
    if not isinstance(value, int) or isinstance(value, bool):
        found.append(f"{_at(path)}{_shown(value)} is not a whole number")
    else:
        _in_range(value, shape, path, found)


def _number(value: Any, shape: Any, path: str, found: list[str]) -> None:
    if not isinstance(value, int | float) or isinstance(value, bool):
        found.append(f"{_at(path)}{_shown(value)} is not a number")
    else:
        _in_range(value, shape, path, found)


def _boolean(value: Any, shape: Any, path: str, found: list[str]) -> None:
    del shape
    if not isinstance(value, bool):
        found.append(f"{_at(path)}{_shown(value)} is neither true nor false")


def _blob(value: Any, shape: Any, path: str, found: list[str]) -> None:
    if not isinstance(value, str | bytes | bytearray):
        found.append(f"{_at(path)}{_shown(value)} is not bytes")
    elif not (isinstance(value, str) and stands_in(value)):
        _sized(len(value.encode() if isinstance(value, str) else value), "bytes", shape, path, found)


def _in_range(value: float, shape: Any, path: str, found: list[str]) -> None:
    low, high = shape.metadata.get("min"), shape.metadata.get("max")
    if low is not None and value < low:
        found.append(f"{_at(path)}{value} is below {low}")
    if high is not None and value > high:
        found.append(f"{_at(path)}{value} is above {high}")


def _sized(size: int, what: str, shape: Any, path: str, found: list[str]) -> None:
    low, high = shape.metadata.get("min"), shape.metadata.get("max")
    if low is not None and size < low:
        found.append(f"{_at(path)}has {size} {what}; at least {low} are asked for")
    if high is not None and size > high:
        found.append(f"{_at(path)}has {size} {what}; at most {high} are taken")


def _at(path: str) -> str:
    return f"{path}: " if path else ""


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 80 else f"{text[:77]}..."


_CHECKS: Mapping[str, Check] = {
    "structure": _structure,
    "list": _list,
    "map": _map,
    "string": _string,
    "character": _string,
    "integer": _integer,
    "long": _integer,
    "float": _number,
    "double": _number,
    "boolean": _boolean,
    "blob": _blob,
}
"""By the name of a shape's type; timestamps are not listed, as no resource has one."""
