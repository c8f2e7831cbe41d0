"""Turns pydantic's errors into problems: one a cause, at its place, in the words of the spec, with a remedy."""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, cast

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from edgewright.spec import schema
from edgewright.spec.problems import Path, Problem, Sources, did_you_mean
from edgewright.spec.shown import choices, either, example, expected, is_secret, shown

_TRUTH = {"yes": "true", "on": "true", "no": "false", "off": "false"}
"""What YAML 1.1 took for truth values."""
_UNITS = {"a duration": "s", "a rate": "/s", "a size": "B"}
_MOST = 1_000
"""Errors that are explained; nobody reads more, and each takes a while."""
_ROUTE = re.compile(r"[A-Z,]+ +/")


def explain(
    error: ValidationError, data: object, sources: Sources, empty: Iterable[Path] = ()
) -> tuple[list[Problem], int]:
    """The problems behind ``error``, the first ones by their places, and how many errors are left unexplained.

    data: what was validated. empty: places that had no value and are reported already: nothing that follows from
    them is a problem of its own.
    """
    known = frozenset(empty)
    around = frozenset(path[:-1] for path in known)
    found: dict[tuple[Path, str], Problem] = {}
    items = error.errors(include_url=False)
    left = len(items) - _MOST
    if left > 0:
        places = [sources.place(item["loc"]) for item in items]
        order = sorted(range(len(items)), key=lambda at: (places[at].line, places[at].column))
        items = [items[at] for at in order[:_MOST]]
    for item in items:
        problem = _problem(item, data, sources, known, around)
        if problem is not None:
            found.setdefault((problem.place.path, problem.what), problem)
    return list(found.values()), max(left, 0)


def _problem(
    item: ErrorDetails, data: object, sources: Sources, empty: frozenset[Path], around: frozenset[Path]
) -> Problem | None:
    kind, context = item["type"], item.get("ctx", {})
    parts = tuple(part for part in item["loc"] if not _is_tag(part))
    is_key = parts[-1:] == ("[key]",)
    parts = parts[:-1] if is_key else parts
    path = _written(parts, data)
    if kind == "too_short" and item["input"]:
        # Pydantic counts the good items only; the bad ones have problems of their own.
        return None
    if path in empty or parts in empty or (kind == "one_of" and path in around):
        return None
    if kind == "missing":
        field, where = str(parts[-1]), _written(parts[:-1], data)
        return Problem(
            sources.place(where),
            f"`{field}` is missing",
            f"write `{field}: {example(schema.at(parts))}`",
            code="missing",
        )
    if kind == "extra_forbidden":
        return _unknown(parts, sources)
    what, remedy = _said(kind, str(item["msg"]), item["input"], context, path, parts)
    return Problem(sources.place(path, key=is_key), what, remedy, code=_CODES.get(kind, "value"))


_CODES = {
    "form": "form",
    "written_value": "form",
    "one_of": "one-of",
    "jwks": "jwks",
    "literal_error": "choice",
    "alike": "alike",
}


def _said(
    kind: str, message: str, value: object, context: Mapping[str, Any], path: Path, parts: Path
) -> tuple[str, str]:
    """What is wrong, and the remedy."""
    remedy = str(context.get("remedy", ""))
    allowed = schema.at(path) or schema.at(parts)
    if kind == "form":
        return f"{shown(value, path)} is not {message}", "" if _quotes(remedy, value, path) else remedy
    if kind == "written_value":
        unit = _UNITS.get(str(context["summary"]))
        if isinstance(value, int) and not isinstance(value, bool) and unit:
            remedy = f"did you mean `{value}{unit}`?"
        return f"{shown(value, path)} is not {context['summary']}", remedy
    if kind in ("one_of", "jwks", "alike"):
        return message, remedy
    if kind == "too_short":
        return "it is empty", f"write {example(allowed)}, or leave the field out"
    if kind == "string_too_long":
        return f"it is longer than {context['max_length']} characters", ""
    words = choices(allowed)
    if isinstance(value, str) and words and kind == "literal_error":
        close = did_you_mean(value, words)
        remedy = close if close.startswith("did you mean") else ""
    return f"expected {expected(allowed)}, got {shown(value, path)}", remedy or _quoting(value, allowed)


def _quoting(value: object, allowed: list[dict[str, Any]]) -> str:
    """Whether quotes, or their absence, make the difference."""
    kinds = {form.get("type") for item in allowed for form in schema.forms(item)}
    if isinstance(value, bool | int | float):
        text = shown(value)
        fits = any(_takes(form, text) for item in allowed for form in schema.forms(item))
        return f'put it in quotes: "{text}"' if fits else ""
    if isinstance(value, str) and value.lower() in _TRUTH and "boolean" in kinds:
        return f"write `{_TRUTH[value.lower()]}`"
    if isinstance(value, str) and re.fullmatch(r"-?[0-9]{1,18}|true|false", value):
        fits = {"boolean"} if value in ("true", "false") else {"integer", "number"}
        return "leave the quotes out" if kinds & fits else ""
    return ""


def _takes(form: dict[str, Any], text: str) -> bool:
    """Whether a text is one that the form allows."""
    if form.get("type") != "string" or text not in form.get("enum", [form.get("const", text)]):
        return False
    return re.search(str(form.get("pattern", "")), text) is not None


def _quotes(remedy: str, value: object, path: Path) -> bool:
    """Whether a remedy repeats a value that must not be shown."""
    return remedy.startswith("did you mean") and isinstance(value, str) and is_secret(value, path)


def _unknown(parts: Path, sources: Sources) -> Problem:
    """A field that the spec does not have."""
    name = str(parts[-1])
    models = [form for item in schema.at(parts[:-1]) for form in schema.forms(item) if "properties" in form]
    fields = [str(field) for form in models for field in form["properties"]]
    inner = [field for field in fields if name in _fields((*parts[:-1], field))]
    what = f"there is no field `{_cut(name)}` here"
    remedy = did_you_mean(name, fields)
    if len(parts) == 1 and _ROUTE.match(name):
        remedy = "write it under `routes`"
    elif not remedy.startswith("did you mean") and inner:
        remedy = f"it belongs in {either(f'`{field}`' for field in inner[:3])}"
    return Problem(sources.place(parts, key=True), what, remedy, code="unknown-field")


def _fields(path: Path) -> set[str]:
    return {field for item in schema.at(path) for form in schema.forms(item) for field in form.get("properties", {})}


def _written(parts: Path, data: object) -> Path:
    """As much of a path as was written: a shorter form has no places within it."""
    path: Path = ()
    here = data
    for part in parts:
        if isinstance(part, str) and isinstance(here, Mapping) and part in here:
            here = cast("Mapping[str, object]", here)[part]
        elif isinstance(part, int) and isinstance(here, list | tuple) and part < len(cast("Sequence[object]", here)):
            here = cast("Sequence[object]", here)[part]
        else:
            break
        path = (*path, part)
    return path


def _is_tag(part: str | int) -> bool:
    """Whether a part of pydantic's location only says which form was meant (see edgewright.spec.forms)."""
    return part in ("<none>", "<details>", "<number>", "<word>", "<off>")


def _cut(text: str) -> str:
    return text if len(text) <= 60 else text[:57] + "..."
