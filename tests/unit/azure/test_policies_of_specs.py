"""The policies that specs become: valid by Microsoft's schemas, stable, closed, and deaf to what texts would say."""

import re
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
import tree_sitter_c_sharp
from hypothesis import given, settings
from hypothesis import strategies as st
from tree_sitter import Language, Parser

import csharp_twin
import policy_xsd
from edgewright.azure import compile_policy as compile_policy_module
from edgewright.azure.artifact import Artifact
from edgewright.azure.compile import compile_edge
from edgewright.azure.compile_operations import operations
from edgewright.azure.compile_policy import Surroundings, compile_policy, websocket_policy
from edgewright.azure.topology import Topology
from edgewright.edge.resolve import resolve
from edgewright.spec.document import from_data, load
from edgewright.spec.problems import SpecError
from golden_files import assert_golden

GOLDEN = Path(__file__).parents[2] / "golden" / "azure"
PARSER = Parser(Language(tree_sitter_c_sharp.language()))


def spec(routes: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {
        "name": "shop",
        "listener": {"host": "api.shop.example"},
        "authorizers": {
            "main": {"jwt": {"issuer": "https://login.shop.example/", "audiences": ["api://shop"]}},
            "partner": {"api_key": {"clients": ["acme"]}},
        },
        "backends": {"orders": {"port": 8080}, "next": {"port": 8081}},
        "routes": routes,
        **more,
    }


def compiled(routes: dict[str, Any], bindings: dict[str, Any] | None = None, **more: Any) -> Artifact:
    return compile_edge(resolve(from_data(spec(routes, **more))), bindings or {}, "gateway-first", placeholders=True)


def policy(routes: dict[str, Any], **more: Any) -> str:
    api = compiled(routes, **more).api
    assert api is not None
    return api.policy


def element(text: str) -> Any:
    return policy_xsd.parse(text)


@pytest.mark.parametrize("file", sorted(GOLDEN.glob("*.xml")), ids=lambda path: path.stem)
def test_a_policy_is_valid_by_the_schemas_of_microsoft(file: Path) -> None:
    assert policy_xsd.problems(file.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize("file", sorted(GOLDEN.rglob("*.xml")), ids=lambda path: path.stem)
def test_no_section_holds_a_policy_twice_that_it_may_hold_once(file: Path) -> None:
    once = {
        *("cors", "cache-lookup", "cache-store", "cache-lookup-value", "cache-store-value"),
        *("validate-content", "validate-parameters"),
    }
    for section in element(file.read_text(encoding="utf-8")):
        names = [name for name in policy_xsd.names(section) if name in once]
        assert sorted(names) == sorted(set(names)), section.tag


@pytest.mark.parametrize("file", sorted(GOLDEN.rglob("*policy.xml")), ids=lambda path: path.stem)
def test_the_section_of_the_backend_has_one_policy(file: Path) -> None:
    assert len(element(file.read_text(encoding="utf-8")).find("backend").findall("*")) == 1


@pytest.mark.parametrize("file", sorted(GOLDEN.rglob("*.xml")), ids=lambda path: path.stem)
def test_all_code_of_a_policy_is_c_sharp(file: Path) -> None:
    found = 0
    for item in element(file.read_text(encoding="utf-8")).iter("*"):
        for text in (*item.values(), item.text or ""):
            if text.startswith(("@(", "@{")):
                inner = f"return {text[2:-1]};" if text[1] == "(" else text[2:-1]
                tree = PARSER.parse(f"class A {{ object F() {{ {inner} }} }}".encode())
                assert not tree.root_node.has_error, text
                found += 1
    assert found


@pytest.mark.parametrize(
    "wrong",
    [
        "<policies><inbound><choose><when condition='@(true)'><rate-limit-by-key calls='1' /></when></choose></inbound>"
        "<backend/><outbound/><on-error/></policies>",
        "<policies><inbound><validate-jwt><audiences><audience>a</audience></audiences><openid-config url='https://a'/>"
        "</validate-jwt></inbound><backend/><outbound/><on-error/></policies>",
        "<policies><inbound><cache-lookup vary-by-developer='perhaps' vary-by-developer-groups='false'/></inbound>"
        "<backend/><outbound/><on-error/></policies>",
    ],
)
def test_the_schemas_find_what_is_wrong_inside(wrong: str) -> None:
    assert policy_xsd.problems(wrong)


def test_who_may_stands_above_the_cache_and_limits_between() -> None:
    text = policy(
        {
            "GET /mine": {
                "backend": "orders",
                "auth": "main",
                "throttle": {"rate": "10/s", "per": "subject"},
                "cache": {"ttl": "10s", "share": "per_user"},
            }
        }
    )
    names = policy_xsd.names(element(text).find("inbound"))
    order = ["base", "validate-jwt", "rate-limit-by-key", "cache-lookup", "set-backend-service"]
    assert sorted(order, key=names.index) == order


def test_an_answer_for_one_user_is_kept_by_who_asks() -> None:
    text = policy({"GET /mine": {"backend": "orders", "auth": "main", "cache": {"ttl": "10s", "share": "per_user"}}})
    lookup = element(text).find(".//cache-lookup")
    assert [item.text for item in lookup.findall("vary-by-header")] == ["x-edgewright-cache-user"]
    header = lookup.getprevious()
    assert (header.tag, header.get("name"), header.get("exists-action")) == (
        "set-header",
        "x-edgewright-cache-user",
        "override",
    )
    assert "Subject" in header.findtext("value")


def test_an_answer_to_a_token_without_a_subject_is_found_by_nobody() -> None:
    text = policy({"GET /mine": {"backend": "orders", "auth": "main", "cache": {"ttl": "10s", "share": "per_user"}}})
    user = element(text).findtext(".//set-header[@name='x-edgewright-cache-user']/value")
    assert re.fullmatch(
        r'@\(string\.IsNullOrEmpty\((\S+)\) \? "request:" \+ context\.RequestId : "subject:" \+ \1\)', user
    )


def test_an_operation_that_the_policy_does_not_know_is_denied() -> None:
    text = policy({"GET /a": {"backend": "orders", "auth": "none"}})
    lookup = element(text).find(".//set-variable[@name='settings']").get("value")
    assert re.search(r'default:\s*return "denied\|', lookup)
    otherwise = element(text).find("inbound/choose/otherwise/return-response/set-status")
    assert otherwise.get("code") == "404"


@pytest.mark.parametrize("name", ["anybody", "denied", "public"])
def test_an_authorizer_may_have_any_name(name: str) -> None:
    jwt = {"jwt": {"issuer": "https://login.shop.example/", "audiences": ["api://shop"]}}
    text = policy(
        {"GET /a": {"backend": "orders", "auth": name}, "GET /b": {"backend": "orders", "auth": "none"}},
        authorizers={name: jwt},
    )
    lookup = element(text).find(".//set-variable[@name='settings']").get("value")
    settings_of_a = re.search(r'case "get-a":\s*return "([^|]*)\|', lookup)
    assert settings_of_a is not None
    whens = element(text).findall("inbound/choose[1]/when")
    checked = [when for when in whens if f'== "{settings_of_a[1]}")' in when.get("condition")]
    assert [when.find("validate-jwt") is not None for when in checked] == [True]


def test_a_missing_scope_is_403_and_a_missing_token_401() -> None:
    text = policy({"GET /a": {"backend": "orders", "auth": {"authorizer": "main", "scopes": ["orders.read"]}}})
    assert element(text).find(".//validate-jwt").get("failed-validation-httpcode") == "401"
    needs = element(text).xpath("inbound/choose/when[contains(@condition, '\"needs\"')]")
    assert [item.get("code") for item in needs[0].iter("set-status")] == ["403"]


def test_rate_and_burst_are_two_counters_with_two_keys() -> None:
    text = policy(
        {"GET /a": {"backend": "orders", "auth": "none", "throttle": {"rate": "10/s", "burst": 20, "per": "ip"}}}
    )
    limits = element(text).findall(".//rate-limit-by-key")
    assert [(item.get("calls"), item.get("renewal-period")) for item in limits] == [("20", "1"), ("600", "60")]
    assert len({item.get("counter-key") for item in limits}) == 2


def test_two_caches_with_unlike_keys_are_policies_of_their_operations() -> None:
    artifact = compiled(
        {
            "GET /a": {"backend": "orders", "auth": "none", "cache": {"ttl": "10s", "vary_by": {"query": ["page"]}}},
            "GET /b": {"backend": "orders", "auth": "none", "cache": {"ttl": "20s"}},
            "GET /c": {"backend": "orders", "auth": "none"},
        }
    )
    assert artifact.api is not None
    assert sorted(artifact.api.operation_policies) == ["get-a", "get-b"]
    assert "cache-lookup" not in artifact.api.policy
    for text in artifact.api.operation_policies.values():
        assert policy_xsd.problems(text) == []
        assert len(element(text).findall(".//cache-lookup")) == 1


def test_a_preflight_meets_no_operation() -> None:
    cors = {"allow_origins": ["https://www.shop.example"], "allow_methods": ["GET"]}
    with_cors = compiled({"ANY /a": {"backend": "orders", "auth": "none"}}, defaults={"cors": cors}).api
    without = compiled({"ANY /a": {"backend": "orders", "auth": "none"}}).api
    assert with_cors is not None
    assert without is not None
    assert "options" not in with_cors.body["paths"]["/a"]
    assert "options" in without.body["paths"]["/a"]


def test_branches_grow_with_settings_and_not_with_routes() -> None:
    def branches(count: int) -> int:
        routes = {
            f"GET /r{n}": {"backend": "orders", "auth": {"authorizer": "main", "scopes": ["orders.read"]}}
            for n in range(count)
        }
        return len(element(policy(routes)).findall(".//when"))

    assert branches(200) == branches(2)


def test_one_route_more_changes_its_own_lines_alone() -> None:
    routes = {
        f"GET /r{n}/{{id}}": {
            "backend": "orders" if n % 2 else "next",
            "auth": {"authorizer": "main", "scopes": [f"scope.{n % 5}"]},
            "throttle": {"rate": f"{n % 3 + 1}/s", "per": "ip"},
        }
        for n in range(30)
    }
    before = policy(routes).splitlines()
    more = {"GET /new/{name}": {"backend": "orders", "auth": {"authorizer": "main", "scopes": ["scope.new"]}}}
    after = policy({**routes, **more}).splitlines()
    assert [line for line in before if line not in after] == []
    added = [line for line in after if line not in before]
    assert added
    assert all("new" in line for line in added)


def test_the_order_of_keys_changes_nothing() -> None:
    routes = {
        f"GET /r{n}": {"backend": "orders", "auth": {"authorizer": "main", "scopes": [f"s{n}"]}} for n in range(6)
    }
    assert policy(routes) == policy(dict(reversed(routes.items())))


def test_a_method_falls_through_to_the_less_specific_route() -> None:
    api = compiled(
        {
            "GET /orders/list": {"backend": "orders", "auth": "none"},
            "ANY /orders/*": {"backend": "next", "auth": "main"},
        }
    ).api
    assert api is not None
    assert sorted(api.body["paths"]["/orders/list"]) == ["delete", "get", "head", "options", "patch", "post", "put"]
    lookup = element(api.policy).find(".//set-variable[@name='settings']").get("value")
    found = re.findall(r'case "(\w+)-orders-list":', lookup)
    assert len(found) == 7
    assert re.search(r'case "get-orders-list":\s*return "anybody\|', lookup)


def test_routes_told_apart_by_a_header_share_an_operation_and_are_asked_in_turn() -> None:
    text = policy(
        {
            "GET /a": {"backend": "orders", "auth": "none"},
            "GET /a (beta)": {"backend": "next", "auth": "none", "match": {"headers": {"x-beta": "yes"}}},
        }
    )
    lookup = element(text).find(".//set-variable[@name='settings']").get("value")
    case = lookup[lookup.index('case "get-a":') :]
    assert case.index('ContainsKey("x-beta")') < case.index('return "anybody|none|none|none|none|orders|')


HOSTILE = st.text(
    st.sampled_from("\"'<>&@(){}[]\\;:/= \n\t-#%$aA0é\u2028") | st.characters(exclude_categories=["Cs", "Cc"]),
    max_size=12,
)


@settings(max_examples=60, deadline=None)
@given(HOSTILE, HOSTILE, HOSTILE)
def test_no_text_of_a_spec_becomes_xml_or_code(value: str, audience: str, body: str) -> None:
    try:
        text = policy(
            {
                "GET /a": {
                    "backend": "orders",
                    "auth": {
                        "authorizer": "main",
                        "scopes": [f"s{value}".replace(" ", "")],
                        "claims": {"role": [value]},
                    },
                    "headers": {"request": {"set": {"x-said": value}}},
                },
                "GET /b": {"respond": {"status": 200, "body": body, "content_type": "text/plain"}, "auth": "none"},
            },
            authorizers={"main": {"jwt": {"issuer": "https://login.shop.example/", "audiences": [f"a{audience}"]}}},
        )
    except SpecError:
        return  # refused before anything is printed
    plain = policy(
        {
            "GET /a": {
                "backend": "orders",
                "auth": {"authorizer": "main", "scopes": ["s"], "claims": {"role": ["x"]}},
                "headers": {"request": {"set": {"x-said": "x"}}},
            },
            "GET /b": {"respond": {"status": 200, "body": "x", "content_type": "text/plain"}, "auth": "none"},
        },
        authorizers={"main": {"jwt": {"issuer": "https://login.shop.example/", "audiences": ["a"]}}},
    )
    assert policy_xsd.names(element(text)) == policy_xsd.names(element(plain))
    assert element(text).findtext(".//audience") == f"a{audience}"
    assert "{{" not in text
    assert policy_xsd.problems(text) == []


def test_the_rate_of_an_address_stands_before_all_else_and_for_websockets_too() -> None:
    routes = {"GET /a": {"backend": "orders", "auth": "main"}, "WS /live": {"backend": "orders", "auth": "main"}}
    artifact = compiled(routes, waf={"managed": [], "rate_per_ip": "50/s"})
    assert artifact.api is not None
    for text in (artifact.api.policy, artifact.websockets[0].policy):
        names = policy_xsd.names(element(text).find("inbound"))
        assert names.index("rate-limit-by-key") < names.index("validate-jwt")
        limit = element(text).find(".//rate-limit-by-key")
        assert (limit.get("calls"), limit.get("renewal-period")) == ("3000", "60")


def test_a_certificate_that_names_no_address_is_not_asked_of_one() -> None:
    secure = {"orders": {"port": 8443, "protocol": "https"}}
    routes = {"GET /a": {"backend": "orders", "auth": "none"}}
    with pytest.raises(SpecError, match="checks the name of a certificate"):
        compiled(routes, backends=secure)
    artifact = compiled(routes, {"backends": {"orders": {"url": "https://orders.example"}}}, backends=secure)
    assert artifact.backends["orders"].url == "https://orders.example"


# -- what stands around a gateway --------------------------------------------------------------------------------------

AROUND = {
    "self-hosted": Surroundings(external_cache=True, only_self_hosted=True),
    "front-door": Surroundings(
        front_door_id="front-door-id", client_address="header", address_header="X-Azure-SocketIP"
    ),
    "firewall": Surroundings(client_address="header", address_header="X-Client-IP"),
}
WATCHED: dict[str, Any] = {
    "waf": {"managed": [], "allow": ["203.0.113.0/24"], "deny": ["198.51.100.0/24"], "rate_per_ip": "50/s"},
    "defaults": {"cors": {"allow_origins": ["https://www.shop.example"], "allow_methods": ["GET"]}},
}


def surrounded(surroundings: Surroundings) -> dict[str, Any]:
    """The policies of an API and of a WebSocket: their inbound sections."""
    routes = {
        "GET /a": {
            "backend": "orders",
            "auth": "main",
            "throttle": {"rate": "1/s", "per": "client"},
            "cache": {"ttl": "1m", "share": "per_user"},
        },
        "WS /live": {"backend": "orders", "auth": "main", "throttle": {"rate": "1/s", "per": "ip"}},
    }
    edge = resolve(from_data(spec(routes, **WATCHED)))
    web = [route for route in edge.routes if not route.websocket]
    texts = {
        "api": compile_policy(edge, web, operations(web), surroundings).api.xml(),
        "websocket": websocket_policy(edge, edge.route("WS /live"), surroundings).xml(),
    }
    assert [policy_xsd.problems(text) for text in texts.values()] == [[], []]
    return {name: element(text).find("inbound") for name, text in texts.items()}


def heads(inbound: Any) -> list[str]:
    """The policies of a section, without what is in them."""
    return [item.tag for item in inbound.findall("*")]


@pytest.mark.parametrize("case", AROUND)
def test_what_stands_around_a_gateway_changes_what_was_reviewed(case: str) -> None:
    edge = resolve(load(GOLDEN / "slice.edge.yaml"))
    found = compile_policy(edge, edge.routes, operations(edge.routes), AROUND[case]).api.xml()
    assert_golden(GOLDEN / "surroundings" / f"slice.{case}.policy.xml", found)


def test_without_surroundings_all_is_as_it_was() -> None:
    edge = resolve(load(GOLDEN / "slice.edge.yaml"))
    found = compile_policy(edge, edge.routes, operations(edge.routes), Surroundings()).api.xml()
    assert_golden(GOLDEN / "slice.gateway-first.policy.xml", found)


@pytest.mark.parametrize("which", ["api", "websocket"])
def test_azures_own_gateway_is_no_way_round_a_self_hosted_one(which: str) -> None:
    # CORS has to be the first policy; what it answers are preflights, which reach nothing.
    first = next(item for item in surrounded(AROUND["self-hosted"])[which].findall("*") if item.tag != "cors")
    assert [when.get("condition") for when in first] == ["@(context.Deployment.Gateway.IsManaged)"]
    assert first.find("when/return-response/set-status").get("code") == "403"


@pytest.mark.parametrize("which", ["api", "websocket"])
def test_a_request_of_another_front_door_is_refused_before_all_else(which: str) -> None:
    inbound = surrounded(AROUND["front-door"])[which]
    check = inbound.find("check-header")
    assert (check.get("name"), check.get("failed-check-httpcode"), check.get("ignore-case")) == (
        "X-Azure-FDID",
        "403",
        "false",
    )
    assert [item.text for item in check.findall("value")] == ["{{front-door-id}}"]
    assert heads(inbound)[heads(inbound).index("base") + 1] == "check-header"


@pytest.mark.parametrize("which", ["api", "websocket"])
def test_a_request_past_the_firewall_is_refused_and_the_address_is_the_headers(which: str) -> None:
    inbound = surrounded(AROUND["firewall"])[which]
    refusal = inbound.findall("*")[heads(inbound).index("base") + 1]
    assert refusal.find("when").get("condition") == (
        '@(context.Request.Headers.GetValueOrDefault("X-Client-IP", "") == "")'
    )
    assert refusal.find("when/return-response/set-status").get("code") == "403"
    keys = [item.get("counter-key") for item in inbound.iter("rate-limit-by-key")]
    assert len(keys) >= 2
    assert all('GetValueOrDefault("X-Client-IP", "")' in key for key in keys)
    assert not any("IpAddress" in key for key in keys)
    assert inbound.find("ip-filter") is None


def test_a_header_that_need_not_be_there_is_not_asked_for() -> None:
    lenient = Surroundings(client_address="header", address_header="X-Client-IP", trusted_header_required=False)
    inbound = surrounded(lenient)["api"]
    assert heads(inbound)[heads(inbound).index("base") + 1] == "rate-limit-by-key"


def test_a_client_that_comes_itself_is_known_by_its_connection() -> None:
    for inbound in surrounded(Surroundings()).values():
        assert len(inbound.findall("ip-filter")) == 2
        assert all("IpAddress" in item.get("counter-key") for item in inbound.iter("rate-limit-by-key"))


def test_a_cache_of_ones_own_or_an_external_one() -> None:
    kinds = [
        surrounded(item)["api"].find(".//cache-lookup").get("caching-type")
        for item in (Surroundings(), AROUND["self-hosted"])
    ]
    assert kinds == ["prefer-external", "external"]


@pytest.mark.parametrize("header", ["", "X-Client-IP"])
def test_an_address_in_a_header_has_a_header(header: str) -> None:
    with pytest.raises(ValueError, match="a header that has a name"):
        Surroundings(client_address="peer" if header else "header", address_header=header)


# -- streams and retries -----------------------------------------------------------------------------------------------


def forwarded(route: dict[str, Any]) -> Any:
    return element(policy({"GET /a": {"backend": "orders", "auth": "none", **route}})).find("backend//forward-request")


def test_a_stream_goes_on_piece_by_piece_and_an_answer_that_is_kept_does_not() -> None:
    idle = {"timeout": {"idle": "2m"}}
    assert forwarded(idle).get("buffer-response") == "false"
    assert forwarded({}).get("buffer-response") is None
    assert forwarded({**idle, "cache": {"ttl": "10s"}}).get("buffer-response") is None
    findings = compiled({"GET /a": {"backend": "orders", "auth": "none", **idle}}).findings
    assert "Timeout.(idle of a stream)" in [item.field for item in findings]


def test_a_body_is_kept_for_another_try() -> None:
    retried = forwarded({"retry": {"attempts": 2, "on": ["5xx"]}, "timeout": {"idle": "2m"}})
    assert retried.getparent().tag == "retry"
    assert (retried.get("buffer-request-body"), retried.get("buffer-response")) == ("true", "false")
    assert forwarded({}).get("buffer-request-body") is None


# -- hosts -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("topology", "header"),
    [
        ("gateway-first", None),
        ("balancer-first", None),
        ("appgw-waf", "X-Original-Host"),
        ("front-door", "X-Forwarded-Host"),
    ],
)
def test_a_redirect_to_the_same_host_names_the_one_that_the_client_asked(
    topology: Topology, header: str | None
) -> None:
    hosts = ["api.shop.example", "shop.example"]
    routes = {"GET /a": {"redirect": "/b", "auth": "none"}, "GET /c": {"redirect": "/d", "auth": "none"}}
    edge = resolve(from_data(spec(routes, listener={"host": hosts})))
    api = compile_edge(edge, {}, topology, placeholders=True).api
    assert api is not None
    found = [
        item.findtext("value")
        for item in element(api.policy).iterfind(".//return-response/set-header[@name='Location']")
    ]
    assert len(found) == 2
    for host in hosts:
        asked = {"host": host} if header is None else {"host": "gateway.example", "headers": {header: host}}
        of = csharp_twin.context(request={"path": "/a", **asked})
        assert {csharp_twin.run(code, of) for code in found} == {f"https://{host}/b", f"https://{host}/d"}
    if header is not None:
        forged = csharp_twin.context(request={"host": "gateway.example", "headers": {header: "evil.example"}})
        assert {csharp_twin.run(code, forged) for code in found} == {f"https://{hosts[0]}/b", f"https://{hosts[0]}/d"}


# -- names -------------------------------------------------------------------------------------------------------------


def test_settings_whose_names_have_one_digest_are_still_two(monkeypatch: pytest.MonkeyPatch) -> None:
    class Digest:
        def __init__(self, data: bytes) -> None:
            self.real = sha256(data).hexdigest()

        def hexdigest(self) -> str:
            return f"{'0' * 6}{self.real[6:]}"

    monkeypatch.setattr(compile_policy_module, "sha256", Digest)
    limit = {"rate": "5/s", "per": "ip"}
    text = policy({f"GET /a{n}": {"backend": "orders", "auth": "none", "throttle": limit} for n in range(3)})
    keys = [item.get("counter-key") for item in element(text).iter("rate-limit-by-key")]
    assert sorted(re.findall(r"GET /a\d(?=:m)", " ".join(keys))) == ["GET /a0", "GET /a1", "GET /a2"]
    whens = [item.get("condition") for item in element(text).iter("when") if '"limits"' in item.get("condition")]
    assert len(set(whens)) == 3
