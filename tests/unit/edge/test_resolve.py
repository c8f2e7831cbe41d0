"""What a spec means: defaults with their origin, one unit, bound names."""

import pytest

from edgewright.edge.model import ApiKeyAuthorizer, Forward, JwtAuthorizer, Redirect, Respond
from edgewright.edge.resolve import resolve
from edgewright.spec.document import Document
from edgewright.spec.problems import Sources
from unit.edge.specs import shop, spec, with_routes


def test_a_default_is_applied_and_knows_where_it_is_written() -> None:
    sources = Sources(file="shop.edge.yaml", values={("defaults", "throttle"): (14, 13)})
    throttle = resolve(Document(spec(), sources)).route("GET /products").throttle
    assert throttle is not None
    assert (throttle.count, throttle.seconds, throttle.burst) == (100, 1, 200)
    assert throttle.origin.text == "defaults.throttle (shop.edge.yaml:14)"


def test_a_throttle_in_defaults_is_one_bucket_for_the_edge_and_one_on_a_route_is_the_routes() -> None:
    edge = with_routes({"GET /a": "orders", "GET /b": {"backend": "orders", "throttle": {"rate": "5/m"}}})
    buckets = {route.key: route.throttle.bucket for route in edge.routes if route.throttle}
    assert buckets == {"GET /a": "defaults", "GET /b": "GET /b"}


def test_a_throttle_per_route_counts_each_route_for_itself_even_from_defaults() -> None:
    edge = shop(defaults={"auth": "main", "throttle": {"rate": "5/s", "per": "route"}}, routes={"GET /a": "orders"})
    throttle = edge.route("GET /a").throttle
    assert throttle is not None
    assert (throttle.bucket, throttle.per.order) == ("GET /a", ())


@pytest.mark.parametrize(("rate", "burst"), [("100/s", 100), ("30/m", 1), ("90/m", 2), ("1/h", 1)])
def test_a_burst_left_out_is_a_seconds_worth_and_at_least_one(rate: str, burst: int) -> None:
    throttle = with_routes({"GET /a": {"backend": "orders", "throttle": {"rate": rate}}}).routes[0].throttle
    assert throttle is not None
    assert throttle.burst == burst


def test_none_lifts_a_default() -> None:
    assert with_routes({"GET /a": {"backend": "orders", "throttle": "none"}}).routes[0].throttle is None


@pytest.mark.parametrize(
    ("auth", "order"), [("none", ("ip",)), ("main", ("subject", "ip")), ("partner", ("api_key", "ip"))]
)
def test_client_means_the_key_else_the_subject_else_the_address(auth: str, order: tuple[str, ...]) -> None:
    throttle = with_routes({"GET /a": {"backend": "orders", "auth": auth}}).routes[0].throttle
    assert throttle is not None
    assert throttle.per.order == order


def test_auth_on_a_route_keeps_the_default_authorizer_and_not_its_scopes() -> None:
    defaults = {"auth": {"authorizer": "main", "scopes": ["all"]}}
    edge = shop(
        defaults=defaults, routes={"GET /a": {"backend": "orders", "auth": {"scopes": ["b"]}}, "GET /b": "orders"}
    )
    own, inherited = edge.route("GET /a").auth, edge.route("GET /b").auth
    assert own is not None
    assert inherited is not None
    assert (own.authorizers, own.scopes, own.origin.text) == (("main",), ("b",), "routes.GET /a.auth")
    assert (inherited.scopes, inherited.origin.text) == (("all",), "defaults.auth")


def test_a_public_route_says_where_that_is_written() -> None:
    because = shop().route("GET /products").public_because
    assert because is not None
    assert because.text == "routes.GET /products.auth"


def test_without_authorizers_routes_are_public() -> None:
    edge = shop(authorizers={}, defaults={}, routes={"GET /a": "orders"})
    assert edge.routes[0].auth is None


def test_timeouts_fall_back_field_by_field_and_are_milliseconds() -> None:
    edge = shop(
        defaults={"auth": "main", "timeout": {"request": "20s"}},
        routes={"GET /a": {"backend": "orders", "timeout": {"backend": "1500ms"}}, "GET /b": "orders"},
    )
    own, inherited = edge.route("GET /a").timeout, edge.route("GET /b").timeout
    assert (own.request, own.backend, own.idle) == (20_000, 1_500, 300_000)
    assert (inherited.request, inherited.backend) == (20_000, None)


def test_headers_of_a_route_come_after_the_defaults() -> None:
    defaults = {"auth": "main", "headers": {"response": {"set": {"x-a": "1", "x-b": "1"}, "remove": ["server"]}}}
    change = {"response": {"set": {"X-B": "2"}, "remove": ["x-a"], "add": {"x-c": "3"}}}
    edge = shop(defaults=defaults, routes={"GET /a": {"backend": "orders", "headers": change}})
    found = edge.routes[0].response_headers
    assert found.set == (("x-b", "2"),)
    assert found.remove == ("server", "x-a")
    assert found.add == (("x-c", "3"),)


