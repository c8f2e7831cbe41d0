"""What all components of clouds share: options of children, overrides, tags, names, and one error for bad arguments."""

import json
import re
from collections.abc import Callable, Iterable, Mapping
from hashlib import sha256
from typing import Any, TypeVar, cast

import pulumi

R = TypeVar("R", bound=pulumi.Resource)
T = TypeVar("T")


class ArgumentsError(Exception):
    """Arguments of a component that cannot be used; says all that is wrong, before anything is registered."""

    def __init__(self, component: str, name: str, problems: Iterable[str]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(f"{component} `{name}`: {problem}" for problem in self.problems))


def refuse(component: str, name: str, problems: Iterable[str]) -> None:
    """Raise ArgumentsError if there is any problem."""
    found = tuple(problems)
    if found:
        raise ArgumentsError(component, name, found)


def whole(args: T) -> T:
    """Arguments with whole numbers as int, at any depth: those of programs in other languages arrive as floats, and a
    text made of one would end in ``.0``."""
    if isinstance(args, float) and args.is_integer():
        return cast("T", int(args))
    if type(args) is dict:
        return cast("T", {key: whole(item) for key, item in cast("dict[str, Any]", args).items()})
    if type(args) is list:
        return cast("T", [whole(item) for item in cast("list[Any]", args)])
    return args


def unknown_keys(given: Mapping[str, Any], known: Iterable[str], what: str) -> list[str]:
    """A problem for each key that is not known; for arguments that came as plain dicts."""
    names = sorted(known)
    return [f"{what} has no `{key}`; it has {', '.join(names)}" for key in sorted(set(given) - set(names))]


def place(
    make: Callable[..., R],
    name: str,
    props: Mapping[str, Any],
    *,
    parent: pulumi.Resource,
    overrides: Mapping[str, Mapping[str, Any]] | None = None,
    key: str = "",
    **options: Any,
) -> R:
    """Make one raw resource below ``parent``.

    overrides: what the caller of a component adjusts, by the name of the attribute that holds the resource; those of
    ``key`` win over ``props``. options: further resource options, such as ``protect`` or ``delete_before_replace``.
    Inputs that are None are left out.
    """
    given = {**props, **((overrides or {}).get(key) or {})}
    return make(
        name,
        opts=pulumi.ResourceOptions(parent=parent, **options),
        **{item: value for item, value in given.items() if value is not None},
    )


def tagged(tags: Mapping[str, Any] | None, name: str) -> dict[str, Any]:
    """The caller's tags, and ``Name``, which consoles show."""
    return {"Name": name, **(tags or {})}


def short_name(name: str, *forces: object, limit: int = 32, random: int = 8) -> str | None:
    """A physical name where the engine's own would be too long; None where it would not.

    The engine takes the logical name and ``random`` characters, and fails above ``limit``. forces: what replaces the
    resource, so that a replacement has another name than what it replaces; the stack is part of the digest too.
    """
    if len(name) + random <= limit:
        return None
    digest = sha256(repr((pulumi.get_project(), pulumi.get_stack(), name, forces)).encode()).hexdigest()[:8]
    return f"{re.sub(r'[^A-Za-z0-9-]', '-', name)[: limit - 9].rstrip('-')}-{digest}"


def filled(template: str, values: Mapping[str, pulumi.Input[str]]) -> pulumi.Output[str]:
    """A text whose marks ``{{name}}`` are replaced by values that may only be known later; JSON-escaped inside JSON.

    Raises KeyError when a mark has no value: that is a defect of the caller, and is found before anything is placed.
    """
    used = {name: value for name, value in values.items() if "{{" + name + "}}" in template}
    rest = template
    for name in used:
        rest = rest.replace("{{" + name + "}}", "")
    if "{{" in rest:
        start = rest.index("{{")
        raise KeyError(rest[start : start + 40])

    def fill(found: Mapping[str, str]) -> str:
        text = template
        for name, value in found.items():
            text = text.replace("{{" + name + "}}", json.dumps(value)[1:-1])
        return text

    return pulumi.Output.all(**used).apply(fill) if used else pulumi.Output.from_input(template)
