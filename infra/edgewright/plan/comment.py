"""The comment of a pull request: what a reviewer sees at a glance, then what changes, stack by stack.

It is one document for all stacks, below GitHub's limit whatever the change: long parts are folded, then cut, with a
link to the whole. The same change is the same text. Names come from whoever opened the pull request; see
`edgewright.plan.markdown` for what keeps them text.
"""

from collections.abc import Iterable, Iterator, Sequence

from edgewright.plan import comment_stack
from edgewright.plan.comment_stack import STOPS, bold_first, each, names_of, outages
from edgewright.plan.diff import Diff, StackDiff
from edgewright.plan.markdown import MOST, Part, code, fit, header, is_address, link, row
from edgewright.plan.words import many
from edgewright.usage import UsageError

MARKER = "<!-- edgewright -->"
"""The first line, by which whoever posts the comment finds the one that is there already."""

_MOST_POINTS = 20
"""Weaker points that are shown at a glance."""
_MOST_OUTAGES = 6


def comment(diff: Diff, address: str = "", most: int | None = MOST) -> str:
    """The comment; address: where all of it is, for what had to be left out. Raises UsageError for a bad address.

    most: how long it may become; None: every row is there.
    """
    if address and not is_address(address):
        raise UsageError(f"--link: `{address}` is no address such as https://github.com/owner/name/actions/runs/1")
    note = f" All of it is in {link('the artifact', address)}." if address else ""
    changed = [stack for stack in diff.stacks if not stack.same]
    parts = [Part(f"{MARKER}\n## {_title(diff, changed)}\n"), *_alerts(diff), *_summary(diff, changed)]
    broken = _broken(changed)
    for stack in changed:
        alone = len(diff.stacks) == 1
        if not stack.broken or stack.after is None:
            parts += comment_stack.parts(stack, alone=alone)
        elif (names := broken[stack.after.errors])[0] == stack.name:
            parts += comment_stack.broken_parts(stack.after.errors, names, alone=alone)
    if address:
        parts.append(Part(f"<sub>{link('The whole of it', address)}</sub>\n"))
    return fit(parts, most, note)


def _title(diff: Diff, changed: Sequence[StackDiff]) -> str:
    if not changed:
        return "No stack changes" if len(diff.stacks) != 1 else "Nothing changes"
    if len(diff.stacks) == 1:
        return f"{code(changed[0].name)} {changed[0].state}"
    if all(stack.broken for stack in changed):
        return f"{len(changed):,} of {many(len(diff.stacks), 'stack')} cannot be planned"
    verb = "changes" if len(changed) == 1 else "change"
    return f"{len(changed):,} of {many(len(diff.stacks), 'stack')} {verb}"


def _broken(stacks: Sequence[StackDiff]) -> dict[str, list[str]]:
    """Names of stacks that cannot be planned, by what is wrong with them."""
    found: dict[str, list[str]] = {}
    for stack in stacks:
        if stack.broken and stack.after is not None:
            found.setdefault(stack.after.errors, []).append(stack.name)
    return found


# -- at a glance -------------------------------------------------------------------------------------------------------


def _alerts(diff: Diff) -> Iterator[Part]:
    """What nobody may overlook: security that is weaker, what stops the update, and stacks that cannot be planned."""
    of = len(diff.stacks)
    if weaker := _weaker(diff):
        lines = [_line(places, bold_first(what), names, of) for places, what, names in weaker[:_MOST_POINTS]]
        over = sum(len(places) for places, _, _ in weaker[_MOST_POINTS:])
        lines += [f"> - and {over:,} more, below\n"] if over else []
        yield Part(
            "> [!CAUTION]\n> **Security is weaker: look at this first**\n>\n", tuple(lines), noun="point", weight=40
        )
    if replaced := _outages(diff):
        lines = [_line(places, words, names, of, ":") for places, words, names in replaced[:_MOST_OUTAGES]]
        over = sum(len(places) for places, _, _ in replaced[_MOST_OUTAGES:])
        lines += [f"> - and {over:,} more, below\n"] if over else []
        title = "> [!WARNING]\n> **Taken away and made anew, and what breaks meanwhile**\n>\n"
        yield Part(title, tuple(lines), noun="point", weight=39)
    broken = [name for names in _broken(diff.stacks).values() for name in names]
    stopped = [f"> - cannot be planned: {names_of(broken, 12)}\n"] if broken else []
    stopped += [
        f"> - {code(stack.name)}: {_why(stack)}\n"
        for stack in diff.stacks
        if not stack.same and not stack.broken and (stack.stops or _refused(stack))
    ]
    others = [stack.name for stack in diff.stacks if stack.same and stack.stops]
    if others:
        verb = "stack that does" if len(others) == 1 else "stacks that do"
        stopped.append(f"> - {len(others):,} {verb} not change here, as before: {names_of(others)}\n")
    if stopped:
        yield Part(f"> [!IMPORTANT]\n> **{STOPS}**\n>\n", tuple(stopped), noun="stack", weight=39)


