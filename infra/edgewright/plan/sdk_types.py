"""Checks recorded inputs against the input types of the installed provider SDKs: names, types, what is missing."""

import enum
import importlib
import inspect
import json
import re
import sys
import typing
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, partial
from types import UnionType
from typing import Any, Literal, Union, cast, get_args, get_origin

import pulumi
from pulumi import _types  # pyright: ignore[reportPrivateUsage] (the SDK offers its type metadata nowhere else)
from pulumi.runtime import rpc

from edgewright.plan.model import Resource
from edgewright.plan.tokens import SECRET, UNKNOWN, stands_in
from edgewright.spec.problems import did_you_mean

Check = Callable[[Any, str, list[str]], None]
"""Adds to the list what is wrong with a value at a path."""

_PROVIDERS = "pulumi:providers:"
_OUTPUT_AS_TEXT = "Calling __str__ on an Output"


def validate(resources: Iterable[Resource]) -> list[str]:
    """All problems of all resources, in their order, each a line with the short name of its resource."""
    return [problem for resource in resources for problem in problems(resource)]


def problems(resource: Resource) -> list[str]:
    """What an SDK's types say against the inputs: ``lb.Listener x: prot is not known; did you mean port?``.

    Tokens and marks fit wherever a value does. Components, and resources of packages that are not installed or that
    have no typed SDK, have no problems: nothing is known about them.
    """
    if not resource.custom:
        return []
    kind = resource_class(resource.type)
    if kind is None:
        known = _package(resource.type) is not None
        return [f"{resource.short}: {resource.type} is not a type of the installed SDK"] if known else []
    args = _args_class(kind)
    if args is None:
        return []
    found: list[str] = []
    inputs = _decoded(resource.inputs) if resource.type.startswith(_PROVIDERS) else resource.inputs
    _check_object(args, inputs, "", found)
    return [f"{resource.short}: {problem}" for problem in found]


@cache
def resource_class(kind: str) -> type[pulumi.CustomResource] | None:
    """The class of the installed SDK for a type token such as ``aws:lb/listener:Listener``; imports its module."""
    package = _package(kind)
    if package is None:
        return None
    if kind.startswith(_PROVIDERS):
        return getattr(package, "Provider", None)
    name, module, _ = kind.split(":")
    # Each SDK registers its modules when it is imported: there the token's module leads to the Python module and class.
    info: Any = getattr(rpc.get_resource_module(name, module, ""), "mod_info", None)
    if info is None or kind not in info["classes"]:
        return None
    return getattr(importlib.import_module(info["fqn"]), info["classes"][kind], None)


@cache
def _package(kind: str) -> Any:
    """The Python package of a type's SDK, or None."""
    parts = kind.split(":")
    if len(parts) != 3:
        return None
    name = "pulumi_" + parts[2 if kind.startswith(_PROVIDERS) else 0].replace("-", "_")
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name != name:
            raise
        return None


def _args_class(kind: type) -> type | None:
    """The class with the arguments of a resource; it is called ...InitArgs where a nested type has its name."""
    module = sys.modules[kind.__module__]
    for suffix in ("InitArgs", "Args"):
        args = getattr(module, kind.__name__ + suffix, None)
        if isinstance(args, type) and _types.is_input_type(args):
            return args
    return None


def _decoded(inputs: Mapping[str, Any]) -> Mapping[str, Any]:
    """The inputs of a provider, which carries everything but texts as JSON."""
    return {key: _from_json(value) for key, value in inputs.items()}


def _from_json(value: Any) -> Any:
    if not isinstance(value, str) or stands_in(value) or not re.match(r"[\[{]|true$|false$", value):
        return value
    try:
        return json.loads(value)
    except ValueError:
        return value


@dataclass(frozen=True, slots=True)
class _Fields:
    """The fields of an input type by wire name; required: those without a default."""

    hints: Mapping[str, Any]
    required: tuple[str, ...]


@cache
def _fields(kind: type) -> _Fields:
    names = _types.input_type_py_to_pulumi_names(kind)
    parameters = inspect.signature(kind).parameters.values()
    required = [names[item.name] for item in parameters if item.default is item.empty and item.name in names]
    hints = _types.input_type_types(kind)
    return _Fields({wire: hints.get(wire, Any) for wire in names.values()}, tuple(sorted(required)))


def _check_object(kind: type, value: Any, path: str, found: list[str]) -> None:
    if not isinstance(value, Mapping):
        found.append(_not(path, value, "an object"))
        return
    fields = _fields(kind)
    given = cast(Mapping[str, Any], value)
    start = f"{path}." if path else ""
    for key, item in given.items():
        if key in fields.hints:
            _check(fields.hints[key])(item, start + key, found)
        elif not key.startswith("__"):
            found.append(f"{start}{key} is not known; {_hint(key, fields.hints)}".removesuffix("; "))
    found.extend(f"{start}{key} is missing" for key in fields.required if key not in given)


