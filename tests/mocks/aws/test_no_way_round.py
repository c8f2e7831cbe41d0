"""Hostile spellings of protected paths, under every pair of readings that two hops could have: none goes round a check."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from itertools import islice
from typing import Literal

import pytest

from aws_graph import AS_IT_STANDS, LITERAL, NORMALISERS, READS, Graph, Outcome, Reading, Reads, Request
from edgewright.aws.compile import Topology
from edgewright.edge.decide import Decision, Oracle
from edgewright.edge.decide import Request as Asked
from edgewright.edge.model import Forward, Route
from edgewright.edge.paths import fill, match_path
from edgewright.spec.problems import SpecError
from mocks.aws.specs import ANYBODY, Caller, Planned, addresses_of, callers_of, planned, somebody

WAYS: list[tuple[str, Topology, str]] = [
    ("shop", "balancer-first", ""),
    ("paths", "balancer-first", ""),
    ("matched", "balancer-first", ""),
    ("keys", "balancer-first", ""),
    ("shop", "gateway-first", ""),
    ("apart", "gateway-first", "http"),
    ("paths", "gateway-first", ""),
    ("keys", "gateway-first", ""),
    ("shop", "balancer-only", ""),
    ("paths", "balancer-only", ""),
    ("matched", "balancer-only", ""),
]

SERVICE_READINGS = {name: read for name, read in NORMALISERS.items() if name != "case"}
"""How a service may read a path. Not without regard to case: the oracle has regard to it, so `/ADMIN` is another path."""

CASED = tuple(one for one in READS if not one.name.startswith("case"))
"""How hops may read a path where one service has public and protected paths.

