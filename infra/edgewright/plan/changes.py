"""What a change to a spec does: two plans compared, route by route and resource by resource, weaker security first."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from operator import itemgetter
from typing import Any, cast

from edgewright.plan import security, show_json
from edgewright.plan.differences import MISSING, Change, differences, moved, shown
from edgewright.plan.firewalls import per_address, refused
from edgewright.plan.model import Note, Plan, PlannedRoute, PolicyResult, Resource
from edgewright.plan.replacements import guard_of, replacement_of
from edgewright.plan.security import Point
from edgewright.plan.transport import asks_for_certificates, least_tls
from edgewright.plan.words import listed


@dataclass(frozen=True, slots=True)
class RouteChange:
    """A route that stays, with what is different of it."""

    key: str
    changes: tuple[Change, ...]


@dataclass(frozen=True, slots=True)
class ResourceChange:
    """A resource that stays, with what is different of it.

    because: inputs that force it to be made anew; follows: resources that are made anew, and whose new ids or names
    force this one; protect: whether the engine refuses to delete it, and so to replace it.
    """

    short: str
    urn: str
    type: str
    changes: tuple[Change, ...]
    because: tuple[str, ...] = ()
    follows: tuple[str, ...] = ()
    protect: bool = False


@dataclass(frozen=True, slots=True)
class Changes:
    """What is different between two plans.

    weaker: what someone has to look at first, public routes before all else; stronger: the other way; replaced:
    resources that are taken away and made anew; other: name, way of a request, bindings, decisions, outputs; monthly:
    the estimated cost before and after, USD; policies_kept: what the rules said before too.
    Lines of the spec that moved, and the order in which the engine works, are no changes.
    """

    name: str
    weaker: tuple[Point, ...] = ()
    stronger: tuple[Point, ...] = ()
    routes_added: tuple[PlannedRoute, ...] = ()
    routes_removed: tuple[PlannedRoute, ...] = ()
    routes_changed: tuple[RouteChange, ...] = ()
    resources_added: tuple[Resource, ...] = ()
    resources_removed: tuple[Resource, ...] = ()
    resources_changed: tuple[ResourceChange, ...] = ()
    resources_replaced: tuple[ResourceChange, ...] = ()
    findings_added: tuple[Note, ...] = ()
    findings_gone: tuple[Note, ...] = ()
    policies_added: tuple[PolicyResult, ...] = ()
    policies_gone: tuple[PolicyResult, ...] = ()
    policies_kept: tuple[PolicyResult, ...] = ()
    other: tuple[Change, ...] = ()
    monthly: tuple[float, float] = (0.0, 0.0)

    @property
    def nothing(self) -> bool:
        """Whether the two plans are the same to whoever uses the edge."""
        same = Changes(self.name, policies_kept=self.policies_kept, monthly=self.monthly)
        return self == same and self.monthly[0] == self.monthly[1]


def compare(before: Plan, after: Plan) -> Changes:
    """What ``after`` does differently."""
    old_routes, new_routes = ({route.key: route for route in plan.routes} for plan in (before, after))
    kept = [(old_routes[key], route) for key, route in new_routes.items() if key in old_routes]
    pairs, added, removed = _paired(before.resources, after.resources)
    resources = _resource_changes(pairs)
    routes = [RouteChange(new.key, tuple(_route_changes(old, new))) for old, new in kept]
    routes_added = tuple(route for key, route in new_routes.items() if key not in old_routes)
    old_notes, new_notes = (_noted(plan.findings) for plan in (before, after))
    old_results, new_results = (_judged(plan) for plan in (before, after))
    said: list[tuple[int, str, security.Said]] = [
        *((_rank_of(new), new.key, one) for old, new in kept for one in security.callers(old, new)),
        *((_rank_of(route), route.key, one) for route in routes_added for one in security.new_route(route)),
        *(
            (security.RESOURCE, *item)
            for item in _of_resources(*_under_a_new_name(before, after, pairs, added, removed))
        ),
        *((security.LIMIT, new.key, one) for old, new in kept for one in security.limits(old, new)),
    ]
    points = [(way, Point(where, words, rank)) for rank, where, (way, words) in sorted(said, key=itemgetter(0))]
    both_judged = before.policies is not None and after.policies is not None
    return Changes(
        name=after.name,
        weaker=tuple(point for way, point in points if way == "weaker"),
        stronger=tuple(point for way, point in points if way == "stronger"),
        routes_added=routes_added,
        routes_removed=tuple(route for key, route in old_routes.items() if key not in new_routes),
        routes_changed=tuple(route for route in routes if route.changes),
        resources_added=added,
        resources_removed=removed,
        resources_changed=tuple(found for found in resources if not (found.because or found.follows)),
        resources_replaced=tuple(found for found in resources if found.because or found.follows),
        findings_added=tuple(_more(old_notes, new_notes)),
        findings_gone=tuple(_more(new_notes, old_notes)),
        policies_added=tuple(item for key, item in new_results.items() if key not in old_results),
        policies_gone=tuple(item for key, item in old_results.items() if key not in new_results and both_judged),
        policies_kept=tuple(item for key, item in new_results.items() if key in old_results),
        other=(*differences(_rest(before), _rest(after), ""), *_order(before, after)),
        monthly=(_monthly(before), _monthly(after)),
    )


def _rank_of(route: PlannedRoute) -> int:
    return security.ANYBODY if route.public else security.CALLERS


# -- routes ------------------------------------------------------------------------------------------------------------


def _route_changes(before: PlannedRoute, after: PlannedRoute) -> Iterator[Change]:
    """Effective settings only: where they come from may change without any effect."""
    for name in dict.fromkeys((*before.settings, *after.settings)):
        old, new = (route.settings.get(name) for route in (before, after))
        texts = (old.text if old else None, new.text if new else None)
        if texts[0] != texts[1]:
            yield Change(name, *texts)
    # In whatever order; a plan that was kept long ago does not say it.
    if before.takes and after.takes and set(before.takes) != set(after.takes):
        yield Change("takes", ", ".join(before.takes), ", ".join(after.takes))
    if before.carried_by != after.carried_by:
        yield Change("carried by", _carriers(before), _carriers(after))


def _carriers(route: PlannedRoute) -> str | None:
    return ", ".join(f"{resource} ({what})" for resource, what in route.carried_by) or None


def _order(before: Plan, after: Plan) -> Iterator[Change]:
    """Routes that are tried in another order; those that changed sides, and so their place in the list, left aside."""
    sides = [{route.key: route.public for route in plan.routes} for plan in (before, after)]
    kept = {key for key, public in sides[0].items() if sides[1].get(key) == public}
    old, new = ([key for key in side if key in kept] for side in sides)
    yield from moved(old, new, "routes")


# -- resources ---------------------------------------------------------------------------------------------------------


_Pairs = Sequence[tuple[Resource, Resource]]


def _of_resources(
    pairs: _Pairs, added: Sequence[Resource], removed: Sequence[Resource]
) -> Iterator[tuple[str, security.Said]]:
    """How the edge as a whole is protected differently."""
    for old, new in pairs:
        if old.protect != new.protect:
            way: security.Way = "weaker" if old.protect else "stronger"
            yield new.short, (way, f"is {'no longer' if old.protect else 'now'} protected from deletion")
        before, after = refused(old.type, old.inputs), refused(new.type, new.inputs)
        if before is not None and after is not None and before != after:
            less = sorted(before - after)
            words = f"refuses less: {listed(less)}" if less else f"refuses more: {listed(sorted(after - before))}"
            yield new.short, ("weaker" if less else "stronger", words)
        few, many = per_address(old.type, old.inputs), per_address(new.type, new.inputs)
        if few is not None and many is not None and few != many:
            words = f"lets {'more' if many > few else 'fewer'} requests of one address through"
            words += f"; {few:,.0f} → {many:,.0f} a minute"
            yield new.short, ("weaker" if many > few else "stronger", words)
        yield from ((new.short, said) for said in _transport(old, new))
    for resource in removed:
        guard = guard_of(resource.type)
        if guard is not None:
            yield resource.short, ("weaker", f"goes: the edge loses {security.a(guard)}")
    for resource in added:
        guard = guard_of(resource.type)
        if guard is not None:
            yield resource.short, ("stronger", f"comes: the edge gains {security.a(guard)}")


def _transport(old: Resource, new: Resource) -> Iterator[security.Said]:
    """What clients have to speak, and to show."""
    before, after = least_tls(old.type, old.inputs), least_tls(new.type, new.inputs)
    if before is not None and after is not None and before != after:
        now = f"takes {after} and newer now" if after else "speaks without TLS now"
        yield "weaker" if after < before else "stronger", f"{now}; before: {before or 'without TLS'}"
    asked, asks = asks_for_certificates(old.type, old.inputs), asks_for_certificates(new.type, new.inputs)
    if asked != asks:
        words = "now asks every client for a certificate" if asks else "asks clients for no certificate any more"
        yield "stronger" if asks else "weaker", words


def _under_a_new_name(
    before: Plan, after: Plan, pairs: _Pairs, added: Sequence[Resource], removed: Sequence[Resource]
) -> tuple[_Pairs, list[Resource], list[Resource]]:
    """The same; where the edge has a new name, what goes and comes again under it is a pair: it protects no less."""
    gone = {(item.type, item.name.removeprefix(before.name)): item for item in removed}
    likes, come = list[tuple[Resource, Resource]](), list[Resource]()
    for item in added:
        like = gone.pop((item.type, item.name.removeprefix(after.name)), None)
        if like is None:
            come.append(item)
        else:
            likes.append((like, item))
    return [*pairs, *likes], come, list(gone.values())


def _paired(
    before: Sequence[Resource], after: Sequence[Resource]
) -> tuple[list[tuple[Resource, Resource]], tuple[Resource, ...], tuple[Resource, ...]]:
    """Resources that stay, by urn or by an alias; those that come; those that go. Two stacks may be compared."""
    old = {_in_stack(resource.urn): resource for resource in before}
    pairs, added = list[tuple[Resource, Resource]](), list[Resource]()
    places = {_in_stack(resource.urn) for resource in after}
    for resource in after:
        aliases = (_in_stack(alias) for alias in resource.aliases)
        names = (_in_stack(resource.urn), *(alias for alias in aliases if alias not in places))
        known = next((name for name in names if name in old), None)
        if known is None:
            added.append(resource)
        else:
            pairs.append((old.pop(known), resource))
    return pairs, tuple(added), tuple(old.values())


def _in_stack(urn: str) -> str:
    """What is behind the names of the stack and the project in an urn: types and the name."""
    return urn.split("::", 2)[-1]


def _resource_changes(pairs: _Pairs) -> list[ResourceChange]:
    """What is different of each resource; one that is made anew makes others follow, and those others again."""
    found = {new.urn: change for old, new in pairs if (change := _resource_change(old, new)) is not None}
    fresh = {change.short for change in found.values() if change.because}
    while fresh:
        following: set[str] = set()
        for _, new in pairs:
            change = found.get(new.urn) or ResourceChange(new.short, new.urn, new.type, (), protect=new.protect)
            follows = tuple(sorted(_named(new, fresh) - set(change.follows)))
            if follows:
                following |= set() if change.because or change.follows else {new.short}
                found[new.urn] = replace(change, follows=(*change.follows, *follows))
        fresh = following
    return [found[new.urn] for _, new in pairs if new.urn in found]


def _named(resource: Resource, names: set[str]) -> set[str]:
    """Those of the names whose values stand in inputs that cannot change in place."""
    known = replacement_of(resource.type)
    texts = [text for path in (known.inputs if known is not None else ()) for text in _texts(_at(resource, path))]
    return {name for name in names for text in texts if f"${{{name}." in text}


def _at(resource: Resource, path: str) -> Any:
    value: Any = resource.inputs
    for name in path.split("."):
        value = cast("Mapping[str, Any]", value).get(name) if isinstance(value, Mapping) else None
    return value


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for item in cast("Mapping[str, Any]", value).values():
            yield from _texts(item)
    elif isinstance(value, list | tuple):
        for item in cast("Sequence[Any]", value):
            yield from _texts(item)


def _resource_change(before: Resource, after: Resource) -> ResourceChange | None:
    known = replacement_of(after.type)
    found = list[Change]()
    if _in_stack(before.urn) != _in_stack(after.urn):
        found.append(Change("(urn)", before.urn, after.urn))
    if before.protect != after.protect:
        found.append(Change("(protected)", shown(before.protect), shown(after.protect)))
    for name in sorted({*before.inputs, *after.inputs}):
        found += differences(before.inputs.get(name, MISSING), after.inputs.get(name, MISSING), name)
    if not found:
        return None
    forcing = sorted(known.inputs) if known is not None else []
    because = tuple(path for path in forcing if any(_is_below(change.path, path) for change in found))
    # What counts is how it is protected now: the engine asks the state.
    return ResourceChange(after.short, after.urn, after.type, tuple(found), because, protect=before.protect)


def _is_below(path: str, of: str) -> bool:
    """Whether a change is of that input, or inside of it, or of something that it is inside of."""
    return path == of or path.startswith((f"{of}.", f"{of}[", f"{of} ")) or of.startswith(f"{path}.")


# -- the rest of a plan ------------------------------------------------------------------------------------------------


_About = tuple[str, str, str, str]


def _noted(findings: Iterable[Note]) -> dict[_About, Note]:
    """Findings by what they say, with all routes that they say it of; the line where it is said may move."""
    found: dict[_About, Note] = {}
    for note in findings:
        about = (note.level, note.field, note.reason, note.remedy)
        before = found.get(about)
        found[about] = replace(note, routes=(*before.routes, *note.routes)) if before is not None else note
    return found


def _more(old: Mapping[_About, Note], new: Mapping[_About, Note]) -> Iterator[Note]:
    """What is said now and was not: as a whole, or of some routes only."""
    for about, note in new.items():
        if about not in old:
            yield note
            continue
        known = set(old[about].routes)
        routes = tuple(route for route in note.routes if route not in known)
        # Without routes a finding is about the edge as a whole, and so about each of them.
        if known and (routes or not note.routes):
            yield replace(note, routes=routes)


def _judged(plan: Plan) -> dict[tuple[str, ...], PolicyResult]:
    """What the rules say, by what it is about; words may change."""
    results = plan.policies.results if plan.policies is not None else ()
    return {(item.rule, item.kind, item.level, item.urn, item.path): item for item in results}


def _rest(plan: Plan) -> dict[str, Any]:
    data = show_json.to_json(plan)
    return {key: data[key] for key in ("name", "topology", "path", "must_bind", "decisions", "outputs")}


def _monthly(plan: Plan) -> float:
    return round(sum(cost.monthly for cost in plan.costs), 2)