def _hint(key: str, known: Iterable[str]) -> str:
    """What was meant: a key that the SDK does not know stays as it was written, so it may be in snake_case."""
    camel = re.sub(r"_([a-z0-9])", lambda match: match[1].upper(), key)
    return did_you_mean(camel, known).replace("`", "")


@cache
def _check(hint: Any) -> Check:
    """How a value of a type is checked, made once for each type and only for types that occur."""
    return partial(_unless_hidden, _check_of(_types.unwrap_type(hint)))


def _unless_hidden(check: Check, value: Any, path: str, found: list[str]) -> None:
    if value not in (UNKNOWN, SECRET, None):
        check(value, path, found)


def _check_of(hint: Any) -> Check:
    if hint in _SCALARS:
        return _SCALARS[hint]
    origin = get_origin(hint)
    if origin in {Union, UnionType}:
        return _union(get_args(hint))
    if origin is Literal:
        return partial(_check_member, get_args(hint))
    if origin is not None and issubclass(origin, Sequence):
        return partial(_check_list, get_args(hint)[0])
    if origin is not None and issubclass(origin, Mapping):
        return partial(_check_map, get_args(hint)[1])
    if not isinstance(hint, type):
        return _check_nothing
    if _types.is_input_type(hint):
        return partial(_check_object, hint)
    if issubclass(hint, enum.Enum):
        return partial(_check_member, tuple(member.value for member in hint))
    if issubclass(hint, pulumi.Resource):
        return _check_text
    if issubclass(hint, pulumi.Asset | pulumi.Archive):
        return partial(_check_file, "asset" if issubclass(hint, pulumi.Asset) else "archive")
    return _check_nothing


def _check_nothing(value: Any, path: str, found: list[str]) -> None:
    """Everything fits."""


def _check_text(value: Any, path: str, found: list[str]) -> None:
    if not isinstance(value, str):
        found.append(_not(path, value, "a text"))
    elif _OUTPUT_AS_TEXT in value:
        found.append(f"{path} has an Output that was made a text; use Output.concat or apply")


def _check_scalar(fits: tuple[type, ...], words: str, value: Any, path: str, found: list[str]) -> None:
    if isinstance(value, str) and stands_in(value):
        return
    if not isinstance(value, fits) or (isinstance(value, bool) and bool not in fits):
        found.append(_not(path, value, words))


def _check_member(values: tuple[Any, ...], value: Any, path: str, found: list[str]) -> None:
    if value not in values and not (isinstance(value, str) and stands_in(value)):
        found.append(_not(path, value, "one of " + ", ".join(map(str, values))))


def _check_list(item: Any, value: Any, path: str, found: list[str]) -> None:
    if not isinstance(value, list):
        found.append(_not(path, value, "a list"))
        return
    check = _check(item)
    for index, part in enumerate(cast(list[Any], value)):
        check(part, f"{path}[{index}]", found)


def _check_map(item: Any, value: Any, path: str, found: list[str]) -> None:
    if not isinstance(value, Mapping):
        found.append(_not(path, value, "a map"))
        return
    check = _check(item)
    for key, part in cast(Mapping[str, Any], value).items():
        check(part, f"{path}.{key}", found)


def _check_file(word: str, value: Any, path: str, found: list[str]) -> None:
    if not isinstance(value, Mapping) or list(cast(Mapping[str, Any], value)) != [word]:
        found.append(_not(path, value, f"an {word}"))


def _union(members: tuple[Any, ...]) -> Check:
    """A value of a union fits one of its members; without what only wraps them (Output, Awaitable, None, TypedDict)."""
    checks = [_check(member) for member in members if not _wraps(member)]
    return partial(_check_any, checks)


def _wraps(member: Any) -> bool:
    origin = get_origin(member) or member
    if origin in {type(None), Awaitable, pulumi.Output} or typing.is_typeddict(member):
        return True
    return isinstance(member, type) and member.__name__.endswith("ArgsDict")  # see `quick_imports`


def _check_any(checks: Sequence[Check], value: Any, path: str, found: list[str]) -> None:
    best: list[str] | None = None
    for check in checks:
        said: list[str] = []
        check(value, path, said)
        if not said:
            return
        # An object that nearly fits says more than a text that was expected.
        if best is None or (_deep(said, path), -len(said)) > (_deep(best, path), -len(best)):
            best = said
    found.extend(best or [])


def _deep(said: list[str], path: str) -> bool:
    """Whether what was said is about the inside of the value."""
    return not any(line.startswith(f"{path} ") for line in said)


def _not(path: str, value: Any, words: str) -> str:
    shown = json.dumps(value, default=str)
    return f"{path} is {shown if len(shown) <= 60 else shown[:57] + '...'}, not {words}"


_SCALARS: Mapping[Any, Check] = {
    str: _check_text,
    bool: partial(_check_scalar, (bool,), "true or false"),
    int: partial(_check_scalar, (int,), "a whole number"),
    float: partial(_check_scalar, (int, float), "a number"),
}
