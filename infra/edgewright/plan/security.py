"""What a change does to the protection of a route, in words: what it loses, and what it gains."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from edgewright.plan.model import PlannedRoute
from edgewright.plan.words import listed

ANYBODY, CALLERS, RESOURCE, LIMIT = range(4)
"""Ranks of points, what matters most first: a route that anybody may call, others who may call one, a resource that
protects the edge as a whole, and what of a route is kept, counted and let in."""


@dataclass(frozen=True, slots=True)
class Point:
    """Something that protects less than before, or more. where: a route's key or a resource's short name."""

    where: str
    what: str
    rank: int


Way = Literal["weaker", "stronger"]
Said = tuple[Way, str]


def callers(before: PlannedRoute, after: PlannedRoute) -> Iterator[Said]:
    """Each way in which others may call a route that stays."""
    old, new = (route.settings.get("auth") for route in (before, after))
    yield from _who(before, after, old.text if old is not None else "", new.text if new is not None else "")


def limits(before: PlannedRoute, after: PlannedRoute) -> Iterator[Said]:
    """Each other way in which a route that stays is protected differently: what is kept, counted and let in."""
    old, new = ({name: item.text for name, item in route.settings.items()} for route in (before, after))
    if not after.public:
        yield from _cache(old.get("cache"), new.get("cache"))
    yield from _limit("throttle", old.get("throttle"), new.get("throttle"), _RATE)
    yield from _limit("quota", old.get("quota"), new.get("quota"), _QUOTA)
    yield from _cors(old.get("cors"), new.get("cors"))


def new_route(route: PlannedRoute) -> Iterator[Said]:
    """What is to be said of a route that was not there."""
    if route.public:
        yield "weaker", "is new and public: anybody may call it"


def check_of(route: PlannedRoute) -> str:
    """What a caller has to show: ``JWT check``; a plan that was kept long ago does not say it."""
    return f"{' or '.join(route.checks)} check" if route.checks else "authentication"


def a(words: str) -> str:
    """The words with the article that they need."""
    return f"{'an' if words[0] in 'AEIOUaeiou' else 'a'} {words}"


# -- who may call it ---------------------------------------------------------------------------------------------------


def _who(before: PlannedRoute, after: PlannedRoute, old: str, new: str) -> Iterator[Said]:
    if after.public and not before.public:
        yield "weaker", f"loses its {check_of(before)}: anybody may call it now; before: {old or 'authentication'}"
    elif before.public and not after.public:
        yield "stronger", f"gains {a(check_of(after))}; it was public, now: {new or 'authentication'}"
    elif not after.public and old != new:
        yield _asked(before, after, old, new)
    elif not after.public:
        yield from _taken(before, after)


_MOST_NAMED = 4
"""Of what an authorizer takes."""


def _taken(before: PlannedRoute, after: PlannedRoute) -> Iterator[Said]:
    """The same authorizer that accepts something else; a plan that was kept long ago does not say what it does."""
    if not before.takes or not after.takes:
        return
    was = ", ".join(before.takes)
    texts = f"{was} → {', '.join(after.takes)}"
    if more := [text for text in after.takes if text not in before.takes]:
        wholly = len(more) == len(after.takes) <= _MOST_NAMED
        yield "weaker", f"takes {listed(more, _MOST_NAMED)} now; {f'before: {was}' if wholly else texts}"
    elif less := [text for text in before.takes if text not in after.takes]:
        yield "stronger", f"takes {listed(less)} no more; {texts}"


def _asked(before: PlannedRoute, after: PlannedRoute, old: str, new: str) -> Said:
    """What another authentication asks for: less, more, or something else, which somebody has to look at."""
    lost = [check for check in before.checks if check not in after.checks]
    if lost and after.checks:
        return "weaker", f"loses its {' or '.join(lost)} check, and has {a(check_of(after))}; {old} → {new}"
    one, other = _AUTH.fullmatch(old), _AUTH.fullmatch(new)
    if one is None or other is None:
        return "weaker", f"who may call it is another now; {old} → {new}"
    gone = _words(one["all"], " and ") - _words(other["all"], " and ")
    if gone:
        return "weaker", f"no longer needs the scope {', '.join(sorted(gone))}; {old} → {new}"
    if _stricter(one, other):
        return "stronger", f"asks for more; {old} → {new}"
    return "weaker", f"who may call it is another now; {old} → {new}"


_AUTH = re.compile(
    r"(?P<by>.+?)(?: with (?!one of )(?P<all>.+?))?(?: with one of (?P<any>.+?))?(?: where (?P<claims>.+))?"
)
"""`edgewright.plan.routes.auth_text`, read back."""


def _stricter(old: re.Match[str], new: re.Match[str]) -> bool:
    """Whether whoever the new one lets in was let in before."""
    any_old, any_new = _words(old["any"], ", "), _words(new["any"], ", ")
    return (
        _words(new["by"], " or ") <= _words(old["by"], " or ")
        and (not any_old or (bool(any_new) and any_new <= any_old))
        and _words(old["claims"], " where ") <= _words(new["claims"], " where ")
    )


def _words(text: str | None, between: str) -> set[str]:
    return set(text.split(between)) if text else set()


# -- what is kept, counted and let in ----------------------------------------------------------------------------------

_PER_USER = "for each user"


def _cache(old: str | None, new: str | None) -> Iterator[Said]:
    if new is not None and old is None:
        yield "weaker", f"answers to authenticated callers are cached now ({new}): may each see those of the others?"
    elif old is not None and new is not None and (_PER_USER in old) != (_PER_USER in new):
        lost = _PER_USER in old
        words = "no longer keeps users apart" if lost else "keeps users apart now"
        yield "weaker" if lost else "stronger", f"the cache {words}; {old} → {new}"


_SECONDS = {"s": 1, "min": 60, "h": 3600, "hour": 3600, "day": 86_400, "week": 604_800, "month": 2_592_000}
_RATE = re.compile(r"(?P<count>\d+)/(?P<period>s|min|h|\d+s), burst (?P<burst>\d+)")
_QUOTA = re.compile(r"(?P<count>[\d,]+) a (?P<period>hour|day|week|month)")


def _limit(name: str, old: str | None, new: str | None, form: re.Pattern[str]) -> Iterator[Said]:
    if old == new:
        return
    if new is None:
        yield "weaker", f"loses its {name}; before: {old}"
    elif old is None:
        yield "stronger", f"gains a {name}: {new}"
    else:
        one, other = _amount(form.match(old)), _amount(form.match(new))
        if one is not None and other is not None and one != other:
            looser = other[0] > one[0] or (other[0] == one[0] and other[1] > one[1])
            way: Way = "weaker" if looser else "stronger"
            yield way, f"its {name} lets {'more' if looser else 'less'} through; {old} → {new}"


def _amount(found: re.Match[str] | None) -> tuple[float, int] | None:
    """Requests a second, and the burst."""
    if found is None:
        return None
    period = found["period"]
    seconds = _SECONDS.get(period) or int(period.removesuffix("s"))
    return int(found["count"].replace(",", "")) / seconds, int(found.groupdict().get("burst") or 0)


_CREDENTIALS = " with credentials"


def _cors(old: str | None, new: str | None) -> Iterator[Said]:
    """Which other sites may read its answers from a browser."""
    if old == new:
        return
    before, after = _origins(old), _origins(new)
    more = {origin for origin in after - before if "*" not in before or origin.endswith(_CREDENTIALS)}
    if more:
        text = f"lets pages of {', '.join(sorted(more))} read its answers"
        yield "weaker", f"{text}; {old or 'no CORS'} → {new}"
    elif before - after:
        yield "stronger", f"lets fewer pages read its answers; {old} → {new or 'no CORS'}"


def _origins(text: str | None) -> set[str]:
    if text is None:
        return set()
    found = set(text.removesuffix(_CREDENTIALS).split(", "))
    return {f"{origin}{_CREDENTIALS}" for origin in found} | found if text.endswith(_CREDENTIALS) else found
