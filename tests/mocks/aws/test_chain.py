"""Every route of every spec, followed through the planned resources of each topology and compared with the oracle."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import product
from typing import Any

import pytest

from aws_graph import AS_IT_STANDS, Outcome, Reading, Request
from edgewright.aws.compile import Topology
from edgewright.edge.decide import Decision, Oracle
from edgewright.edge.decide import Request as Asked
from edgewright.edge.model import METHODS, Route
from mocks.aws.specs import (
    ANYBODY,
    CASES,
    ENDPOINT_ADDRESSES,
    Caller,
    Planned,
    addresses_of,
    callers_of,
    planned,
    somebody,
)

FIRST = [case for case in CASES if case[1] == "balancer-first"]
GATEWAY = [case for case in CASES if case[1] == "gateway-first"]
OTHERWISE = [
    *[(name, topology, domain, "") for name, topology in FIRST[:3] for domain in ("regional", "rewrite")],
    ("apart", "gateway-first", "private", "rest"),
]
"""Bindings that change the way of a request: how the API is known, and which kind it is."""


def test_both_kinds_of_api_are_followed() -> None:
    kinds = {name: planned(name, topology).artifact.http is not None for name, topology in GATEWAY}
    assert kinds == {"shop": False, "paths": False, "cached": False, "keys": False, "apart": True}


# -- where routes lead -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "topology"), CASES)
def test_every_route_leads_where_the_oracle_says(name: str, topology: Topology) -> None:
    it = planned(name, topology)
    assert differences(it, callers_of(it.edge)) == []


@pytest.mark.parametrize(("name", "topology", "domain", "gateway"), OTHERWISE)
def test_other_bindings_lead_there_too(name: str, topology: Topology, domain: str, gateway: str) -> None:
    it = planned(name, topology, domain, gateway)
    assert differences(it, (ANYBODY, somebody(it.edge))) == []


@pytest.mark.parametrize(("name", "topology"), CASES)
def test_expressions_may_be_searched_for_or_matched_as_a_whole(name: str, topology: Topology) -> None:
    it = planned(name, topology)
    assert differences(it, (ANYBODY, somebody(it.edge)), Reading(regex="search")) == []


@pytest.mark.parametrize(("name", "topology"), CASES)
def test_a_query_changes_no_rewrite_if_a_balancer_rewrites_it_with_the_path(name: str, topology: Topology) -> None:
    """AWS: a url-rewrite may change "path or query string"; whether its expression sees the query is left open."""
    it = planned(name, topology)
    assert differences(it, (ANYBODY, somebody(it.edge)), Reading(rewrites="url"), query="page=2&back=/a/b?c") == []


@pytest.mark.parametrize(("name", "topology"), CASES)
def test_each_protected_route_is_refused_without_what_it_asks_for(name: str, topology: Topology) -> None:
    it = planned(name, topology)
    everybody = callers_of(it.edge)
    seen = 0
    oracle = Oracle(it.edge)
    for (method, target, headers), caller in product(requests(it), everybody):
        if oracle.decide(asked(it, caller, method, target, headers)).status in (401, 403):
            found = it.graph.send(sent(it, caller, method, target, headers))
            seen += 1
            assert found.status in (401, 403), (method, target, caller.name, found.hops)
            assert found.targets == ()
    assert seen > len(everybody)


@pytest.mark.parametrize(("name", "topology"), CASES)
def test_what_was_asked_for_at_a_hop_stands_in_the_outcome(name: str, topology: Topology) -> None:
    it = planned(name, topology)
    all_good = somebody(it.edge)
    oracle = Oracle(it.edge)
    for method, target, headers in requests(it):
        said = oracle.decide(asked(it, all_good, method, target, headers))
        found = it.graph.send(sent(it, all_good, method, target, headers))
        chosen = next(item for item in it.edge.routes if item.key == said.route)
        assert bool(found.checked) == (chosen.auth is not None), (method, target, found.hops)


@pytest.mark.parametrize(("name", "topology"), CASES)
def test_a_method_that_no_route_has_is_not_found(name: str, topology: Topology) -> None:
    it = planned(name, topology)
    all_good = somebody(it.edge)
    seen = 0
    for route, method in product(it.edge.routes, METHODS):
        if method == "OPTIONS" and route.cors is not None:
            continue  # a REST API answers it as a preflight, whatever its headers
        target = next(iter(requests_of(route)))[1]
        if Oracle(it.edge).decide(asked(it, all_good, method, target, {})).reason == "no-route":
            seen += 1
            assert it.graph.send(sent(it, all_good, method, target, {})).status == 404, (method, target)
    assert seen or any(str(route.path) == "/*" for route in it.edge.routes)


@pytest.mark.parametrize(("name", "topology"), [case for case in CASES if case[0] == "shop"])
def test_a_preflight_is_answered_before_the_services(name: str, topology: Topology) -> None:
    it = planned(name, topology)
    headers = {"origin": "https://www.shop.example", "access-control-request-method": "POST"}
    found = it.graph.send(sent(it, somebody(it.edge), "OPTIONS", "/orders/1", headers))
    assert found.status in (200, 204)


@pytest.mark.parametrize(("name", "topology"), CASES)
def test_another_host_leads_nowhere(name: str, topology: Topology) -> None:
    it = planned(name, topology)
    caller = somebody(it.edge)
    for method, target, headers in requests(it):
        request = sent(it, caller, method, target, headers)
        for host in ("api.other.example", "", f"{it.host}.other.example", f"x{it.host}"):
            found = it.graph.send(replace(request, host=host))
            assert found.targets == (), (method, target, host)


@pytest.mark.parametrize(("name", "topology"), [case for case in CASES if case[1] != "balancer-only"])
def test_a_client_cannot_name_the_service(name: str, topology: Topology) -> None:
    it = planned(name, topology)
    caller = somebody(it.edge)
    for method, target, headers in requests(it):
        plain = it.graph.send(sent(it, caller, method, target, headers))
        for backend in it.edge.backends:
            found = it.graph.send(sent(it, caller, method, target, {**headers, "x-edgewright-backend": backend}))
            assert (found.status, found.targets, found.path) == (plain.status, plain.targets, plain.path)


def test_plain_http_is_sent_to_https() -> None:
    for topology in ("balancer-first", "balancer-only"):
        it = planned("shop", topology)
        found = it.graph.send(Request("GET", "/orders/1", it.host, port=80))
        assert (found.status, found.targets) == (301, ())


# -- doors -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "topology"), CASES)
def test_from_the_internet_there_is_one_way_in(name: str, topology: Topology) -> None:
    it = planned(name, topology)
    caller = somebody(it.edge)
    targets = {address for group in groups(it) for address, _ in it.graph.targets(group)}
    inner = [short for short, internal in it.graph.balancers.items() if internal]
    assert len(it.graph.balancers) - len(inner) == (0 if topology == "gateway-first" else 1)
    for port in (80, 443, 8080):
        for door in [*inner, *sorted(targets), *it.graph.endpoint_addresses]:
            request = Request("GET", "/orders/1", it.host, caller.headers, caller.token, port=port)
            found = it.graph.send(request, at=door)
            assert (found.status, found.targets) == (0, ()), (door, port, found.hops)


@pytest.mark.parametrize("domain", ["private", "regional", "rewrite"])
@pytest.mark.parametrize(("name", "topology"), FIRST[:3])
def test_a_private_api_answers_nobody_from_the_internet(name: str, topology: Topology, domain: str) -> None:
    it = planned(name, topology, domain)
    caller = somebody(it.edge)
    own = own_name(it)
    for host, path in ((it.host, "/edge.public/news"), (own, "/live/edge.public/news"), (own, "/live/news")):
        request = Request("GET", path, host, caller.headers, caller.token)
        found = it.graph.send(request, at="front")
        assert found.status in (0, 403), found.hops
        assert found.targets == ()


@pytest.mark.parametrize(("name", "topology"), GATEWAY)
def test_the_name_that_aws_gives_an_api_is_shut_where_it_has_its_own(name: str, topology: Topology) -> None:
    it = planned(name, topology)
    caller = somebody(it.edge)
    found = it.graph.send(Request("GET", "/live/me", own_name(it), caller.headers, caller.token))
    assert (found.status, found.targets) == (0, ())


@pytest.mark.parametrize(("name", "topology"), FIRST)
def test_the_public_balancer_cannot_go_past_the_api(name: str, topology: Topology) -> None:
    it = planned(name, topology)
    public = next(short for short, internal in it.graph.balancers.items() if not internal)
    inner = next(short for short, internal in it.graph.balancers.items() if internal)
    found = it.graph.send(Request("GET", "/", it.host, client=public), at=inner)
    assert found.status == 0
    assert "no way" in found.hops[-1][1]


@pytest.mark.parametrize(("name", "topology"), FIRST)
def test_the_endpoint_lets_in_the_public_balancer_only(name: str, topology: Topology) -> None:
    it = planned(name, topology)
    groups_ = [item for item in it.resources if item.type == "aws:ec2/securityGroup:SecurityGroup"]
    endpoint = next(item for item in it.resources if item.type == "aws:ec2/vpcEndpoint:VpcEndpoint")
    for item in it.graph.wire.items.values():
        if item.kind not in ("lb.LoadBalancer", "apigatewayv2.VpcLink"):
            continue
        request = Request("GET", "/edge.public/", it.host, client=item.short)
        found = it.graph.send(request, at=ENDPOINT_ADDRESSES[0])
        public = it.graph.balancers.get(item.short) is False
        assert (found.status == 0) is not public, (item.short, found.hops)
    assert len(groups_) >= 4
    assert len(endpoint.inputs["securityGroupIds"]) == 1


@pytest.mark.parametrize(("name", "topology"), FIRST)
def test_the_apis_target_group_holds_the_endpoints_addresses(name: str, topology: Topology) -> None:
    it = planned(name, topology)
    holding = [group for group in groups(it) if {one for one, _ in it.graph.targets(group)} & set(ENDPOINT_ADDRESSES)]
    assert len(holding) == 1
    assert it.graph.targets(holding[0]) == tuple((address, 443) for address in ENDPOINT_ADDRESSES)
    check: dict[str, Any] = it.graph.wire.items[holding[0]].get("healthCheck")
    assert it.graph.wire.items[holding[0]].get("protocol") == check["protocol"] == "HTTPS"
    assert "403" in re.split(",|-", check["matcher"])


@pytest.mark.parametrize(("name", "topology"), CASES)
def test_every_https_hop_has_a_certificate(name: str, topology: Topology) -> None:
    it = planned(name, topology)
    listeners = it.graph.wire.of("lb.Listener")
    assert listeners
    for item in listeners:
        plain = item.get("protocol") == "HTTP"
        only_redirects = [action["type"] for action in item.get("defaultActions")] == ["redirect"]
        assert (plain and only_redirects) or item.get("certificateArn"), item.short
    for item in it.graph.wire.of("apigateway.DomainName", "apigatewayv2.DomainName"):
        found = {**item.inputs, **item.get("domainNameConfiguration", {})}
        assert found.get("certificateArn") or found.get("regionalCertificateArn"), item.short


# -- helpers -----------------------------------------------------------------------------------------------------------


def differences(
    it: Planned, callers: Sequence[Caller], reading: Reading = AS_IT_STANDS, query: str = "page=2"
) -> list[str]:
    """Where the graph and the oracle part, for every request of every caller."""
    oracle, found = Oracle(it.edge), list[str]()
    for (method, target, headers), caller in product(requests(it, query), callers):
        said = oracle.decide(asked(it, caller, method, target, headers))
        unlike = difference(it, said, it.graph.send(sent(it, caller, method, target, headers), reading))
        found += [f"{method} {target} {headers} by {caller.name}: {unlike}"] if unlike else []
    return found


def requests(it: Planned, query: str = "") -> list[tuple[str, str, dict[str, str]]]:
    """Those of all routes, each once, with a query."""
    found = {
        (method, target, tuple(headers.items())): (method, target, headers)
        for route in it.edge.routes
        for method, target, headers in requests_of(route, query)
    }
    return list(found.values())


def groups(it: Planned) -> list[str]:
    return [item.short for item in it.graph.wire.of("lb.TargetGroup")]


def own_name(it: Planned) -> str:
    return f"${{{it.graph.apis[0]}.id}}.execute-api.eu-west-1.amazonaws.com"


def requests_of(route: Route, query: str = "") -> Iterator[tuple[str, str, dict[str, str]]]:
    """Methods, targets and headers that a route was written for, and some that a more specific route may take."""
    headers = {item.name: item.value + ("1" if item.kind == "prefix" else "") for item in route.headers}
    headers |= {"upgrade": "websocket"} if route.websocket else {}
    query = "&".join(filter(None, [query, *(f"{item.name}={item.value}" for item in route.query)]))
    for word, rest in (("a7", ("", "/x", "/x/y/z")), ("me", ("/mail", "/photo")), ("open", ("/secret", "/help"))):
        path = "".join(f"/{word}" if item.variable else f"/{item.text}" for item in route.path.segments)
        for tail in rest if route.path.rest else ("",):
            target = (path + tail or "/") + (f"?{query}" if query else "")
            for method in ("GET", "POST", "DELETE") if route.methods is None else route.methods:
                yield method, target, headers


def asked(it: Planned, caller: Caller, method: str, target: str, headers: dict[str, str]) -> Asked:
    """The request as the oracle takes it."""
    return Asked(
        method,
        target,
        host=it.host,
        headers={**headers, **caller.headers},
        identities=caller.identities,
        websocket=headers.get("upgrade") == "websocket",
    )


def sent(it: Planned, caller: Caller, method: str, target: str, headers: dict[str, str]) -> Request:
    """The request as the graph takes it."""
    return Request(method, target, it.host, {**headers, **caller.headers}, caller.token)


def difference(it: Planned, said: Decision, found: Outcome) -> str:
    """In what an outcome is not what the oracle says; empty if it is."""
    if said.status is None:
        names = {address: name for name, address in addresses_of(it.edge).items()}
        leads = {(names[address], weight) for group, weight in found.groups for address, _ in it.graph.targets(group)}
        weighed = set(said.targets) if len(said.targets) > 1 else {(name, 0) for name, _ in said.targets}
        leads = leads if len(said.targets) > 1 else {(name, 0) for name, _ in leads}
        if (leads, found.path, found.host) == (weighed, said.path, said.host):
            return ""
        return f"{sorted(leads)} {found.path} at {found.host}, not {sorted(weighed)} {said.path} at {said.host}: {found.hops}"
    if said.status in (401, 403):  # a balancer says 401 to a token without the scope, an API 403 to a missing key
        return "" if found.status in (401, 403) else f"{found.status}, not {said.status}: {found.hops}"
    if said.reason == "redirect" and found.location.replace(":443/", "/") != said.location:
        return f"to {found.location}, not {said.location}"
    return "" if found.status == said.status else f"{found.status}, not {said.status}: {found.hops}"