_Said = tuple[list[str], str, tuple[str, ...]]
"""Where, what, and on which stacks."""


def _once(said: Iterable[tuple[str, str, str]]) -> list[_Said]:
    """Where, what and on which stack, each what once: a default that is another is one change of many routes."""
    stacks: dict[tuple[str, str], list[str]] = {}
    for where, what, stack in said:
        stacks.setdefault((where, what), []).append(stack)
    alike: dict[tuple[str, tuple[str, ...]], list[str]] = {}
    for (where, what), names in stacks.items():
        alike.setdefault((what, tuple(names)), []).append(where)
    return [(places, what, names) for (what, names), places in alike.items()]


def _weaker(diff: Diff) -> list[_Said]:
    """What is weaker, on all stacks: what matters most first."""
    found = [
        (point, stack.name)
        for stack in diff.stacks
        for point in (stack.changes.weaker if stack.changes is not None and stack.after is not None else ())
    ]
    found.sort(key=lambda item: item[0].rank)
    return _once((point.where, point.what, name) for point, name in found)


def _outages(diff: Diff) -> list[_Said]:
    """What this change itself replaces and somebody notices, with what breaks meanwhile and how long it takes."""
    return _once(
        (short, words, stack.name)
        for stack in diff.stacks
        for short, words in (outages(stack.changes) if stack.changes is not None and stack.after is not None else ())
    )


def _line(places: Sequence[str], words: str, stacks: Sequence[str], of: int, between: str = "") -> str:
    """``GET /products`` **loses its JWT check: anybody may call it now**, and on which stacks; words: markdown."""
    where = each(places) + (between if len(places) == 1 else "")
    return f"> - {where} {words}" + (f" ({names_of(stacks)})" if of > 1 else "") + "\n"


def _why(stack: StackDiff) -> str:
    plan = stack.after.plan if stack.after is not None else None
    results = plan.policies.results if plan is not None and plan.policies is not None else ()
    added = stack.changes.policies_added if stack.changes is not None else ()
    words: list[str] = []
    if count := sum(result.stops for result in results):
        new = [result.rule for result in added if result.stops]
        whose = "a mandatory rule" if count == 1 else "mandatory rules"
        which = f" ({names_of(list(dict.fromkeys(new)))})" if new else ""
        words.append(f"{many(count, 'violation')} of {whose}, {_age(len(new), count)}{which}")
    if refused := _refused(stack):
        words.append(f"{many(refused, 'protected resource')} would be replaced or deleted")
    return "; ".join(words)


def _age(new: int, count: int) -> str:
    if not new:
        return "as before"
    if new < count:
        return f"{new:,} of them new"
    return "new" if count == 1 else "all new"


def _refused(stack: StackDiff) -> int:
    """How many protected resources the engine would refuse to take away: none where nobody updates the stack."""
    if stack.changes is None or stack.after is None:
        return 0
    gone = sum(resource.protect for resource in stack.changes.resources_removed)
    return gone + sum(change.protect for change in stack.changes.resources_replaced)


def _summary(diff: Diff, changed: Sequence[StackDiff]) -> Iterator[Part]:
    if not diff.stacks:
        return
    rows = [row(code(stack.name), *comment_stack.glance(stack)) for stack in changed]
    if rows:
        head = header("Stack", "Routes", "Resources", "Policies", "Cost a month")
        yield Part(head, tuple(rows), noun="stack", weight=38)
    same = [stack.name for stack in diff.stacks if stack.same]
    if same:
        said = "No change" if changed else "The same routes, resources, findings and policy results"
        yield Part(f"{said}: {names_of(same, 30)}\n")
