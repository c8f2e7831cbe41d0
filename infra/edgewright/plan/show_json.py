"""A plan as JSON and back: version 1 of the documented form (docs/plan.json.md), the same bytes for the same plan."""

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar, cast, get_args, get_type_hints

from edgewright.plan.model import Cost, Hop, Link, Note, Plan, PlannedRoute, Policies, PolicyResult, Resource, Setting

VERSION = 1
"""Of the form. Fields may be added under the same number; a field that goes, or changes its meaning, raises it."""

_T = TypeVar("_T")

LEVELS = get_args(get_type_hints(Note)["level"])
_WORDS = {name: get_args(get_type_hints(PolicyResult)[name]) for name in ("kind", "level", "severity")}


class PlanFormatError(Exception):
    """A file that is no plan, or one of another version; the text says where, what and what to do."""


# -- to JSON -----------------------------------------------------------------------------------------------------------


def text(plan: Plan) -> str:
    """`to_json` as text, indented by 2, with a newline at its end."""
    return json.dumps(to_json(plan), indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def to_json(plan: Plan) -> dict[str, Any]:
    """The plan as JSON types. Keys stand in the order of docs/plan.json.md; those inside of inputs are sorted."""
    return {
        "version": VERSION,
        "name": plan.name,
        "topology": plan.topology,
        "path": {
            "hops": [{"name": hop.name, "title": hop.title, "does": list(hop.does)} for hop in plan.hops],
            "links": [{"source": link.source, "target": link.target, "text": link.text} for link in plan.links],
        },
        "routes": [_route(route) for route in plan.routes],
        "findings": [_finding(note) for note in plan.findings],
        "resources": [_resource(resource) for resource in plan.resources],
        "costs": [_cost(cost) for cost in plan.costs],
        "must_bind": [{"name": name, "stands_in": stands_in} for name, stands_in in plan.must_bind],
        "decisions": list(plan.decisions),
        "outputs": _sorted(plan.outputs),
        "policies": _policies(plan.policies),
    }


def _route(route: PlannedRoute) -> dict[str, Any]:
    return {
        "key": route.key,
        "public": route.public,
        "settings": {name: {"text": item.text, "origin": item.origin} for name, item in route.settings.items()},
        "carried_by": [{"resource": resource, "what": what} for resource, what in route.carried_by],
        "checks": list(route.checks),
        "takes": list(route.takes),
    }


def _finding(note: Note) -> dict[str, Any]:
    return {
        "level": note.level,
        "field": note.field,
        "routes": list(note.routes),
        "reason": note.reason,
        "remedy": note.remedy,
        "place": note.place,
    }


def _resource(resource: Resource) -> dict[str, Any]:
    return {
        "urn": resource.urn,
        "type": resource.type,
        "name": resource.name,
        "parent": resource.parent,
        "inputs": _sorted(resource.inputs),
        "dependencies": list(resource.dependencies),
        "protect": resource.protect,
        "custom": resource.custom,
        "aliases": list(resource.aliases),
    }


def _cost(cost: Cost) -> dict[str, Any]:
    return {
        "what": cost.what,
        "count": cost.count,
        "monthly": cost.monthly,
        "basis": cost.basis,
        "source": cost.source,
    }


def _policies(policies: Policies | None) -> dict[str, Any] | None:
    if policies is None:
        return None
    return {
        "rules": policies.rules,
        "configuration": policies.configuration,
        "results": [_result(result) for result in policies.results],
    }


def _result(result: PolicyResult) -> dict[str, Any]:
    return {
        "rule": result.rule,
        "kind": result.kind,
        "level": result.level,
        "severity": result.severity,
        "urn": result.urn,
        "path": result.path,
        "title": result.title,
        "text": result.text,
        "remedy": result.remedy,
        "routes": list(result.routes),
        "led_by": list(result.led_by),
    }


def _sorted(value: Any) -> Any:
    """``value`` with the keys of its objects sorted: equal inputs are the same text, however they were put together."""
    if isinstance(value, Mapping):
        items = cast("Mapping[str, Any]", value)
        return {key: _sorted(items[key]) for key in sorted(items)}
    if isinstance(value, list | tuple):
        return [_sorted(item) for item in cast("Sequence[Any]", value)]
    return value


# -- from JSON ---------------------------------------------------------------------------------------------------------


def read(data: Mapping[str, Any]) -> Plan:
    """The plan that `to_json` gave this for; fields that are not known are left aside.

    Raises PlanFormatError for another version, a field that is missing, or a value of the wrong type.
    """
    if not isinstance(data, Mapping):  # pyright: ignore[reportUnnecessaryIsInstance] (whatever stood in a file)
        raise PlanFormatError("a plan is a JSON object; write one with `edgewright plan SPEC --json`")
    version: Any = data.get("version")
    if version is None:
        raise PlanFormatError("this is no plan: it has no `version`; write one with `edgewright plan SPEC --json`")
    if type(version) is not int or version != VERSION:
        raise PlanFormatError(
            f"this plan is of version {version!r}, and this edgewright reads version {VERSION}; "
            "plan again with `edgewright plan SPEC --json`, or use the edgewright that wrote it"
        )
    plan = _At(data, "")
    path = plan.object("path")
    return Plan(
        name=plan.text("name"),
        topology=plan.text("topology"),
        hops=path.each("hops", lambda hop: Hop(hop.text("name"), hop.text("title"), hop.texts("does"))),
        links=path.each("links", lambda link: Link(link.text("source"), link.text("target"), link.text("text"))),
        routes=plan.each("routes", _read_route),
        findings=plan.each("findings", _read_finding),
        resources=plan.each("resources", _read_resource),
        costs=plan.each("costs", _read_cost),
        must_bind=plan.each("must_bind", lambda item: (item.text("name"), item.text("stands_in"))),
        decisions=plan.texts("decisions"),
        outputs=plan.mapping("outputs"),
        policies=_read_policies(plan.object("policies")) if plan.has("policies") else None,
    )


class _At:
    """An object of a plan's JSON, and where it stands in it: every reading is checked, and names its place."""

    __slots__ = ("data", "place")

    def __init__(self, data: Any, place: str) -> None:
        if not isinstance(data, Mapping):
            raise PlanFormatError(f"{place}: an object is expected, not {_kind(data)}")
        self.data = cast("Mapping[str, Any]", data)
        self.place = place

    def _take(self, key: str, kinds: type | tuple[type, ...], expected: str) -> Any:
        place = f"{self.place}.{key}" if self.place else key
        if key not in self.data:
            raise PlanFormatError(
                f"{place} is missing; the file is cut, or was not written by `edgewright plan --json`"
            )
        value = self.data[key]
        # A bool is an int to Python, but no number to JSON.
        if not isinstance(value, kinds) or (isinstance(value, bool) and kinds is not bool):
            raise PlanFormatError(f"{place}: {expected} is expected, not {_kind(value)}")
        return value

    def has(self, key: str) -> bool:
        """Whether there is something: what came to the form later may be missing, as may be what can be null."""
        return self.data.get(key) is not None

    def text(self, key: str) -> str:
        return self._take(key, str, "a text")

    def flag(self, key: str) -> bool:
        return self._take(key, bool, "true or false")

    def number(self, key: str) -> float:
        return self._take(key, (int, float), "a number")

    def one_of(self, key: str, known: Sequence[str]) -> Any:
        found = self.text(key)
        if found not in known:
            place = f"{self.place}.{key}".removeprefix(".")
            raise PlanFormatError(f"{place}: one of {', '.join(known)} is expected, not {found!r}")
        return found

    def maybe(self, key: str) -> str | None:
        return None if key in self.data and self.data[key] is None else self.text(key)

    def mapping(self, key: str) -> dict[str, Any]:
        return dict(self._take(key, dict, "an object"))

    def object(self, key: str) -> "_At":
        return _At(self._take(key, dict, "an object"), f"{self.place}.{key}".removeprefix("."))

    def texts(self, key: str) -> tuple[str, ...]:
        items: list[Any] = self._take(key, list, "a list")
        for index, item in enumerate(items):
            if not isinstance(item, str):
                raise PlanFormatError(f"{self.place}.{key}[{index}]: a text is expected, not {_kind(item)}")
        return tuple(items)

    def each(self, key: str, make: Callable[["_At"], _T]) -> tuple[_T, ...]:
        items: list[Any] = self._take(key, list, "a list")
        where = f"{self.place}.{key}".removeprefix(".")
        return tuple(make(_At(item, f"{where}[{index}]")) for index, item in enumerate(items))


_KINDS: tuple[tuple[type, str], ...] = (
    (bool, "true or false"),
    (int, "a number"),
    (float, "a number"),
    (str, "a text"),
    (list, "a list"),
    (dict, "an object"),
)


def _kind(value: Any) -> str:
    return next((name for kind, name in _KINDS if isinstance(value, kind)), "null")


def _read_route(item: _At) -> PlannedRoute:
    settings = item.object("settings")
    return PlannedRoute(
        key=item.text("key"),
        public=item.flag("public"),
        settings={name: _read_setting(settings.object(name)) for name in settings.data},
        carried_by=item.each("carried_by", lambda by: (by.text("resource"), by.text("what"))),
        checks=item.texts("checks") if item.has("checks") else (),
        takes=item.texts("takes") if item.has("takes") else (),
    )


def _read_setting(item: _At) -> Setting:
    return Setting(item.text("text"), item.text("origin"))


def _read_finding(item: _At) -> Note:
    words = (item.text("reason"), item.text("remedy"), item.text("place"))
    return Note(item.one_of("level", LEVELS), item.text("field"), item.texts("routes"), *words)


def _read_resource(item: _At) -> Resource:
    return Resource(
        urn=item.text("urn"),
        type=item.text("type"),
        name=item.text("name"),
        parent=item.maybe("parent"),
        inputs=item.mapping("inputs"),
        dependencies=item.texts("dependencies"),
        custom=item.flag("custom"),
        protect=item.flag("protect"),
        aliases=item.texts("aliases"),
    )


def _read_cost(item: _At) -> Cost:
    return Cost(
        item.text("what"), item.number("count"), item.number("monthly"), item.text("basis"), item.text("source")
    )


def _read_policies(item: _At) -> Policies:
    return Policies(int(item.number("rules")), item.each("results", _read_result), item.text("configuration"))


def _read_result(item: _At) -> PolicyResult:
    return PolicyResult(
        rule=item.text("rule"),
        kind=item.one_of("kind", _WORDS["kind"]),
        level=item.one_of("level", _WORDS["level"]),
        severity=item.one_of("severity", _WORDS["severity"]),
        urn=item.text("urn"),
        path=item.text("path"),
        title=item.text("title"),
        text=item.text("text"),
        remedy=item.text("remedy"),
        routes=item.texts("routes"),
        led_by=item.texts("led_by"),
    )
