"""What a change to a spec does: two plans compared, route by route and resource by resource, weaker security first."""

import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Any, cast

from edgewright.plan import show_json
from edgewright.plan.diagram import cells, cut, plain, wrap
from edgewright.plan.model import Note, Plan, PlannedRoute, Resource
from edgewright.plan.markdown import Part, code, escape, fit, folded, header, row
from edgewright.plan.show_markdown import findings_table
from edgewright.plan.words import many

REPLACES: Mapping[str, frozenset[str]] = {
    "aws:lb/targetGroup:TargetGroup": frozenset(
        {"name", "namePrefix", "port", "protocol", "protocolVersion", "targetType", "vpcId"}
    ),
    "aws:lb/loadBalancer:LoadBalancer": frozenset({"internal", "loadBalancerType", "name", "namePrefix"}),
    "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule": frozenset({"securityGroupId"}),
    "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule": frozenset({"securityGroupId"}),
    "aws:apigateway/restApi:RestApi": frozenset(),
    "aws:apigateway/domainName:DomainName": frozenset({"domainName"}),
    "aws:apigatewayv2/api:Api": frozenset({"protocolType"}),
    "aws:apigatewayv2/vpcLink:VpcLink": frozenset({"securityGroupIds", "subnetIds"}),
    "aws:ec2/vpcEndpoint:VpcEndpoint": frozenset({"serviceName", "vpcId"}),
    "aws:wafv2/webAcl:WebAcl": frozenset({"name", "scope"}),
}
"""Inputs that cannot be changed in place: the resource is made anew. For other types nothing is claimed."""

_FEWEST_FOLDED = 12
"""So many resources of one type that come or go are shown as one line."""


@dataclass(frozen=True, slots=True)
class Change:
    """A value that is another now. path: ``rules[name=a].priority``; None: not there."""

    path: str
    before: str | None
    after: str | None


@dataclass(frozen=True, slots=True)
class Weaker:
    """Something that protects less than before. where: a route's key or a resource's short name."""

    where: str
    what: str


@dataclass(frozen=True, slots=True)
class RouteChange:
    """A route that stays, with what is different of it."""

    key: str
    changes: tuple[Change, ...]


@dataclass(frozen=True, slots=True)
class ResourceChange:
    """A resource that stays, with what is different of it. because: inputs that force it to be made anew."""

    short: str
    urn: str
    changes: tuple[Change, ...]
    because: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Changes:
    """What is different between two plans.

    weaker: what someone has to look at first; replaced: resources that are taken away and made anew; other: name, way
    of a request, bindings, decisions, outputs; monthly: the estimated cost before and after, USD.
    Lines of the spec that moved, and the order in which the engine works, are no changes.
    """

    name: str
    weaker: tuple[Weaker, ...] = ()
    routes_added: tuple[PlannedRoute, ...] = ()
    routes_removed: tuple[PlannedRoute, ...] = ()
    routes_changed: tuple[RouteChange, ...] = ()
    resources_added: tuple[Resource, ...] = ()
    resources_removed: tuple[Resource, ...] = ()
    resources_changed: tuple[ResourceChange, ...] = ()
    resources_replaced: tuple[ResourceChange, ...] = ()
    findings_added: tuple[Note, ...] = ()
    findings_gone: tuple[Note, ...] = ()
    other: tuple[Change, ...] = ()
    monthly: tuple[float, float] = (0.0, 0.0)

    @property
    def nothing(self) -> bool:
        """Whether the two plans are the same to whoever uses the edge."""
        return self == Changes(self.name, monthly=self.monthly) and self.monthly[0] == self.monthly[1]


