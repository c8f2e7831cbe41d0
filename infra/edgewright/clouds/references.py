"""Values of bindings that other stacks know: ``{stack: organization/project/stack, output: name}``."""

from collections.abc import Callable, Mapping
from typing import Any, cast

import pulumi


def stood_in(value: Any) -> Any:
    """Bindings with a text in place of ``{stack, output}``, for checks without an engine."""
    if isinstance(value, Mapping):
        found = cast("Mapping[str, Any]", value)
        if set(found) == {"stack", "output"}:
            return f"${{{found['stack']}.{found['output']}}}"
        return {key: stood_in(item) for key, item in found.items()}
    if isinstance(value, list):
        return [stood_in(item) for item in cast("list[Any]", value)]
    return value


def resolve_references(value: Any, known: dict[str, pulumi.StackReference] | None = None) -> Any:
    """Bindings with outputs of other stacks in place of ``{stack, output}``; one reference for each stack."""
    known = {} if known is None else known
    if isinstance(value, Mapping):
        found = cast("Mapping[str, Any]", value)
        if set(found) == {"stack", "output"}:
            stack = str(found["stack"])
            known.setdefault(stack, pulumi.StackReference(stack))
            return known[stack].require_output(str(found["output"]))
        return {key: resolve_references(item, known) for key, item in found.items()}
    if isinstance(value, list):
        return [resolve_references(item, known) for item in cast("list[Any]", value)]
    return value


def getter(name: str) -> Callable[[Mapping[str, Any]], Any]:
    """Takes one value out of a map, for ``apply``."""
    return lambda found: found.get(name)
