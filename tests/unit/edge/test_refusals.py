"""Everything that resolving refuses, each with its place and what to write instead."""

from typing import Any

import pytest

from edgewright.edge.resolve import resolve
from edgewright.spec.document import Document
from edgewright.spec.problems import Sources, SpecError
from unit.edge.specs import SHOP, only_problem, problems, spec

JWT = {"jwt": {"issuer": "https://a.example", "audiences": ["x"]}}


def route(**fields: Any) -> dict[str, Any]:
    return {"routes": {"GET /a": {"backend": "orders", **fields}}}


def any_route(**fields: Any) -> dict[str, Any]:
    return {"routes": {"ANY /a/*": {"backend": "orders", **fields}}}


REFUSED: list[tuple[str, dict[str, Any], str, str, str]] = [
    # code, change, place, what, remedy
    (
        "unknown-backend",
        {"routes": {"GET /a": "ordres"}},
        "routes.GET /a.backend",
        "no backend `ordres`",
        "did you mean `orders`?",
    ),
    (
        "unknown-authorizer",
        route(auth="mian"),
        "routes.GET /a.auth.authorizer",
        "no authorizer `mian`",
        "did you mean `main`?",
    ),
    (
        "unknown-listener",
        route(listener="publik"),
        "routes.GET /a.listener",
        "no listener `publik`",
        "known: `default`",
    ),
    ("auth-missing", {**route(), "defaults": {}}, "routes.GET /a", "neither has nor inherits `auth`", "`auth: none`"),
    (
        "auth-authorizer",
        {**route(auth={"scopes": ["a"]}), "defaults": {}},
        "routes.GET /a.auth",
        "names no authorizer",
        "authorizer: NAME",
    ),
    (
        "auth-scopes",
        route(auth={"authorizer": "partner", "scopes": ["a"]}),
        "routes.GET /a.auth.scopes",
        "knows no scopes",
        "jwt",
    ),
    (
        "weights",
        {"routes": {"GET /a": {"backend": {"orders": 90, "orders-next": 5}}}},
        "routes.GET /a.backend",
        "add up to 95 (90 + 5)",
        "100",
    ),
    ("cache-share", route(cache={"ttl": "5s"}), "routes.GET /a.cache", "does not say who may see", "share: per_user"),
    (
        "cache-share",
        route(auth="none", cache={"ttl": "5s", "share": "per_user"}),
        "routes.GET /a.cache.share",
        "knows no users",
        "auth",
    ),
    (
        "cache-method",
        {"routes": {"POST /a": {"backend": "orders", "auth": "none", "cache": {"ttl": "5s"}}}},
        "routes.POST /a.cache",
        "are not kept",
        "GET",
    ),
    ("cache-ttl", route(auth="none", cache={"ttl": "500ms"}), "routes.GET /a.cache.ttl", "less than a second", "1s"),
    (
        "cache-vary",
        route(auth="none", cache={"ttl": "5s", "vary_by": {"query": ["*", "a"]}}),
        "routes.GET /a.cache.vary_by.query",
        "every parameter",
        "*",
    ),
    (
        "cache-vary",
        route(auth="none", cache={"ttl": "5s", "vary_by": {"headers": ["authorization"]}}),
        "routes.GET /a.cache.vary_by.headers",
        "secret",
        "per_user",
    ),
    (
        "cors-credentials",
        route(cors={"allow_origins": "*", "allow_credentials": True}),
        "routes.GET /a.cors.allow_origins",
        "every site act as the user",
        "name the origins",
    ),
    (
        "cors-credentials",
        {**route(), "defaults": {"auth": "main", "cors": {"allow_origins": "*", "allow_credentials": True}}},
        "defaults.cors.allow_origins",
        "every site",
        "name the origins",
    ),
    (
        "quota-burst",
        route(quota={"limit": 150, "period": "day"}),
        "routes.GET /a.quota",
        "smaller than the throttle's burst of 200",
        "at most 150",
    ),
    (
        "retry-non-idempotent",
        any_route(retry={"on": ["5xx"]}),
        "routes.ANY /a/*.retry",
        "POST and PATCH",
        "non_idempotent: false",
    ),
    (
        "timeouts-nest",
        route(timeout={"request": "1s", "backend": "2s"}),
        "routes.GET /a.timeout.backend",
        "longer than the 1s",
        "at most `1s`",
    ),
    (
        "timeouts-nest",
        {"backends": {**SHOP["backends"], "auth": {"port": 80, "health_check": {"interval": "2s", "timeout": "3s"}}}},
        "backends.auth.health_check.timeout",
        "longer than the 2s",
        "2s",
    ),
    (
        "limit-per",
        route(throttle={"rate": "1/s", "per": "api_key"}),
        "routes.GET /a.throttle.per",
        "needs an api_key authorizer",
        "per: client",
    ),
    (
        "limit-per",
        route(auth="none", quota={"limit": 500, "period": "day", "per": "subject"}),
        "routes.GET /a.quota.per",
        "knows a subject",
        "per: ip",
    ),
    ("route-key", {"routes": {"GET /a/": "orders"}}, "routes.GET /a/", "ends with a slash", "`/a`"),
    (
        "duplicate-route",
        {"routes": {"GET /a/{x}": "orders", "GET /a/{y}": "orders"}},
        "routes.GET /a/{y}",
        'same route as "GET /a/{x}"',
        "match",
    ),
    (
        "duplicate-route",
        {"routes": {"GET,POST /a": "orders", "POST,PUT /a": "orders"}},
        "routes.POST,PUT /a",
        "shares POST",
        "one of them",
    ),
    (
        "unreachable-route",
        {
            "routes": {
                "ANY /a": "orders",
                **{f"{m} /a": "orders" for m in ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")},
            }
        },
        "routes.ANY /a",
        "no request reaches it",
        "remove it",
    ),
    (
        "route-backend",
        {"backends": {**SHOP["backends"], "sql": {"port": 1, "protocol": "tcp"}}, "routes": {"GET /a": "sql"}},
        "routes.GET /a.backend",
        "speaks tcp",
        "http",
    ),
    ("rewrite-path", route(rewrite={"prefix": "/v2"}), "routes.GET /a.rewrite.prefix", "no `/*`", "path"),
    ("rewrite-path", any_route(rewrite={"path": "/v2/{id}"}), "routes.ANY /a/*.rewrite.path", "no variable `{id}`", ""),
    (
        "redirect-target",
        {"routes": {"GET /a": {"redirect": "/b/*", "auth": "none"}}},
        "routes.GET /a.redirect",
        "no `/*`",
        "leave",
    ),
    (
        "redirect-target",
        {"routes": {"GET /a": {"redirect": "/a", "auth": "none"}}},
        "routes.GET /a.redirect",
        "to itself",
        "another",
    ),
    (
        "no-backend",
        {"routes": {"GET /a": {"redirect": "/b", "auth": "none", "cache": {"ttl": "5s"}}}},
        "routes.GET /a.cache",
        "no backend's answer",
        "leave",
    ),
    (
        "respond-body",
        {"routes": {"GET /a": {"respond": {"status": 204, "body": "x"}, "auth": "none"}}},
        "routes.GET /a.respond.body",
        "has no body",
        "leave",
    ),
    (
        "header-name",
        route(headers={"request": {"set": {"host": "x"}}}),
        "routes.GET /a.headers.request.set",
        "belongs to the connection",
        "rewrite",
    ),
    (
        "header-name",
        route(headers={"response": {"add": {"x-edge-a": "x"}}}),
        "routes.GET /a.headers.response.add",
        "edge's own",
        "another",
    ),
    (
        "regex",
        route(match={"headers": {"x-a": {"regex": "(?=a)"}}}),
        "routes.GET /a.match.headers.x-a",
        "look-around",
        "RE2",
    ),
    (
        "regex",
        route(match={"query": {"q": {"regex": "("}}}),
        "routes.GET /a.match.query.q",
        "not a regular expression",
        "",
    ),
    ("no-listener", {"listener": None, **route()}, "", "no listener", "listener:"),
    ("no-routes", {"routes": {}}, "routes", "no routes", "ANY /*"),
    (
        "listener-port",
        {
            "listener": None,
            "listeners": {"a": {"protocol": "tcp", "backend": "sql"}, "b": {}},
            "backends": {**SHOP["backends"], "sql": {"port": 1, "protocol": "tcp"}},
        },
        "listeners.a",
        "needs a `port`",
        "port: 5432",
    ),
    (
        "listener-port",
        {
            "listener": None,
            "listeners": {"a": {"host": "a.example"}, "b": {"host": "b.example", "port": 443, "protocol": "http"}},
        },
        "listeners.b",
        "already listener `a`'s",
        "another port",
    ),
    (
        "listener-host",
        {"listener": None, "listeners": {"a": {"host": "a.example"}, "b": {"host": "a.example"}}},
        "listeners.b",
        "shares port 443 and a host",
        "of its own",
    ),
    (
        "listener-backend",
        {"listener": {"protocol": "https", "backend": "orders"}},
        "listener.backend",
        "has routes and no backend of its own",
        "ANY /*: orders",
    ),
    ("listener-tls", {"listener": {"protocol": "http", "tls": {}}}, "listener.tls", "does not fit", "https"),
    (
        "listener-redirect",
        {"listener": {"protocol": "http", "redirect_http": True}},
        "listener.redirect_http",
        "no https",
        "",
    ),
    (
        "no-web-listener",
        {
            "listener": {"protocol": "tcp", "port": 5432, "backend": "sql"},
            "backends": {**SHOP["backends"], "sql": {"port": 1, "protocol": "tcp"}},
            **route(listener=None),
        },
        "routes",
        "no listener carries routes",
        "https",
    ),
    (
        "mtls-listener",
        {"authorizers": {**SHOP["authorizers"], "cert": {"mtls": {}}}},
        "authorizers.cert.mtls",
        "asks for client certificates",
        "client_ca",
    ),
    ("cidr", {"waf": {"deny": ["10.0.0.1/8"]}}, "waf.deny[0]", "bits set beyond its prefix", "10.0.0.0/8"),
    (
        "waf-conflict",
        {"waf": {"deny": ["10.0.0.0/8"], "allow": ["10.0.0.0/8"]}},
        "waf.deny",
        "allowed and denied",
        "one of",
    ),
    (
        "clock-skew",
        {"authorizers": {**SHOP["authorizers"], "main": {"jwt": {**JWT["jwt"], "clock_skew": "1h"}}}},
        "authorizers.main.jwt.clock_skew",
        "expired tokens",
        "10m",
    ),
    (
        "duplicate-value",
        {"authorizers": {**SHOP["authorizers"], "partner": {"api_key": {"clients": ["a", "a"]}}}},
        "authorizers.partner.api_key.clients",
        "stands twice",
        "once",
    ),
]


@pytest.mark.parametrize(("code", "change", "place", "what", "remedy"), REFUSED)
def test_what_is_wrong_is_refused_with_its_place_and_a_remedy(
    code: str, change: dict[str, Any], place: str, what: str, remedy: str
) -> None:
    from edgewright.spec.problems import dotted

    found = only_problem(**change)
    assert found.code == code
    assert dotted(found.place.path) == place
    assert what in found.what
    assert remedy in found.remedy


ACCEPTED: list[dict[str, Any]] = [
    route(cache={"ttl": "5s", "share": "per_user"}),
    route(cache={"ttl": "5s", "share": "public"}),
    any_route(retry={"on": ["5xx"], "non_idempotent": False}),
    any_route(retry={"on": ["5xx"], "non_idempotent": True}),
    any_route(retry={"on": ["connect-failure"]}),
    route(retry={"on": ["5xx"]}),
    route(quota={"limit": 200, "period": "day"}),
    {"routes": {"GET /a/{x}": "orders", "POST /a/{y}": "orders"}},
    {"routes": {"GET /a": "orders", "GET,POST /a": "orders"}},
    {"routes": {"GET /a (one)": {"backend": "orders", "match": {"headers": {"x-a": "1"}}}, "GET /a": "orders"}},
    any_route(rewrite={"path": "/v2/*"}),
    route(cors={"allow_origins": "*"}),
]


@pytest.mark.parametrize("change", ACCEPTED)
def test_what_stands_beside_a_refused_form_and_is_right_resolves(change: dict[str, Any]) -> None:
    assert problems(**change) == ()


def test_all_problems_come_at_once_in_the_order_of_their_lines() -> None:
    sources = Sources(
        "x.yaml", values={("routes", "GET /a", "backend"): (9, 3), ("routes", "GET /b", "auth", "authorizer"): (7, 3)}
    )
    routes = {"GET /a": "nobody", "GET /b": {"backend": "orders", "auth": "mian"}, "GET /c/": "orders"}
    with pytest.raises(SpecError) as caught:
        resolve(Document(spec(routes=routes), sources))
    assert [item.code for item in caught.value.problems] == ["route-key", "unknown-authorizer", "unknown-backend"]
    assert 'x.yaml:9:3: error: route "GET /a": backend: there is no backend `nobody`' in str(caught.value)


def test_a_mistake_in_defaults_is_reported_once_however_many_routes_inherit_it() -> None:
    defaults = {
        "auth": "mian",
        "timeout": {"request": "1s", "backend": "5s"},
        "quota": {"limit": 5, "period": "day"},
        "throttle": {"rate": "9/s"},
    }
    found = problems(defaults=defaults, routes={f"GET /r{i}": "orders" for i in range(5)})
    assert sorted(item.code for item in found) == ["quota-burst", "timeouts-nest", "unknown-authorizer"]


def test_control_characters_of_a_spec_never_reach_the_terminal() -> None:
    (found,) = problems(routes={"GET /a\x1b[31m": "orders"})
    assert "\x1b" not in str(found)