def compare(before: Plan, after: Plan) -> Changes:
    """What ``after`` does differently."""
    old_routes, new_routes = ({route.key: route for route in plan.routes} for plan in (before, after))
    kept = [(old_routes[key], route) for key, route in new_routes.items() if key in old_routes]
    pairs, added, removed = _paired(before.resources, after.resources)
    resources = [found for old, new in pairs if (found := _resource_change(old, new)) is not None]
    routes = [RouteChange(new.key, tuple(_route_changes(old, new))) for old, new in kept]
    routes_added = tuple(route for key, route in new_routes.items() if key not in old_routes)
    old_notes, new_notes = (_noted(plan.findings) for plan in (before, after))
    return Changes(
        name=after.name,
        weaker=(
            *(Weaker(new.key, what) for old, new in kept for what in _weaker(old, new)),
            *(Weaker(route.key, "is new, and anybody may call it") for route in routes_added if route.public),
            *(
                Weaker(new.short, "is no longer protected from deletion")
                for old, new in pairs
                if old.protect and not new.protect
            ),
        ),
        routes_added=routes_added,
        routes_removed=tuple(route for key, route in old_routes.items() if key not in new_routes),
        routes_changed=tuple(route for route in routes if route.changes),
        resources_added=added,
        resources_removed=removed,
        resources_changed=tuple(found for found in resources if not found.because),
        resources_replaced=tuple(found for found in resources if found.because),
        findings_added=tuple(note for key, note in new_notes.items() if key not in old_notes),
        findings_gone=tuple(note for key, note in old_notes.items() if key not in new_notes),
        other=(*_differences(_rest(before), _rest(after), ""), *_order(before, after)),
        monthly=(_monthly(before), _monthly(after)),
    )


# -- routes ------------------------------------------------------------------------------------------------------------


def _route_changes(before: PlannedRoute, after: PlannedRoute) -> Iterator[Change]:
    """Effective settings only: where they come from may change without any effect."""
    for name in dict.fromkeys((*before.settings, *after.settings)):
        old, new = (route.settings.get(name) for route in (before, after))
        texts = (old.text if old else None, new.text if new else None)
        if texts[0] != texts[1]:
            yield Change(name, *texts)
    if before.carried_by != after.carried_by:
        yield Change("carried by", _carriers(before), _carriers(after))


def _carriers(route: PlannedRoute) -> str | None:
    return ", ".join(f"{resource} ({what})" for resource, what in route.carried_by) or None


def _weaker(before: PlannedRoute, after: PlannedRoute) -> Iterator[str]:
    old, new = ({name: item.text for name, item in route.settings.items()} for route in (before, after))
    if after.public and not before.public:
        yield f"anybody may call it now; before: {old.get('auth', 'authentication')}"
    elif not after.public and not before.public:
        yield from _weaker_auth(old.get("auth", ""), new.get("auth", ""))
    if not after.public and "cache" in new:
        if "cache" not in old:
            yield f"answers to authenticated callers are cached now ({new['cache']}): may each see those of the others?"
        elif _PER_USER in old["cache"] and _PER_USER not in new["cache"]:
            yield f"the cache no longer keeps users apart: {old['cache']} → {new['cache']}"
    for name, what in (("throttle", "is no longer throttled"), ("quota", "no longer has a quota")):
        if name in old and name not in new:
            yield f"{what}; before: {old[name]}"


_PER_USER = "for each user"

_AUTH = re.compile(
    r"(?P<by>.+?)(?: with (?!one of )(?P<all>.+?))?(?: with one of (?P<any>.+?))?(?: where (?P<claims>.+))?"
)
"""`edgewright.plan.routes.auth_text`, read back."""


def _weaker_auth(before: str, after: str) -> Iterator[str]:
    if before == after:
        return
    old, new = _AUTH.fullmatch(before), _AUTH.fullmatch(after)
    if old is None or new is None:
        yield f"who may call it is another now: {before} → {after}"
        return
    lost = _words(old["all"], " and ") - _words(new["all"], " and ")
    if lost:
        yield f"no longer needs the scope {', '.join(sorted(lost))}: {before} → {after}"
        return
    any_old, any_new = _words(old["any"], ", "), _words(new["any"], ", ")
    stricter = (
        _words(new["by"], " or ") <= _words(old["by"], " or ")
        and (not any_old or (bool(any_new) and any_new <= any_old))
        and _words(old["claims"], " where ") <= _words(new["claims"], " where ")
    )
    if not stricter:
        yield f"who may call it is another now: {before} → {after}"


