"""Changes as `edgewright diff` prints them: what protects less first, then routes, resources, rules, findings."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from edgewright.plan import show_policies
from edgewright.plan.changes import Changes, ResourceChange
from edgewright.plan.diagram import cells, cut, plain, wrap
from edgewright.plan.diff import Diff, StackDiff
from edgewright.plan.differences import Change, apart
from edgewright.plan.model import PolicyResult, Resource
from edgewright.plan.replacements import replacement_of
from edgewright.plan.words import listed, many

_FEWEST_FOLDED = 12
"""So many resources of one type that come or go are shown as one line."""

NOTHING = "Nothing changes: the same routes, resources and findings."


def text(changes: Changes, *, width: int = 110) -> str:
    """The changes for a terminal; one line when there are none."""
    if changes.nothing:
        return f"{NOTHING}\n"
    sections = (
        _weaker_lines(changes, width),
        _route_lines(changes, width),
        _resource_lines(changes, width),
        _policy_lines(changes, width),
        _finding_lines(changes, width),
        _other_lines(changes, width),
    )
    lines = list(_hanging("", f"{plain(changes.name)}: {summary(changes)}", width))
    for section in sections:
        found = list(section)
        lines += ["", *found] if found else []
    return "\n".join(line.rstrip() for line in lines) + "\n"


LEFT_BEHIND = (
    "Only its file goes. What the stack has made stays, answers and costs as before, and no preview or check for drift "
    "sees it any more. To take it away, run `pulumi destroy` for the stack while its file is still there."
)
"""Of a stack whose file goes."""


def is_left_behind(changes: Changes) -> bool:
    """Whether a stack whose file goes has made something."""
    return any(resource.custom for resource in changes.resources_removed)


def text_of_stacks(diff: Diff, *, width: int = 110) -> str:
    """The same for each stack of two sides; those that stay as they are in one line."""
    if len(diff.stacks) == 1 and diff.stacks[0].before is not None and diff.stacks[0].changes is not None:
        return _text_of_one(diff.stacks[0], width)
    lines: list[str] = []
    broken: dict[str, list[str]] = {}
    for stack in diff.stacks:
        if stack.broken and stack.after is not None:
            broken.setdefault(stack.after.errors, []).append(stack.name)
    for stack in diff.stacks:
        # What is wrong with many, such as a policies.json, is said once.
        names = broken.get(stack.after.errors, []) if stack.broken and stack.after is not None else [stack.name]
        if not stack.same and names[0] == stack.name:
            lines += _hanging("== ", f"{plain(', '.join(names))} {stack.state}", width)
            lines += [*_text_of_one(stack, width).splitlines(), ""]
    same = [stack.name for stack in diff.stacks if stack.same]
    if same:
        lines += _hanging("", f"no change: {plain(', '.join(same))}", width)
    return "\n".join(lines).rstrip("\n") + "\n"


def _text_of_one(stack: StackDiff, width: int) -> str:
    if stack.broken and stack.after is not None:
        return "".join(f"{plain(line)}\n" for line in stack.after.errors.splitlines())
    if stack.after is None and stack.changes is not None and is_left_behind(stack.changes):
        return "\n".join(_hanging("", LEFT_BEHIND, width)) + "\n"
    found = text(stack.changes, width=width) if stack.changes is not None else "nothing can be said of it\n"
    if stack.before is not None and stack.before.errors:
        was = "".join(f"  {plain(line)}\n" for line in stack.before.errors.splitlines())
        found = f"All of it looks new, because it could not be planned before:\n{was}{found}"
    plan = stack.after.plan if stack.after is not None else None
    if plan is None or plan.policies is None or not plan.policies.stop:
        return found
    kept = sum(result.stops for result in (stack.changes.policies_kept if stack.changes is not None else ()))
    was = f" ({kept:,} of them before too)" if kept else ""
    return f"{found}\nThe rules stop this update: {show_policies.stopped(plan.policies)}{was}.\n"


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
        (len(changes.policies_added), "policy result", " added"),
        (len(changes.policies_gone), "policy result", " gone"),
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
    for changed in by_cost(changes.resources_replaced):
        yield from _hanging("  ! ", f"{plain(changed.short)}: REPLACED, because {because(changed)}", width)
        for words in cost(changed):
            yield from _hanging("      ", words, width)
        yield from _change_lines(changed.changes, width)
    for resource in changes.resources_removed:
        if resource.protect:
            yield from _hanging("  ! ", f"{plain(resource.short)}: {STOPS_REMOVAL}", width)
    for sign, resources in (("+", changes.resources_added), ("-", changes.resources_removed)):
        for line in grouped(resources):
            yield from _hanging(f"  {sign} ", line, width)
    for changed in changes.resources_changed:
        yield from _hanging("  ~ ", plain(changed.short), width)
        yield from _change_lines(changed.changes, width)


STOPS_REMOVAL = "is protected, so the update stops instead of deleting it"


def because(change: ResourceChange) -> str:
    """Why it is made anew."""
    words = [f"of {', '.join(change.because)}"] if change.because else []
    verb = "is" if len(change.follows) == 1 else "are"
    words += [f"{listed(list(change.follows))} {verb} made anew"] if change.follows else []
    return plain(", and ".join(words))


def cost(change: ResourceChange) -> list[str]:
    """What making it anew costs, a line each: that the update stops, the time, the outage."""
    known = replacement_of(change.type)
    lines = ["it is protected, so the update stops here; unprotect it first"] if change.protect else []
    if known is not None:
        lines += [f"time: {known.time}"] if known.time else []
        lines += [f"outage: {known.outage or 'none'}"]
    return lines


def is_harmless(change: ResourceChange) -> bool:
    """Whether nobody would notice, and nothing stops it."""
    known = replacement_of(change.type)
    return not change.protect and known is not None and known.harmless


def by_cost(changes: Iterable[ResourceChange]) -> list[ResourceChange]:
    """What stops the update first, then what anybody would notice."""
    return sorted(changes, key=lambda change: (not change.protect, is_harmless(change), bool(change.follows)))


def grouped(resources: Sequence[Resource]) -> list[str]:
    """Short names; very many of one type as one line."""
    counts = Counter(resource.type for resource in resources)
    found: dict[str, None] = {}
    for resource in resources:
        many_of_them = counts[resource.type] >= _FEWEST_FOLDED
        kind = resource.short.partition(" ")[0]
        found[plain(f"{counts[resource.type]} x {kind}" if many_of_them else resource.short)] = None
    return list(found)


def _policy_lines(changes: Changes, width: int) -> Iterator[str]:
    if changes.policies_added or changes.policies_gone:
        yield "Policies"
    for name, heading, results in show_policies.grouped(changes.policies_added):
        if name == "unclear":
            words = f"{many(len(results), 'result')}: {heading}: {show_policies.unclear(results)}"
            yield from _hanging("  + ", words, width)
            continue
        for result in results:
            yield from _policy_line(f"  {'!' if result.stops else '+'} ", f"{heading}: ", result, width)
    for result in changes.policies_gone:
        yield from _policy_line("  - ", "", result, width)


def _policy_line(sign: str, heading: str, result: PolicyResult, width: int) -> Iterator[str]:
    about = f"{plain(result.resource)}: {result.rule}: {plain(show_policies.what(result))}"
    yield from _hanging(sign, heading + about, width)
    for place in result.led_by if heading else ():
        yield from _hanging("      ", f"led to by {plain(place)}", width)


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
        before, after = sides(change, _LONGEST_VALUE)
        yield from _hanging(lead, f"{plain(change.path)}: {_side(before)} → {_side(after)}", width)


_LONGEST_VALUE = 160


def sides(change: Change, longest: int) -> tuple[str | None, str | None]:
    """Both values of a change, from where they differ if they are longer than that; None: not there."""
    if change.before is None or change.after is None:
        return change.before, change.after
    return apart(change.before, change.after, longest)


def _side(value: str | None) -> str:
    return "none" if value is None else cut(plain(value), _LONGEST_VALUE)


def _hanging(lead: str, words: str, width: int) -> Iterator[str]:
    for index, line in enumerate(wrap(words, width - cells(lead) - 2)):
        yield (" " * cells(lead) + "  " if index else lead) + line
