"""Gives the fields of the models the texts that stand below them in the source, for the schema and the reference.

pydantic can do this itself, but reads the source again for each class whenever the module is imported: half of the
time that loading a spec takes.
"""

import ast
import inspect
from collections.abc import Iterator, Sequence
from functools import cache

from edgewright.spec import model


@cache
def described() -> type[model.EdgeSpec]:
    """The model of a spec, with descriptions of all fields of all of its parts."""
    models = [item for item in vars(model).values() if isinstance(item, type) and issubclass(item, model.Model)]
    _rebuild(models)  # once before: fields whose types are named below their class are made anew
    texts = {(name, field): words for name, field, words in _texts(inspect.getsource(model))}
    for item in models:
        for name, field in item.model_fields.items():
            found = (texts[base.__name__, name] for base in item.__mro__ if (base.__name__, name) in texts)
            field.description = field.description or next(found, None)
    _rebuild(models)
    return model.EdgeSpec


def _rebuild(models: Sequence[type[model.Model]]) -> None:
    for item in models:
        item.model_rebuild(force=True)


def _texts(source: str) -> Iterator[tuple[str, str, str]]:
    """Class, field and text of each annotated field that a text follows."""
    for item in ast.parse(source).body:
        if not isinstance(item, ast.ClassDef):
            continue
        for line, below in zip(item.body, item.body[1:], strict=False):
            if isinstance(line, ast.AnnAssign) and isinstance(line.target, ast.Name) and isinstance(below, ast.Expr):
                value = below.value
                if isinstance(value, ast.Constant) and isinstance(value.value, str):
                    yield item.name, line.target.id, inspect.cleandoc(value.value)