def _words(text: str | None, between: str) -> set[str]:
    return set(text.split(between)) if text else set()


def _order(before: Plan, after: Plan) -> Iterator[Change]:
    """Routes that are tried in another order; those that changed sides, and so their place in the list, left aside."""
    sides = [{route.key: route.public for route in plan.routes} for plan in (before, after)]
    kept = {key for key, public in sides[0].items() if sides[1].get(key) == public}
    old, new = ([key for key in side if key in kept] for side in sides)
    yield from _moved(old, new, "routes")


# -- resources ---------------------------------------------------------------------------------------------------------


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


def _resource_change(before: Resource, after: Resource) -> ResourceChange | None:
    forcing = REPLACES.get(after.type, frozenset())
    found, because = list[Change](), list[str]()
    if _in_stack(before.urn) != _in_stack(after.urn):
        found.append(Change("(urn)", before.urn, after.urn))
    if before.protect != after.protect:
        found.append(Change("(protected)", _shown(before.protect), _shown(after.protect)))
    for name in sorted({*before.inputs, *after.inputs}):
        changes = list(_differences(before.inputs.get(name, _MISSING), after.inputs.get(name, _MISSING), name))
        found += changes
        if changes and name in forcing:
            because.append(name)
    return ResourceChange(after.short, after.urn, tuple(found), tuple(because)) if found else None


# -- values ------------------------------------------------------------------------------------------------------------

_MISSING: Any = object()
_IDENTITIES = ("name", "key", "id", "Sid", "priority")
"""Fields that tell the items of a list apart, if each item has one of its own."""
_SCALARS = (str, int, float, bool, type(None))
_SHORT = 5
"""Lists of so many plain values are shown whole: a condition of a rule has five at most."""


def _differences(before: Any, after: Any, path: str) -> Iterator[Change]:
    """Each place where two values differ, as deep as possible."""
    if before is _MISSING or after is _MISSING:
        if before is not after:
            yield Change(path, _shown(before), _shown(after))
        return
    before, after = _opened(before, after)
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        old, new = cast("Mapping[str, Any]", before), cast("Mapping[str, Any]", after)
        for key in sorted({*old, *new}):
            yield from _differences(old.get(key, _MISSING), new.get(key, _MISSING), _at(path, key))
    elif isinstance(before, list | tuple) and isinstance(after, list | tuple):
        yield from _in_lists(list(cast("list[Any]", before)), list(cast("list[Any]", after)), path)
    elif before != after or isinstance(before, bool) != isinstance(after, bool):
        yield Change(path, _shown(before), _shown(after))


def _opened(before: Any, after: Any) -> tuple[Any, Any]:
    """Two JSON texts as what they say: an OpenAPI body or a policy that is only written differently is no change."""
    if isinstance(before, str) and isinstance(after, str) and before != after:
        old, new = _parsed(before), _parsed(after)
        if old is not None and new is not None:
            return old, new
    return before, after


def _parsed(text: str) -> Any:
    if not text.lstrip().startswith(("{", "[")):
        return None
    try:
        return json.loads(text)
    except ValueError:
        return None


