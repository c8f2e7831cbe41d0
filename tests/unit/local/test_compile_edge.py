"""What holds for every compiled edge, and the parts of one that nobody sees until they are wrong."""

import inspect
import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from pydantic import BaseModel

from edgewright.edge.model import Edge
from edgewright.edge.resolve import resolve
from edgewright.local.artifact import Artifact, Node
from edgewright.local.bindings import Bindings, read_bindings
from edgewright.local.capabilities import ROWS
from edgewright.local.compile import compile_edge
from edgewright.local.compile_http import first_hygiene, second_hygiene
from edgewright.spec import model as spec_model
from edgewright.spec.model import EdgeSpec
from edgewright.spec.problems import SpecError
from unit.edge.specs import SHOP, shop, with_routes

CACHED = {"backend": "orders", "auth": "none", "cache": {"ttl": "60s"}}


def artifact(edge: Edge | None = None, **bindings: Any) -> Artifact:
    return compile_edge(edge or shop(), bindings).artifact


def node(found: Artifact, role: str) -> Node:
    return next(item for item in found.nodes if item.role == role)


def strings(value: Any) -> Iterator[str]:
    """All strings in a JSON value, keys included."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield str(key)
            yield from strings(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from strings(item)


def table(found: Node, name: str = "edge") -> list[dict[str, Any]]:
    """The routes of one of a node's route configurations."""
    hosts = next(item["virtual_hosts"] for item in found.routes if item["name"] == name)
    return [route for host in hosts for route in host["routes"]]


def entries(edge: Edge, key: str, **bindings: Any) -> list[dict[str, Any]]:
    """What a gateway has for a route."""
    return [item for item in table(node(artifact(edge, **bindings), "gateway")) if item["name"] == key]


def filters(found: Node) -> list[str]:
    """The HTTP filters of a gateway's public side, in order."""
    manager = found.listeners[0]["filter_chains"][0]["filters"][0]["typed_config"]
    return [item["name"] for item in manager["http_filters"]]


# -- the whole artifact ------------------------------------------------------------------------------------------------


def test_compiling_twice_gives_the_same_bytes() -> None:
    assert json.dumps(artifact().to_json()) == json.dumps(artifact().to_json())


def test_the_order_of_keys_in_a_spec_does_not_matter() -> None:
    def turned(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: turned(item) for key, item in reversed(value.items())}
        return value

    other = resolve(EdgeSpec.model_validate(turned(SHOP)))
    assert json.dumps(artifact(other).to_json()) == json.dumps(artifact().to_json())


def test_an_artifact_survives_json() -> None:
    found = artifact()
    assert Artifact.from_json(json.loads(json.dumps(found.to_json()))).digest == found.digest


def test_an_artifact_has_no_path_of_this_machine_and_no_key() -> None:
    found = artifact()
    paths = [text for text in strings(found.to_json()) if re.match(r"/(home|root|work|tmp|usr|var|Users)/", text)]
    assert paths == []
    keys = [text for item in found.nodes for text in strings(item.routes) if "credential:" in text]
    assert keys
    assert all(re.fullmatch(r"\{\{credential:[a-z0-9-]+:[a-z0-9-]+\}\}", text) for text in keys)


def test_a_route_that_is_added_changes_nothing_of_the_others() -> None:
    before, after = artifact(), artifact(with_routes({**SHOP["routes"], "GET /more/{id}": "payments"}))
    old, new = node(before, "gateway"), node(after, "gateway")
    assert new.listeners == old.listeners
    assert new.clusters == old.clusters
    assert new.bootstrap == old.bootstrap
    assert [item for item in table(new) if item["name"] != "GET /more/{id}"] == table(old)
    assert node(after, "balancer") == node(before, "balancer")
    assert set(before.routes) < set(after.routes)


def test_a_digest_tells_a_route_that_means_something_else() -> None:
    changed = {**SHOP["routes"], "ANY /payments/*": {"backend": "payments", "auth": {"scopes": ["payments.admin"]}}}
    before = {item.key: item.digest for item in artifact().routes}
    after = {item.key: item.digest for item in artifact(with_routes(changed)).routes}
    assert {key for key in before if before[key] != after[key]} == {"ANY /payments/*"}


def test_every_cluster_that_a_node_names_is_there() -> None:
    routes = {**SHOP["routes"], "GET /quota": {"backend": "orders", "quota": {"limit": 500, "period": "day"}}}
    for item in artifact(with_routes(routes)).nodes:
        known = {cluster["name"] for cluster in item.clusters}
        known |= {cluster["name"] for cluster in item.bootstrap.get("static_resources", {}).get("clusters", ())}
        assert set(_clusters([item.listeners, item.routes])) <= known


