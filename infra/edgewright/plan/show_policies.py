"""What the rules say of a plan, for a terminal and for a pull request: what stops the update first."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from edgewright.plan.diagram import plain
from edgewright.plan.markdown import Part, code, escape, folded, header, row
from edgewright.plan.model import Policies, PolicyResult
from edgewright.plan.words import many

NOT_RUN = "the rules were not run"

GROUPS = (
    ("stops", "stops the update"),
    ("advisory", "advisory"),
    ("remediated", "written by the policy pack, whatever stands here"),
    ("exempt", "exempt, until the day that is named"),
    ("unclear", "cannot tell yet: a value is known only after binding or deploying"),
)
"""In the order to read, each with its heading."""


MOST_UNCLEAR = 3
"""So many resources are named for each property that is not known yet."""


def group_of(result: PolicyResult) -> str:
    """The group of `GROUPS` that a result belongs to."""
    if result.stops:
        return "stops"
    return {"exempt": "exempt", "remediated": "remediated", "cannot tell": "unclear"}.get(result.kind, "advisory")


def grouped(results: Iterable[PolicyResult]) -> Iterator[tuple[str, str, list[PolicyResult]]]:
    """Group, heading and results, in the order to read; groups without any are left out."""
    listed = list(results)
    for name, heading in GROUPS:
        found = [result for result in listed if group_of(result) == name]
        if found:
            yield name, heading, found


def counts(results: Iterable[PolicyResult]) -> str:
    """``2 stop the update, 1 advisory, 3 cannot tell yet``; empty when there is nothing."""
    found = Counter(group_of(result) for result in results)
    stop = "stops" if found["stops"] == 1 else "stop"
    words = {
        "stops": f"{stop} the update",
        "advisory": "advisory",
        "remediated": "written by the pack",
        "exempt": "exempt",
        "unclear": "cannot tell yet",
    }
    return ", ".join(f"{found[name]:,} {said}" for name, said in words.items() if found[name])


def stopped(policies: Policies) -> str:
    """``2 violations that stop the update``, for a line of other counts."""
    count = sum(result.stops for result in policies.results)
    return f"{many(count, 'violation')} that {'stops' if count == 1 else 'stop'} the update"


def summary(policies: Policies | None) -> str:
    """One line: ``104 rules: 2 stop the update, 1 advisory``, and the file that configures them."""
    if policies is None:
        return NOT_RUN
    said = counts(policies.results) or ("all hold" if policies.rules else "none is turned on")
    by = f"; as {plain(policies.configuration)} has it" if policies.configuration else ""
    return f"{many(policies.rules, 'rule')}: {said}{by}"


def broken(policies: Policies | None) -> dict[str, list[str]]:
    """By the urn of a resource the rules that it breaks; those that do not stop the update are called advisory."""
    found: dict[str, dict[str, None]] = {}
    for group, _, results in grouped(policies.results if policies else ()):
        for result in results if group in ("stops", "advisory") else ():
            said = result.rule if group == "stops" else f"{result.rule} (advisory)"
            found.setdefault(result.urn, {})[said] = None
    return {urn: list(rules) for urn, rules in found.items()}


def what(result: PolicyResult) -> str:
    """What is wrong, with the property: ``enableDeletionProtection is not true``."""
    return f"{result.path} {result.text}" if result.path else result.text


def unclear(results: Sequence[PolicyResult]) -> str:
    """Which rules cannot tell yet, and which properties of which resources they would have to know, in one line."""
    found: dict[tuple[str, str], dict[str, None]] = {}
    for result in sorted(results, key=lambda result: (result.rule, result.path)):
        found.setdefault((result.rule, result.path), {})[result.resource] = None
    said = (
        f"{rule}: {f'{path} of ' if path else ''}{_first(list(resources))}" for (rule, path), resources in found.items()
    )
    return "; ".join(said)


def _first(names: Sequence[str]) -> str:
    more = f" and {len(names) - MOST_UNCLEAR:,} more" if len(names) > MOST_UNCLEAR else ""
    return ", ".join(names[:MOST_UNCLEAR]) + more


def parts(policies: Policies | None) -> Iterator[Part]:
    """The section of a document."""
    if policies is None:
        return
    yield Part(f"### Policies\n\n{escape(summary(policies))}\n")
    for name, heading, results in grouped(policies.results):
        if name == "unclear":
            yield folded(f"{many(len(results), 'result')}: {heading}", f"{escape(unclear(results), 2_000)}\n", ())
        else:
            title = f"#### {heading[0].upper()}{heading[1:]} ({len(results)})"
            yield table(title, results, weight=9 if name == "stops" else 5)


def table(title: str, results: Sequence[PolicyResult], *, weight: int) -> Part:
    """Results as a table."""
    head = f"{title}\n\n{header('Rule', 'Resource', 'What', 'Led to by', 'What to do')}"
    return Part(head, tuple(cells(result) for result in results), noun="result", weight=weight)


def cells(result: PolicyResult) -> str:
    """A row of `table`."""
    routes = "".join(f"{code(key)}<br>" for key in result.routes)
    led = routes + "<br>".join(code(place) for place in result.led_by)
    rule = f"{code(result.rule)}<br>{result.severity}"
    return row(rule, code(result.resource), escape(what(result)), led, escape(result.remedy))