def _in_lists(before: list[Any], after: list[Any], path: str) -> Iterator[Change]:
    for field in _IDENTITIES:
        old, new = _by(before, field), _by(after, field)
        if old is not None and new is not None:
            for key in dict.fromkeys((*old, *new)):
                yield from _differences(old.get(key, _MISSING), new.get(key, _MISSING), f"{path}[{field}={key}]")
            yield from _moved([key for key in old if key in new], [key for key in new if key in old], path)
            return
    if all(isinstance(item, _SCALARS) for item in (*before, *after)) and max(len(before), len(after)) <= _SHORT:
        if before != after:
            yield Change(path, _shown(before), _shown(after))
        return
    texts = [[json.dumps(item, sort_keys=True, default=str) for item in items] for items in (before, after)]
    for kind, low, high, start, end in SequenceMatcher(None, *texts, autojunk=False).get_opcodes():
        if kind == "equal":
            continue
        alike = high - low == end - start
        for index in range(low, high):
            other = after[start + index - low] if alike else _MISSING
            yield from _differences(before[index], other, f"{path}[{index}]")
        for index in range(start, end) if not alike else ():
            yield from _differences(_MISSING, after[index], f"{path}[{index}]")


def _by(items: list[Any], field: str) -> dict[Any, Any] | None:
    """Items by that field, if each is an object with a value of its own there."""
    found: dict[Any, Any] = {}
    for item in items:
        key = cast("Mapping[str, Any]", item).get(field) if isinstance(item, Mapping) else None
        if not isinstance(key, str | int) or key in found:
            return None
        found[key] = item
    return found


def _moved(before: Sequence[Any], after: Sequence[Any], path: str) -> Iterator[Change]:
    if list(before) != list(after):
        yield Change(f"{path} (order)", _shown(list(before)), _shown(list(after)))


def _at(path: str, key: str) -> str:
    if not re.fullmatch(r"[A-Za-z_][\w-]*", key):
        return f"{path}[{json.dumps(key, ensure_ascii=False)}]"
    return f"{path}.{key}" if path else key


def _shown(value: Any) -> str | None:
    return None if value is _MISSING else json.dumps(value, ensure_ascii=False, sort_keys=True, default=str)


# -- the rest of a plan ------------------------------------------------------------------------------------------------


def _noted(findings: Iterable[Note]) -> dict[tuple[Any, ...], Note]:
    """Findings by what they say; the line where it is said may move."""
    return {(note.level, note.field, note.routes, note.reason, note.remedy): note for note in findings}


def _rest(plan: Plan) -> dict[str, Any]:
    data = show_json.to_json(plan)
    return {key: data[key] for key in ("name", "topology", "path", "must_bind", "decisions", "outputs")}


def _monthly(plan: Plan) -> float:
    return round(sum(cost.monthly for cost in plan.costs), 2)


# -- as text -----------------------------------------------------------------------------------------------------------

NOTHING = "Nothing changes: the same routes, resources and findings."


def text(changes: Changes, *, width: int = 110) -> str:
    """The changes for a terminal; one line when there are none."""
    if changes.nothing:
        return f"{NOTHING}\n"
    sections = (
        _weaker_lines(changes, width),
        _route_lines(changes, width),
        _resource_lines(changes, width),
        _finding_lines(changes, width),
        _other_lines(changes, width),
    )
    lines = list(_hanging("", f"{plain(changes.name)}: {summary(changes)}", width))
    for section in sections:
        found = list(section)
        lines += ["", *found] if found else []
    return "\n".join(line.rstrip() for line in lines) + "\n"


def summary(changes: Changes) -> str:
    """The counts in words: ``2 routes changed, 1 resource replaced``."""
    counts = (
        (len(changes.weaker), "weaker point", ""),
        (len(changes.routes_added), "route", " added"),
        (len(changes.routes_removed), "route", " removed"),
        (len(changes.routes_changed), "route", " changed"),
        (len(changes.resources_replaced), "resource", " replaced"),
        (len(changes.resources_added), "resource", " added"),
        (len(changes.resources_removed), "resource", " removed"),
        (len(changes.resources_changed), "resource", " changed"),
        (len(changes.findings_added), "finding", " added"),
        (len(changes.findings_gone), "finding", " gone"),
    )
    said = [f"{many(count, noun)}{what}" for count, noun, what in counts if count]
    return ", ".join(said) or "only what is around the routes and resources changes"


