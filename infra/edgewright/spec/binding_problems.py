"""What pydantic says of a stack's bindings as problems: at their place, with what may have been meant."""

import re
from collections.abc import Iterable, Iterator
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError

from edgewright.spec.problems import Path, Place, Problem, did_you_mean

_ONE_OF = re.compile(r"\^\(((?:[\w.-]+\|)+[\w.-]+)\)\$")
"""A pattern that is a list of words."""


def problem(source: str, path: Path, what: str, remedy: str = "") -> Problem:
    """A problem of a binding; source: the name that it is reported under."""
    return Problem(Place(source, path=path), what, remedy, code="binding")


def problems_in(error: ValidationError, model: type[BaseModel], source: str) -> list[Problem]:
    """All that keeps data from being the model. Values are not shown, as they may be secret."""
    return [problem(source, item["loc"], *_said(item, model)) for item in error.errors(include_url=False)]


def _said(item: Any, model: type[BaseModel]) -> tuple[str, str]:
    """What is wrong, and the remedy."""
    if item["type"] == "extra_forbidden":
        *above, name = item["loc"]
        return "there is no such setting", did_you_mean(str(name), _settings(model, above))
    found = _ONE_OF.fullmatch(str(item.get("ctx", {}).get("pattern", "")))
    if found:
        words = found[1].split("|")
        return f"it should be {' or '.join(f'`{word}`' for word in words)}", ""
    return str(item["msg"])[:200].replace("Input should", "it should").removeprefix("Value error, "), ""


def _settings(model: type[BaseModel], path: Iterable[int | str]) -> set[str]:
    """What may stand at a path; a part that names an alternative of a union leads nowhere, and is passed."""
    here: list[Any] = [model]
    for part in path:
        here = [inner for form in here for inner in _below(form, part)] or here
    return {name for form in here if _is_model(form) for name in form.model_fields}


def _below(form: Any, part: int | str) -> Iterator[Any]:
    if _is_model(form):
        field = form.model_fields.get(str(part))
        if field:
            yield from _forms(field.annotation)
    elif get_origin(form):  # of a mapping or a list: what it holds
        yield from _forms(get_args(form)[-1])


def _forms(annotation: Any) -> Iterator[Any]:
    """What an annotation may stand for: each of a union."""
    if get_origin(annotation) in (Union, UnionType):
        for one in get_args(annotation):
            yield from _forms(one)
    elif get_origin(annotation) is Annotated:
        yield from _forms(get_args(annotation)[0])
    else:
        yield annotation


def _is_model(form: Any) -> bool:
    return isinstance(form, type) and not get_origin(form) and issubclass(form, BaseModel)