def _clusters(value: Any) -> Iterator[str]:
    if isinstance(value, Mapping):
        if isinstance(value.get("cluster"), str):
            yield value["cluster"]
        for item in value.get("clusters", ()):
            yield item["name"]
        for item in value.values():
            yield from _clusters(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _clusters(item)


# -- the chain of filters ----------------------------------------------------------------------------------------------


def test_an_edge_pays_for_no_filter_that_none_of_its_routes_uses() -> None:
    plain = with_routes(
        {"GET /": {"backend": "orders", "auth": "none"}}, defaults={}, authorizers={}, backends={"orders": {"port": 1}}
    )
    found = node(artifact(plain), "gateway")
    assert filters(found) == ["health", "context", "router"]
    assert [item["name"] for item in found.listeners] == ["edge"]


def test_who_may_is_asked_before_how_much_and_both_before_the_cache() -> None:
    routes = {
        **SHOP["routes"],
        "GET /quota": {"backend": "orders", "quota": {"limit": 500, "period": "day"}},
        "GET /cors": {"backend": "orders", "cors": {"allow_origins": ["https://a.example"]}},
    }
    order = filters(node(artifact(with_routes(routes)), "gateway"))
    expected = ["health", "cors", "jwt", "token", "scope", "key", "context", "throttle", "limits", "cache-key", "cache"]
    assert [name for name in order if name in expected] == expected
    assert order[-1] == "router"


def test_every_private_header_is_taken_from_clients_before_anything_reads_it() -> None:
    routes = {**SHOP["routes"], "GET /quota": {"backend": "orders", "quota": {"limit": 500, "period": "day"}}}
    found = node(artifact(with_routes(routes)), "gateway")
    text = " ".join(strings([found.listeners, found.routes]))
    used = {name.lower() for name in re.findall(r"\bx-edge(?:wright)?-[a-z-]*[a-z]", text, re.IGNORECASE)}
    assert {"x-edge-path", "x-edge-auth", "x-edge-subject"} <= used
    prefixes = tuple(
        item["remove_on_match"]["key_matcher"]["prefix"] for item in first_hygiene() if "remove_on_match" in item
    )
    assert [name for name in used if not name.startswith(prefixes)] == []
    again = tuple(item["remove_on_match"]["key_matcher"]["prefix"] for item in second_hygiene())
    # A gateway believes the balancer alone, and only in what it says of the listener.
    assert {name for name in used if not name.startswith(again)} <= {"x-edgewright-listener"}


def test_a_backend_gets_no_private_header() -> None:
    for item in table(node(artifact(), "gateway")):
        if item.get("route", {}).get("cluster") not in (None, "misses", "origin"):
            assert {"x-edge-subject", "x-edge-client", "x-edge-key"} <= set(item["request_headers_to_remove"])


def test_a_value_of_the_spec_never_becomes_a_command_of_envoys() -> None:
    headers = {"request": {"set": {"x-a": "%REQ(authorization)%"}}, "response": {"add": {"x-b": "100%"}}}
    route = {"backend": "orders", "auth": "none", "headers": headers}
    (entry,) = entries(with_routes({"GET /a": route}), "GET /a")
    mutations = entry["typed_per_filter_config"]["context"]["mutations"]
    values = [item["append"]["header"]["value"] for part in mutations.values() for item in part if "append" in item]
    assert "%%REQ(authorization)%%" in values
    assert "100%%" in values


# -- routes ------------------------------------------------------------------------------------------------------------


def test_routes_for_websockets_come_first_and_want_a_real_upgrade() -> None:
    edge = with_routes({"GET /live/now": "orders", "WS /live/*": "orders"})
    names = [item["name"] for item in table(node(artifact(edge), "gateway"))]
    assert names.index("WS /live/*") < names.index("GET /live/now")
    (entry,) = entries(edge, "WS /live/*")
    assert {"upgrade", "connection"} <= {item["name"] for item in entry["match"]["headers"]}


def test_a_method_that_must_not_be_carried_out_twice_is_tried_again_only_when_nothing_was_taken() -> None:
    retry = {"attempts": 2, "on": ["connect-failure", "reset", 503], "non_idempotent": False}
    unsafe, others = entries(with_routes({"ANY /a": {"backend": "orders", "retry": retry}}), "ANY /a")
    assert unsafe["match"]["headers"] == [{"name": ":method", "string_match": {"safe_regex": {"regex": "POST|PATCH"}}}]
    assert unsafe["route"]["retry_policy"]["retry_on"] == "connect-failure,refused-stream,reset-before-request"
    assert "reset" in others["route"]["retry_policy"]["retry_on"].split(",")
    assert others["route"]["retry_policy"]["retriable_status_codes"] == [503]


def test_weights_are_drawn_again_for_a_second_try() -> None:
    (entry,) = entries(shop(), "ANY /orders/*")
    assert [item["weight"] for item in entry["route"]["weighted_clusters"]["clusters"]] == [90, 10]
    assert entry["route"]["retry_policy"]["refresh_cluster_on_retry"] is True


def test_a_cached_route_for_all_methods_keeps_get_and_head_only() -> None:
    cached, others = entries(with_routes({"ANY /c": CACHED}), "ANY /c")
    assert cached["match"]["headers"][-1]["string_match"] == {"safe_regex": {"regex": "GET|HEAD"}}
    assert cached["route"]["cluster"] == "misses"
    assert "cache" not in others["typed_per_filter_config"]
    assert others["route"]["cluster"].endswith("orders")


def test_one_gateway_needs_no_owners() -> None:
    (cached,) = entries(with_routes({"GET /c": CACHED}), "GET /c", gateways=1)
    assert cached["route"]["cluster"] == "origin"


def test_a_public_cached_route_says_nothing_of_who_asks() -> None:
    (public,) = entries(with_routes({"GET /c": CACHED}), "GET /c")
    (mine,) = entries(
        with_routes({"GET /c": {"backend": "orders", "cache": {"ttl": "9s", "share": "per_user"}}}), "GET /c"
    )

    def removed(entry: dict[str, Any]) -> set[str]:
        mutations = entry["typed_per_filter_config"]["context"]["mutations"]["request_mutations"]
        return {item["remove"] for item in mutations if "remove" in item}

    assert {"authorization", "cookie", "if-none-match", "range"} <= removed(public)
    assert "cookie" not in removed(mine)
    assert public["metadata"]["filter_metadata"]["cache-key"] == {"ttl": 60}
    assert mine["metadata"]["filter_metadata"]["cache-key"] == {"ttl": 9, "user": True}


@pytest.mark.parametrize(
    ("path", "matches", "misses"),
    [
        ("/a/{id}", ["/a/7"], ["/a/", "/a", "/a/7/8", "/a/7/"]),
        ("/a/{id}/*", ["/a/7", "/a/7/", "/a/7/x/y"], ["/a//x", "/a", "/a/"]),
        ("/a.b/{id}", ["/a.b/1"], ["/axb/1"]),
    ],
)
def test_a_template_matches_whole_segments(path: str, matches: list[str], misses: list[str]) -> None:
    (entry,) = entries(with_routes({f"GET {path}": "orders"}), f"GET {path}")
    pattern = re.compile(entry["match"]["safe_regex"]["regex"])
    assert [text for text in matches if not pattern.fullmatch(text)] == []
    assert [text for text in misses if pattern.fullmatch(text)] == []


# -- limits ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("burst", "service"), [(39, True), (40, False)])
def test_a_bucket_too_small_to_share_is_counted_by_the_service(burst: int, service: bool) -> None:
    route = {"backend": "orders", "throttle": {"rate": "10/s", "burst": burst}}
    found = artifact(with_routes({"GET /t": route}))
    assert found.limits is service
    (entry,) = [item for item in table(node(found, "gateway")) if item["name"] == "GET /t"]
    assert ("limits" in entry["typed_per_filter_config"]) is service


def test_shared_buckets_stand_in_the_listener_so_that_new_routes_do_not_refill_them() -> None:
    found = node(artifact(), "gateway")
    manager = found.listeners[0]["filter_chains"][0]["filters"][0]["typed_config"]
    throttle = next(item["typed_config"] for item in manager["http_filters"] if item["name"] == "throttle")
    assert throttle["descriptors"]
    assert throttle["local_cluster_rate_limit"] == {}
    assert "LocalRateLimit" not in json.dumps(found.routes)
    assert found.bootstrap["cluster_manager"]["local_cluster_name"] == "gateways"


# -- the balancer ------------------------------------------------------------------------------------------------------


def test_a_wildcard_host_means_one_label() -> None:
    found = node(artifact(shop(listener={"protocol": "http", "port": 80, "host": ["*.shop.example"]})), "balancer")
    host = next(item for item in found.routes[0]["virtual_hosts"] if item["domains"] == ["*.shop.example"])
    refused = host["routes"][0]
    (authority,) = refused["match"]["headers"]
    pattern = re.compile(authority["string_match"]["safe_regex"]["regex"])
    assert authority["invert_match"]
    assert refused["direct_response"]["status"] == 404
    assert pattern.fullmatch("api.shop.example")
    assert not pattern.fullmatch("a.b.shop.example")


def test_listeners_on_one_port_are_told_apart_by_sni_and_answer_only_for_their_own_hosts() -> None:
    listeners = {"a": {"host": "a.example"}, "b": {"host": "b.example"}}
    found = node(artifact(shop(listener=None, listeners=listeners)), "balancer")
    (listener,) = found.listeners
    tables = {}
    for chain in listener["filter_chains"]:
        rds = chain["filters"][0]["typed_config"]["rds"]["route_config_name"]
        hosts = next(item for item in found.routes if item["name"] == rds)["virtual_hosts"]
        tables[chain["filter_chain_match"]["server_names"][0]] = {name for host in hosts for name in host["domains"]}
    assert tables == {"a.example": {"a.example", "localhost", "127.0.0.1"}, "b.example": {"b.example"}}
    assert "filter_chain_match" not in listener["default_filter_chain"]


def test_address_lists_hold_before_tcp_listeners_too() -> None:
    listeners = {"web": {"host": "a.example"}, "db": {"protocol": "tcp", "port": 5432, "backend": "db"}}
    backends = {**SHOP["backends"], "db": {"port": 9, "protocol": "tcp"}}
    edge = shop(listener=None, listeners=listeners, backends=backends, waf={"managed": [], "deny": ["10.0.0.0/8"]})
    found = node(artifact(edge), "balancer")
    (listener,) = [item for item in found.listeners if item["address"]["socket_address"]["port_value"] == 5432]
    names = [item["name"] for item in listener["filter_chains"][0]["filters"]]
    assert names == ["addresses", "tcp"]


def test_everything_listens_on_this_machine_only_unless_told_otherwise() -> None:
    def addresses(found: Artifact) -> set[str]:
        return {item["address"]["socket_address"]["address"] for item in node(found, "balancer").listeners}

    assert addresses(artifact()) == {"127.0.0.1"}
    assert addresses(artifact(address="0.0.0.0")) == {"0.0.0.0"}
    sockets = [item["address"] for item in node(artifact(), "gateway").listeners if "address" in item]
    assert all(item["pipe"]["mode"] == 0o600 for item in sockets)


def test_grpc_goes_to_the_gateways_in_http_2() -> None:
    backends = {**SHOP["backends"], "calls": {"port": 9, "protocol": "grpc"}}
    edge = with_routes({"POST /a.B/*": "calls"}, backends=backends)
    found = node(artifact(edge), "balancer")
    ways = [item["route"]["cluster"] for item in table(found, found.routes[0]["name"]) if "route" in item]
    assert ways == ["gateways-http2", "gateways", "gateways"]
    (cluster,) = [item for item in found.clusters if item["name"] == "gateways-http2"]
    assert cluster["eds_cluster_config"]["service_name"] == "gateways"


# -- what cannot be carried, and bindings ------------------------------------------------------------------------------


def test_every_field_of_the_spec_has_a_row_that_says_how_it_is_carried() -> None:
    models = [
        item
        for _, item in inspect.getmembers(spec_model, inspect.isclass)
        if issubclass(item, BaseModel) and item.__module__ == spec_model.__name__ and item.model_fields
    ]
    # Settings is what Defaults and Route have in common; both have rows of their own.
    fields = {f"{item.__name__}.{name}" for item in models if item.__name__ != "Settings" for name in item.model_fields}
    rows = {row.field for row in ROWS}
    assert sorted(fields - rows) == []
    assert sorted(name for name in rows - fields if "(" not in name) == []


def test_a_row_that_is_not_native_says_why() -> None:
    assert [row.field for row in ROWS if row.level != "native" and not row.how] == []


def test_what_is_wrong_with_bindings_is_told_at_once() -> None:
    with pytest.raises(SpecError) as caught:
        read_bindings(
            {
                "backends": {
                    "order": {"address": "127.0.0.1:1"},
                    "orders": {"address": "127.0.0.1:1", "command": ["x"]},
                },
                "listeners": {"web": {"port": 1}},
            },
            shop(),
        )
    text = str(caught.value)
    assert len(caught.value.problems) == 3
    assert "did you mean `orders`?" in text


def test_an_edge_without_bindings_is_the_same_as_with_empty_ones() -> None:
    assert compile_edge(shop()) == compile_edge(shop(), Bindings()) == compile_edge(shop(), {})