@pytest.mark.parametrize(
    ("preset", "scope", "audience"),
    [
        ("entra", "scp", "aud"),
        ("cognito", "scope", "client_id"),
        ("auth0", "scope", "aud"),
        ("keycloak", "scope", "aud"),
    ],
)
def test_a_preset_sets_the_claims_as_the_provider_writes_them(preset: str, scope: str, audience: str) -> None:
    jwt = {"issuer": "https://a.example", "audiences": "x", "preset": preset}
    found = shop(authorizers={"main": {"jwt": jwt}}, routes={"GET /a": "orders"}).authorizers["main"]
    assert isinstance(found, JwtAuthorizer)
    assert (found.scope_claim, found.audience_claim) == (scope, audience)


def test_a_token_is_in_the_authorization_header_unless_it_is_said() -> None:
    found = shop().authorizers["main"]
    assert isinstance(found, JwtAuthorizer)
    assert (found.source.kind, found.source.name, found.source.prefix) == ("header", "authorization", "Bearer ")
    assert found.algorithms == ("RS256",)


def test_a_key_is_in_x_api_key_unless_it_is_said() -> None:
    found = shop().authorizers["partner"]
    assert isinstance(found, ApiKeyAuthorizer)
    assert (found.source.name, found.source.prefix, found.clients) == ("x-api-key", "", ("acme", "globex"))


def test_listener_is_short_for_one_and_https_by_default() -> None:
    (listener,) = shop().listeners
    assert (listener.name, listener.protocol, listener.port, listener.redirect_http) == ("default", "https", 443, False)
    assert listener.tls is not None


def test_actions_are_told_apart() -> None:
    edge = with_routes(
        {
            "GET /a": {"backend": {"orders": 90, "orders-next": 10}},
            "GET /b/*": {"redirect": "https://www.shop.example/c/*", "auth": "none"},
            "GET /d": {"respond": {"status": 204}, "auth": "none"},
        }
    )
    assert edge.route("GET /a").action == Forward((("orders", 90), ("orders-next", 10)))
    assert edge.route("GET /b/*").action == Redirect("https://www.shop.example", "/c", True, 308)
    assert edge.route("GET /d").action == Respond(204, "", "text/plain")


def test_a_health_check_is_a_path_or_the_details() -> None:
    backends = shop().backends
    check = backends["orders"].health_check
    assert check is not None
    assert (check.path, check.interval, check.timeout, check.unhealthy_threshold) == ("/healthz", 10_000, 5_000, 3)
    assert check.statuses == ((200, 200),)
    assert backends["payments"].health_check is None


def test_a_route_is_for_all_web_listeners_unless_it_names_some() -> None:
    listeners = {
        "public": {"host": "a.example"},
        "admin": {"host": "b.example"},
        "db": {"protocol": "tcp", "port": 5432, "backend": "sql"},
    }
    backends = {"orders": {"port": 80}, "sql": {"port": 5432, "protocol": "tcp"}}
    edge = shop(
        listener=None,
        listeners=listeners,
        backends=backends,
        routes={"GET /a": "orders", "GET /b": {"backend": "orders", "listener": "admin"}},
    )
    assert edge.route("GET /a").listeners == ("admin", "public")
    assert edge.route("GET /b").listeners == ("admin",)


def test_what_nothing_uses_is_a_warning() -> None:
    warnings = [str(item) for item in with_routes({"GET /a": "orders"}).findings]
    assert any("nothing uses backend `payments`" in text for text in warnings)
    assert any("no route uses authorizer `partner`" in text for text in warnings)


def test_a_method_that_falls_through_to_a_public_route_is_a_warning() -> None:
    edge = with_routes({"GET /admin/report": "orders", "ANY /*": {"backend": "orders", "auth": "none"}})
    (warning,) = [item for item in edge.findings if "falls through" in item.reason]
    assert warning.routes == ("GET /admin/report", "ANY /*")
    assert "POST" in warning.reason
    assert "GET" not in warning.reason.split(" /admin")[0].split(", ")


def test_methods_that_are_declared_do_not_fall_through() -> None:
    edge = with_routes({"ANY /admin/report": "orders", "ANY /*": {"backend": "orders", "auth": "none"}})
    assert not [item for item in edge.findings if "falls through" in item.reason]


def test_paths_that_differ_only_in_case_are_a_warning() -> None:
    edge = with_routes({"GET /Orders": "orders", "GET /orders": "orders"})
    assert any("differ only in case" in item.reason for item in edge.findings)


def test_nothing_of_pulumi_is_imported() -> None:
    import subprocess
    import sys

    code = "import edgewright.edge.resolve, edgewright.edge.decide, sys; print('pulumi' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env={"PYTHONPATH": ":".join(sys.path)}
    )
    assert done.stdout.strip() == "False"
