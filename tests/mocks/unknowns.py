"""Values that a preview does not know yet, in the place of all that may be one by the types of a component's arguments."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any, Required, TypeVar, Union, get_args, get_origin, get_type_hints

import pulumi

T = TypeVar("T")


def unknown() -> pulumi.Output[Any]:
    """An input that a preview does not know yet; call it inside of a program."""

    def now(value: T) -> "asyncio.Future[T]":
        future: asyncio.Future[T] = asyncio.get_event_loop().create_future()
        future.set_result(value)
        return future

    return pulumi.Output(now(set[pulumi.Resource]()), now(None), now(False), now(False))


def hints_of(kind: Any) -> dict[str, Any]:
    """The types of a TypedDict's keys, with ``Required``; names of components that only type checkers import are Any."""
    known: dict[str, Any] = {"Output": pulumi.Output, "T": Any, "ManagedRedis": Any}
    return get_type_hints(kind, localns=known, include_extras=True)


def with_unknown(hint: Any, value: Any) -> Any:
    """The value with what its type lets be an Output made unknown; what must be plain stays."""
    hint = bare(hint)
    if value is None:
        return None
    if takes_output(hint):
        return unknown()
    if is_typed_dict(hint):
        hints = hints_of(hint)
        return {key: with_unknown(hints[key], item) for key, item in value.items()}
    if isinstance(value, Mapping) and get_args(hint):
        return {key: with_unknown(get_args(hint)[-1], item) for key, item in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str) and get_args(hint):
        return [with_unknown(get_args(hint)[0], item) for item in value]
    return value


def bare(hint: Any) -> Any:
    """Without ``Required``."""
    return get_args(hint)[0] if get_origin(hint) is Required else hint


def is_typed_dict(hint: Any) -> bool:
    """Whether it is the type of a component's arguments or of a part of them."""
    return isinstance(hint, type) and hasattr(hint, "__required_keys__")


def takes_output(hint: Any) -> bool:
    """Whether a value of the type may be an Output."""
    return get_origin(hint) is Union and any(get_origin(one) is pulumi.Output for one in get_args(hint))