def _weaker_lines(changes: Changes, width: int) -> Iterator[str]:
    if changes.weaker:
        yield "LOOK AT THIS FIRST: security is weaker"
    for item in changes.weaker:
        yield from _hanging("  ! ", f"{plain(item.where)}: {plain(item.what)}", width)


def _route_lines(changes: Changes, width: int) -> Iterator[str]:
    if changes.routes_added or changes.routes_removed or changes.routes_changed:
        yield "Routes"
    for route in changes.routes_added:
        yield from _hanging("  + ", f"{'PUBLIC ' if route.public else ''}{plain(route.key)}", width)
        for name, setting in route.settings.items():
            yield from _hanging("      ", f"{name}: {plain(setting.text)}", width)
    for route in changes.routes_removed:
        yield from _hanging("  - ", plain(route.key), width)
    for changed in changes.routes_changed:
        yield from _hanging("  ~ ", plain(changed.key), width)
        yield from _change_lines(changed.changes, width)


def _resource_lines(changes: Changes, width: int) -> Iterator[str]:
    if changes.resources_added or changes.resources_removed or changes.resources_changed or changes.resources_replaced:
        yield "Resources"
    for changed in changes.resources_replaced:
        because = ", ".join(changed.because)
        yield from _hanging("  ! ", f"{plain(changed.short)}: REPLACED, made anew because of {because}", width)
        yield from _change_lines(changed.changes, width)
    for sign, resources in (("+", changes.resources_added), ("-", changes.resources_removed)):
        for line in grouped(resources):
            yield from _hanging(f"  {sign} ", line, width)
    for changed in changes.resources_changed:
        yield from _hanging("  ~ ", plain(changed.short), width)
        yield from _change_lines(changed.changes, width)


def grouped(resources: Sequence[Resource]) -> list[str]:
    """Short names; very many of one type as one line."""
    counts = Counter(resource.type for resource in resources)
    found: dict[str, None] = {}
    for resource in resources:
        many_of_them = counts[resource.type] >= _FEWEST_FOLDED
        kind = resource.short.partition(" ")[0]
        found[plain(f"{counts[resource.type]} x {kind}" if many_of_them else resource.short)] = None
    return list(found)


def _finding_lines(changes: Changes, width: int) -> Iterator[str]:
    if changes.findings_added or changes.findings_gone:
        yield "Findings"
    for sign, notes in (("+", changes.findings_added), ("-", changes.findings_gone)):
        for note in notes:
            about = f" ({', '.join(map(plain, note.routes[:4]))}{', …' if len(note.routes) > 4 else ''})"
            words = f"{note.level}: {plain(note.field)}{about if note.routes else ''}: {plain(note.reason)}"
            yield from _hanging(f"  {sign} ", words, width)


def _other_lines(changes: Changes, width: int) -> Iterator[str]:
    if changes.other:
        yield "Around them"
        yield from _change_lines(changes.other, width, "  ~ ")
    before, after = changes.monthly
    if before != after:
        words = f"Monthly cost, an estimate before traffic: {before:,.2f} → {after:,.2f} USD"
        yield from _hanging("", words, width)


def _change_lines(changes: Iterable[Change], width: int, lead: str = "      ") -> Iterator[str]:
    for change in changes:
        words = f"{plain(change.path)}: {_side(change.before)} → {_side(change.after)}"
        yield from _hanging(lead, words, width)


_LONGEST_VALUE = 160


def _side(value: str | None) -> str:
    return "none" if value is None else cut(plain(value), _LONGEST_VALUE)


def _hanging(lead: str, words: str, width: int) -> Iterator[str]:
    for index, line in enumerate(wrap(words, width - cells(lead) - 2)):
        yield (" " * cells(lead) + "  " if index else lead) + line


