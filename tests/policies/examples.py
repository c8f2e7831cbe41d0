"""Examples of rules, as data in the form in which the engine sends resources: `tests/policies/examples/CLOUD/MODULE.yaml`.

A file says, for each rule of `edgewright.policies.CLOUD.MODULE`:

    alb-drop-invalid-headers:
      settings: {...}            # of the rule, where the defaults do not do
      pass:                      # examples; one is a resource, or a whole stack under `graph`
        - {type: ..., name: it, properties: {...}, refs: {subnets: [NAME]}}
      fail:
        - {at: dropInvalidHeaderFields, type: ..., properties: {...}}
        - {at: [NAME.path, ...], graph: [{type: ..., name: ..., properties: {...}}, ...]}

Names of properties are those of the wire (camelCase), whole numbers become floats on the way, what is null is not there (so
that one example can leave out what another has), what is unknown is the engine's own sentinel text, and `refs` says which
resources a property's value comes from. `at` is where a violation is found: the path, or in a graph the resource's name and
the path. An example may have `settings` of its own instead of the rule's.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Literal, cast

import yaml

from edgewright.policies.view import Subject

FOLDER = Path(__file__).parent / "examples"
_KEYS = {"type", "name", "properties", "refs", "deleteBeforeReplace"}


@dataclass(frozen=True)
class Example:
    """One example. at: where violations are found, as (name of the resource, path); none for one that passes."""

    rule: str
    module: str
    kind: Literal["pass", "fail"]
    index: int
    subjects: tuple[Subject, ...]
    settings: Mapping[str, Any]
    at: frozenset[tuple[str, str]] = frozenset()

    def __str__(self) -> str:
        return f"{self.rule}-{self.kind}-{self.index}"


def examples() -> list[Example]:
    """All examples, in the order of files."""
    return [example for file in sorted(FOLDER.glob("*/*.yaml")) for example in _read(file)]


def urn_of(kind: str, name: str) -> str:
    """The urn of a resource of an example."""
    return f"urn:pulumi:example::edgewright::{kind}::{name}"


def wire(value: Any) -> Any:
    """Values as the engine sends them: every number is a float, and what is null is left out."""
    if isinstance(value, Mapping):
        return {str(key): wire(item) for key, item in cast(Mapping[str, Any], value).items() if item is not None}
    if isinstance(value, list):
        return [wire(item) for item in cast(list[Any], value)]
    if isinstance(value, date):
        return value.isoformat()  # YAML's own reading of a version of an API
    return float(value) if isinstance(value, int) and not isinstance(value, bool) else value


def _read(file: Path) -> Iterator[Example]:
    module = f"{file.parent.name}.{file.stem}"
    found: dict[str, Any] = yaml.safe_load(file.read_text(encoding="utf-8")) or {}
    for rule, given in found.items():
        if rule.startswith("."):  # only anchors
            continue
        assert set(given) <= {"settings", "pass", "fail"}, f"{file.name}: {rule}: {sorted(given)}"
        for kind in ("pass", "fail"):
            for index, example in enumerate(given.get(kind, ())):
                yield _example(rule, module, cast(Any, kind), index, example, given.get("settings", {}))


def _example(
    rule: str, module: str, kind: Literal["pass", "fail"], index: int, given: Mapping[str, Any], settings: Any
) -> Example:
    place = f"{module}: {rule}: {kind} {index}"
    alone = {key: given[key] for key in given if key not in {"at", "settings"}}
    listed: list[dict[str, Any]] = given.get("graph") or [alone]
    types = {item.get("name", "it"): item["type"] for item in listed}
    assert len(types) == len(listed), f"{place}: names are not unique"
    subjects: list[Subject] = []
    for item in listed:
        assert set(item) <= _KEYS, f"{place}: {sorted(set(item) - _KEYS)}"
        refs = {
            key: frozenset(urn_of(types[name], name) for name in names) for key, names in item.get("refs", {}).items()
        }
        name = item.get("name", "it")
        properties = wire(item.get("properties", {}))
        subjects.append(
            Subject(urn_of(item["type"], name), item["type"], name, properties, refs, item.get("deleteBeforeReplace"))
        )
    at: list[str] = [given["at"]] if isinstance(given.get("at"), str) else list(given.get("at", ()))
    assert bool(at) == (kind == "fail"), f"{place}: only what fails says where, with `at`"
    settings = given.get("settings", settings)
    return Example(rule, module, kind, index, tuple(subjects), settings, frozenset(_places(at, listed)))


def _places(at: list[str], listed: list[dict[str, Any]]) -> Iterator[tuple[str, str]]:
    for text in at:
        if len(listed) == 1:
            yield listed[0].get("name", "it"), text
            continue
        # Names may have dots in them; the longest that fits is meant.
        names = [item["name"] for item in listed if text == item["name"] or text.startswith((f"{item['name']}.",))]
        name = max(names, key=len)
        yield name, text[len(name) + 1 :]