AWS compares paths with regard to case. A hop that did not would open `/ADMIN` beside a public `/*` of the same service, as
a service that does not would behind any gateway; so such hops are tried with the shop only, where no service has both.
"""

UNPRINTABLE = (" ", "\t", "\x00", "\x7f", "\u00a0", "\u00e1", "\uff0e", "\uff0f", "\u2024")

UP = (
    "/..", "/%2e%2e", "/.%2e", "/%2E.", "/%252e%252e", "/%c0%ae%c0%ae", "/..;", "/..;x=1", "/..%00", "/..%20",
    "%2f..", "%2F..", "%2f%2e%2e", "%252f..", "%255c..", "%c0%af..", "\\..", "%5c..", "%5C%2e%2e", "//..", "/./..",
    "/;/..", ";/..", ";x/..", "%3b/..", "/%0a/..", "/%09..", "%0a%5c..", "/..%0a", "/%u002e%u002e",
    "%ef%bc%8f..", "%00/..", "%3f/..", "%23/..", "%/..", "/..%",
)  # fmt: skip
"""Steps up, by which a path leaves where it seems to be."""


@dataclass(slots=True)
class Tried:
    """What came of many requests."""

    wrong: dict[str, list[str]] = field(default_factory=dict[str, list[str]])
    paths: set[str] = field(default_factory=set[str])
    outcomes: int = 0
    served: int = 0


PAIRS = ("as it stands", "first", "second", "both")
"""Which of two hops read a path in another way than as it stands."""


@pytest.mark.parametrize("pair", PAIRS)
@pytest.mark.parametrize(("name", "topology", "gateway"), WAYS)
def test_no_spelling_goes_round_a_check(name: str, topology: Topology, gateway: str, pair: str) -> None:
    """Whoever sends whatever path, and however two hops read it:

    - a hop refuses the request or answers it itself, or
    - it ends at a service with a path such that, for each way in which the service may read that path, either no route
      leads to this service with it, or one does for which the caller has shown all that it asks for; and
    - the service is one that a route names which is open to the caller, for the path as one of the hops read it.
    """
    found = tried(name, topology, gateway, "full")
    wrong = found.wrong.get(pair, [])
    assert wrong == [], f"{len(wrong)} requests, such as\n" + "\n".join(wrong[:: max(1, len(wrong) // 6)])
    assert len(found.paths) > 60
    assert found.served > 0, "everything was refused: then this shows nothing"


@pytest.mark.parametrize(("name", "topology", "gateway"), [way for way in WAYS if way[0] in ("paths", "apart")])
def test_nor_where_expressions_are_searched_for(name: str, topology: Topology, gateway: str) -> None:
    """As above, where a balancer looks for its expressions anywhere in a path, and each hop takes it as it stands."""
    found = tried(name, topology, gateway, "search")
    wrong = [text for texts in found.wrong.values() for text in texts]
    assert wrong == [], f"{len(wrong)} requests, such as\n" + "\n".join(wrong[:: max(1, len(wrong) // 6)])


@pytest.mark.parametrize(("name", "topology", "gateway"), [way for way in WAYS if way[1] != "gateway-first"])
def test_the_guard_of_the_public_balancer_holds_without_its_web_acl(
    name: str, topology: Topology, gateway: str
) -> None:
    """As above, where the first hop takes paths as they stand, which is all that its own rules can see."""
    it = planned(name, topology, gateway=gateway)
    bare = replace(it, graph=Graph(item for item in it.resources if "webAclAssociation" not in item.type))
    rules, found = law(name, topology, gateway), Tried()
    for route, path in protected(it):
        method = "GET" if route.methods is None else route.methods[0]
        for spelling in islice(spellings(it, path), 0, None, 2):
            attempt(bare, rules, ANYBODY, sent(it, ANYBODY, method, spelling, {}), AS_IT_STANDS, found, (LITERAL,))
    assert found.wrong == {}


def test_an_http_api_is_not_put_before_a_service_with_public_and_protected_paths() -> None:
    """Nothing before it refuses a path, and it decodes what it sends on: `/%61dmin` would be `/admin` to the service."""
    with pytest.raises(SpecError, match="ask for less"):
        planned("paths", "gateway-first", gateway="http")


@pytest.mark.parametrize(("name", "topology", "gateway"), WAYS)
def test_there_are_at_least_sixty_spellings_of_each_protected_path(name: str, topology: Topology, gateway: str) -> None:
    it = planned(name, topology, gateway=gateway)
    for route, path in protected(it):
        assert len(set(spellings(it, path))) >= 60, route.key


@pytest.mark.parametrize(("name", "topology", "gateway"), WAYS)
def test_a_path_with_characters_that_none_may_have_is_refused(name: str, topology: Topology, gateway: str) -> None:
    """As the oracle does: blanks, control characters and what is not ASCII, unescaped."""
    it = planned(name, topology, gateway=gateway)
    let_in: set[str] = set()
    for route, path in protected(it):
        method = "GET" if route.methods is None else route.methods[0]
        for spelling in (
            text for char in UNPRINTABLE for text in (path + char, f"/{char}{path}", path.replace("/", char + "/", 1))
        ):
            found = it.graph.send(sent(it, ANYBODY, method, spelling, {}))
            let_in |= {spelling} if found.status is None else set()
    assert {ascii(path) for path in let_in} == set()


@pytest.mark.parametrize(("name", "topology", "gateway"), WAYS)
def test_a_preflight_that_is_none_goes_round_nothing(name: str, topology: Topology, gateway: str) -> None:
    """As above, for OPTIONS with the headers of a preflight."""
    it = planned(name, topology, gateway=gateway)
    headers = {"origin": "https://evil.example", "access-control-request-method": "GET"}
    rules, found = law(name, topology, gateway), Tried()
    for _, path in protected(it):
        for spelling in (path, *islice(spellings(it, path), 0, None, 5)):
            attempt(it, rules, ANYBODY, sent(it, ANYBODY, "OPTIONS", spelling, headers), AS_IT_STANDS, found)
    assert found.wrong == {}


@pytest.mark.parametrize(("name", "topology", "gateway"), [way for way in WAYS if way[1] != "gateway-first"])
def test_a_request_that_says_websocket_goes_round_nothing(name: str, topology: Topology, gateway: str) -> None:
    """As above, for requests that ask for a WebSocket, which pass the API by."""
    it = planned(name, topology, gateway=gateway)
    rules, found = law(name, topology, gateway), Tried()
    for _, path in protected(it):
        for spelling in (path, *islice(spellings(it, path), 0, None, 5)):
            request = sent(it, ANYBODY, "GET", spelling, {"upgrade": "websocket"})
            attempt(it, rules, ANYBODY, request, AS_IT_STANDS, found)
    assert found.wrong == {}


# -- requests ----------------------------------------------------------------------------------------------------------


@cache
def tried(name: str, topology: Topology, gateway: str, regex: Literal["full", "search"]) -> Tried:
    """Every spelling of every protected path, alone and from each public one, by those who may not."""
    it = planned(name, topology, gateway=gateway)
    rules, found, reading = law(name, topology, gateway), Tried(), Reading(regex=regex)
    for route, path in protected(it):
        method = "GET" if route.methods is None else route.methods[0]
        headers = {item.name: item.value for item in route.headers}
        written = (path, *spellings(it, path))
        for caller in strangers(it, route):
            for spelling in written:
                attempt(it, rules, caller, sent(it, caller, method, spelling, headers), reading, found)
        for index, (start, start_headers) in enumerate(public(it)):
            for up in UP[index % 8 :: 1 if index == 0 else 8]:
                request = sent(it, ANYBODY, method, climb(start, up, path), start_headers)
                attempt(it, rules, ANYBODY, request, reading, found)
    return found


def attempt(
    it: Planned,
    rules: "Law",
    caller: Caller,
    request: Request,
    reading: Reading,
    found: Tried,
    first_reads: tuple[Reads, ...] = (),
) -> None:
    """Send one request under every pair of readings (where expressions are searched for: as it stands), and keep what
    is wrong. first_reads: those of the first hop, all if there are none."""
    found.paths.add(request.target)
    reads = (LITERAL,) if reading.regex == "search" else READS if it.edge.name == "shop" else CASED
    for first, other, outcome in it.graph.outcomes(request, first_reads or reads, reads, reading):
        second = other or LITERAL
        found.outcomes += 1
        found.served += outcome.status is None
        unlike = rules.broken(caller, request, outcome, first, second)
        if unlike:
            pair = PAIRS[(first is not LITERAL) + 2 * (second is not LITERAL)]
            words = f"{request.method} {request.target[:200]!a} by {caller.name} [{first.name} | {second.name}]"
            found.wrong.setdefault(pair, []).append(f"{words}: {unlike}; {outcome.hops}")


def sent(it: Planned, caller: Caller, method: str, path: str, headers: Mapping[str, str]) -> Request:
    """A request of a caller."""
    return Request(method, path, it.host, {**headers, **caller.headers}, caller.token)


def protected(it: Planned) -> list[tuple[Route, str]]:
    """Protected routes, with a path that leads to each."""
    return [(route, path) for route in it.edge.routes if route.auth is not None for path in paths_of(route)]


def public(it: Planned) -> list[tuple[str, dict[str, str]]]:
    """Paths of public routes, with the headers that they ask for."""
    return [
        (path, {item.name: item.value + ("1" if item.kind == "prefix" else "") for item in route.headers})
        for route in it.edge.routes
        if route.auth is None
        for path in islice(paths_of(route), 1)
    ]


def paths_of(route: Route) -> Iterator[str]:
    path = "".join("/a7" if item.variable else f"/{item.text}" for item in route.path.segments)
    yield path + "/x1" if route.path.rest else path or "/"
    if route.path.rest and path:
        yield path


def strangers(it: Planned, route: Route) -> list[Caller]:
    """Anybody, and somebody who may do other things."""
    others = [caller for caller in callers_of(it.edge) if caller is not ANYBODY and not may(caller, route)]
    return [ANYBODY, *others[:1]]


def may(caller: Caller, route: Route) -> bool:
    """Whether a caller can show all that a route asks for; these specs ask for no claims."""
    auth = route.auth
    return auth is None or any(
        name in auth.authorizers and set(auth.scopes) <= identity.scopes for name, identity in caller.identities.items()
    )


def climb(start: str, up: str, path: str) -> str:
    """From a public path up and over to a protected one."""
    return start.rstrip("/") + up * max(1, start.rstrip("/").count("/")) + path


def spellings(it: Planned, path: str) -> Iterator[str]:
    """Other ways to write a path, and prefixes that only the balancer may give."""
    first, _, rest = path[1:].partition("/")
    for end in (
        "/", "//", "/.", "/..", "/x/..", ".", "..", "%20", "%2e", ";", ";x", ";x=1/", "%3b", "%00", "%00.png",
        "?", "%3f", "%3fx=1", "%23", "%23x", "#x", "%", "%2", "%zz", "%25", "%09", "%0a", "%0d%0a", "%2f", "%5c",
        "\\", "%c0%af", "/%2e", "%252f", "%ef%bc%8f", "*", "/" + "a" * 4000,
    ):  # fmt: skip
        yield path + end
    for start in ("/", "/.", "/./", "/;", "/;/", "\\", "/\\", "/%5c", "/%2f", "/%2e", "/%252f", "/%00", "/%20", "/x/..",
                  "/x/../..", "/..", "/%c0%af", "/x/%2e%2e", "/x/..;", "/x%2f..", "/%0a/.."):  # fmt: skip
        yield start + path
    for slash in ("%2f", "%2F", "%252f", "\\", "%5c", "//", "/./", "/;/", "/x/../", "%c0%af", "%25%32%66"):
        for at in [index for index, char in enumerate(path) if char == "/" and index]:
            yield path[:at] + slash + path[at + 1 :]
    yield path.upper()
    yield path.swapcase().title()
    yield f"/{first.capitalize()}/{rest}"
    yield "/" + "".join(f"%{ord(char):02x}" for char in path[1:])
    for at in [index for index, char in enumerate(path) if char.isalnum()][:3]:
        yield f"{path[:at]}%{ord(path[at]):02X}{path[at + 1 :]}"
        yield f"{path[:at]}%25{ord(path[at]):02x}{path[at + 1 :]}"
        yield f"{path[:at]}%u00{ord(path[at]):02x}{path[at + 1 :]}"
    yield f"/{first};x/{rest}"
    yield f"/{first}./{rest}"
    yield f"/{first}%20/{rest}"
    yield f"/{first}%00/{rest}"
    for index, prefix in enumerate(prefixes(it)):
        yield f"/{prefix}{path}"
        yield f"/x/../../{prefix}{path}"
        if index < 2:
            yield f"/live/{prefix}{path}"
            yield f"/%65dge{prefix[4:]}{path}"
            yield f"/{prefix.capitalize()}{path}"
            yield f"//{prefix}{path}"
            yield f"/.%2f{prefix}{path}"


def prefixes(it: Planned) -> tuple[str, ...]:
    """First segments of paths of the API behind a balancer."""
    paths = it.artifact.rest.body["paths"] if it.artifact.rest else ()
    found = dict.fromkeys(path[1:].partition("/")[0] for path in paths if path.startswith("/edge."))
    return tuple(found) or ("edge.public", "edge.main")


# -- what may be -------------------------------------------------------------------------------------------------------

Headers = tuple[tuple[str, str], ...]


class Law:
    """What the oracle says of a spec; answers are kept, since very many requests come down to few questions."""

    def __init__(self, it: Planned) -> None:
        self._it = it
        self._oracle = Oracle(it.edge)
        self._all_good = somebody(it.edge)
        self._names = {address: name for name, address in addresses_of(it.edge).items()}
        self._backends: dict[tuple[Caller, str, str, Headers], frozenset[str]] = {}
        self._leads: dict[tuple[str, Caller, str, str, Headers], str] = {}
        self._misread: dict[tuple[str, Caller, str, str, Headers], str] = {}

    def broken(self, caller: Caller, request: Request, outcome: Outcome, first: Reads, second: Reads) -> str:
        """In what an outcome breaks the property; empty if it does not."""
        if outcome.status is not None:
            return ""
        reached = {self._names[address] for address, _ in outcome.targets}
        path, headers = outcome.path.partition("?")[0], tuple(sorted(request.headers.items()))
        for name in reached:
            misread = self._read(name, caller, request.method, path, headers)
            if misread:
                return misread
        sent = first.sent(request.target)
        seen = {request.target, first.matched(request.target), second.matched(request.target), sent}
        seen |= {second.matched(sent), second.sent(sent)}
        if not any(reached <= self._open(caller, request.method, one, headers) for one in seen):
            return f"{sorted(reached)} get {path[:200]!a}, where no hop has read what leads there"
        return ""

    def _open(self, caller: Caller, method: str, path: str, headers: Headers) -> frozenset[str]:
        """Where a path leads this caller: as the oracle reads it, or compared with the routes as it stands."""
        key = (caller, method, path, headers)
        if key not in self._backends:
            found = {name for said in self._decide(*key) for name, _ in said.targets}
            route = next((one for one in self._it.edge.routes if _leads_to(one, method, path, dict(headers))), None)
            if route is not None and isinstance(route.action, Forward) and may(caller, route):
                found |= {name for name, _ in route.action.targets}
            self._backends[key] = frozenset(found)
        return self._backends[key]

    def _read(self, backend: str, caller: Caller, method: str, path: str, headers: Headers) -> str:
        """How a service may read the path of a request that this caller may not make; empty if it may not."""
        key = (backend, caller, method, path, headers)
        if key not in self._misread:
            texts = {read(path): reading for reading, read in reversed(SERVICE_READINGS.items())}
            bad = [text for text in texts if self._lead(backend, caller, method, text, headers) == "refused"]
            found = (
                f"{backend} gets {path[:200]!a}, which it may read as {bad[0][:200]!a} ({texts[bad[0]]})" if bad else ""
            )
            self._misread[key] = found
        return self._misread[key]

    def _lead(self, backend: str, caller: Caller, method: str, path: str, headers: Headers) -> str:
        """``nobody``: no route leads to the backend with this path; ``refused``: some do, none for the caller; ``free``."""
        key = (backend, caller, method, path, headers)
        if key not in self._leads:
            self._leads[key] = self._find(*key)
        return self._leads[key]

    def _find(self, backend: str, caller: Caller, method: str, path: str, headers: Headers) -> str:
        result = "nobody"
        for front in {front for route in self._it.edge.routes for front in _fronts(route, path)}:
            for said in self._decide(self._all_good, method, front, headers):
                if backend in dict(said.targets) and said.path == path:
                    if any(one.status is None for one in self._decide(caller, method, front, headers)):
                        return "free"
                    result = "refused"
        return result

    def _decide(self, caller: Caller, method: str, path: str, headers: Headers) -> list[Decision]:
        """One decision; two where a request says WebSocket, which AWS sends to other routes too."""
        request = Asked(method, path, host=self._it.host, headers=dict(headers), identities=caller.identities)
        kinds = (False, True) if ("upgrade", "websocket") in headers else (False,)
        return [self._oracle.decide(replace(request, websocket=kind)) for kind in kinds]


@cache
def law(name: str, topology: Topology, gateway: str) -> Law:
    """The law of a spec."""
    return Law(planned(name, topology, gateway=gateway))


def _leads_to(route: Route, method: str, path: str, headers: Mapping[str, str]) -> bool:
    """Whether a route is for a path as it stands."""
    return (
        path.startswith("/")
        and match_path(route.path, path) is not None
        and (route.methods is None or method in route.methods)
        and route.websocket <= (headers.get("upgrade") == "websocket")
        and all(headers.get(item.name, "").startswith(item.value) for item in route.headers)
        and not route.query
    )


def _fronts(route: Route, path: str) -> list[str]:
    """Paths of the edge that a route makes this path of."""
    rewrite = route.rewrite
    if rewrite is None or (rewrite.prefix is None and rewrite.path is None):
        return [path]
    if rewrite.path is not None:
        found = match_path(rewrite.path, path)
        given = dict.fromkeys(route.path.variables, "a7") | {"*": ""}
        return [] if found is None else [fill(route.path, {**given, **found})]
    prefix = (rewrite.prefix or "").rstrip("/")
    own = "".join("/a7" if item.variable else f"/{item.text}" for item in route.path.segments)
    if path == (prefix or "/"):
        return [own or "/", own + path]
    return [own + path[len(prefix) :]] if path.startswith(prefix + "/") else []