# -- as markdown -------------------------------------------------------------------------------------------------------


def markdown(changes: Changes) -> str:
    """The changes for a pull request, below 60,000 characters; one line when there are none."""
    return fit(parts(changes))


def parts(changes: Changes) -> list[Part]:
    """The parts of `markdown`, for a larger document."""
    if changes.nothing:
        return [Part(f"{NOTHING}\n")]
    return [
        Part(f"### Changes to {escape(changes.name)}\n\n{summary(changes)}\n"),
        *_weaker_parts(changes),
        *_route_parts(changes),
        *_resource_parts(changes),
        *_finding_parts(changes),
        *_other_parts(changes),
    ]


def _weaker_parts(changes: Changes) -> Iterator[Part]:
    if changes.weaker:
        rows = tuple(row(code(item.where), escape(item.what)) for item in changes.weaker)
        head = "> [!WARNING]\n> Security is weaker here: look at this first.\n\n"
        yield Part(head + header("Where", "What"), rows, noun="weaker point", weight=20)


def _route_parts(changes: Changes) -> Iterator[Part]:
    rows = [row("added", code(route.key), _added(route)) for route in changes.routes_added]
    rows += [row("removed", code(route.key), "") for route in changes.routes_removed]
    rows += [row("changed", code(route.key), _cell(route.changes)) for route in changes.routes_changed]
    yield from _table("Routes", ("", "Route", "What"), rows, "route", 18)


def _added(route: PlannedRoute) -> str:
    lines = [f"**{escape(name)}** {escape(item.text)}" for name, item in route.settings.items()]
    return "<br>".join((["**PUBLIC**"] if route.public else []) + lines)


def _resource_parts(changes: Changes) -> Iterator[Part]:
    rows = [
        row(f"**replaced**: {escape(', '.join(item.because))}", code(item.short), _cell(item.changes))
        for item in changes.resources_replaced
    ]
    rows += [row("added", code(line), "") for line in grouped(changes.resources_added)]
    rows += [row("removed", code(line), "") for line in grouped(changes.resources_removed)]
    rows += [row("changed", code(item.short), _cell(item.changes)) for item in changes.resources_changed]
    yield from _table("Resources", ("", "Resource", "What"), rows, "resource", 16)


_MOST_CHANGES = 20


def _cell(changes: Sequence[Change]) -> str:
    lines = [f"{code(item.path)}: {_value(item.before)} → {_value(item.after)}" for item in changes[:_MOST_CHANGES]]
    over = len(changes) - _MOST_CHANGES
    return "<br>".join([*lines, *([f"and {over} more"] if over > 0 else [])])


def _value(value: str | None) -> str:
    return "none" if value is None else code(value, _LONGEST_VALUE)


def _table(title: str, names: Sequence[str], rows: Sequence[str], noun: str, weight: int) -> Iterator[Part]:
    if not rows:
        return
    if len(rows) <= _FEWEST_FOLDED:
        yield Part(f"#### {title}\n\n{header(*names)}", tuple(rows), noun=noun, weight=weight)
    else:
        yield folded(f"{title}: {many(len(rows), 'row')}", header(*names), rows, noun=noun, weight=weight)


def _finding_parts(changes: Changes) -> Iterator[Part]:
    if changes.findings_added:
        yield findings_table(f"#### Findings added ({len(changes.findings_added)})", "added", changes.findings_added)
    if changes.findings_gone:
        yield findings_table(f"#### Findings gone ({len(changes.findings_gone)})", "gone", changes.findings_gone)


def _other_parts(changes: Changes) -> Iterator[Part]:
    rows = [row(code(item.path), _value(item.before), _value(item.after)) for item in changes.other]
    yield from _table("Around them", ("What", "Before", "After"), rows, "row", 10)
    before, after = changes.monthly
    if before != after:
        yield Part(f"Monthly cost, an estimate before traffic: {before:,.2f} → {after:,.2f} USD\n")
