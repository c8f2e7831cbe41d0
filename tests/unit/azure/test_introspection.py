"""Opaque tokens: who is asked, what is kept, what is refused, and that no secret and no token stands anywhere."""

import base64
import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import policy_xsd
from edgewright.azure.artifact import Artifact
from edgewright.azure.compile import compile_edge
from edgewright.azure.compile_authorizers import basic_credential
from edgewright.azure.compile_operations import operations
from edgewright.azure.compile_policy import Surroundings, compile_policy, websocket_policy
from edgewright.edge.model import Edge
from edgewright.edge.resolve import resolve
from edgewright.spec.document import from_data
from edgewright.spec.problems import SpecError

TOKENS = {"endpoint": "https://login.shop.example/introspect", "client": "edge", "cache": "30s"}


def edge_of(routes: dict[str, Any], **authorizers: dict[str, Any]) -> Edge:
    return resolve(
        from_data(
            {
                "name": "shop",
                "listener": {"host": "api.shop.example"},
                "authorizers": {
                    **{name: {"introspection": item} for name, item in (authorizers or {"tokens": TOKENS}).items()},
                    "main": {"jwt": {"issuer": "https://login.shop.example/", "audiences": ["api://shop"]}},
                },
                "backends": {"orders": {"port": 8080}},
                "routes": {
                    "GET /signed": {"backend": "orders", "auth": "main"},
                    **{key: {"backend": "orders", **item} for key, item in routes.items()},
                },
            }
        )
    )


def compiled(routes: dict[str, Any], bindings: dict[str, Any] | None = None, **authorizers: Any) -> Artifact:
    return compile_edge(edge_of(routes, **authorizers), bindings or {}, "gateway-first", placeholders=True)


def policy(routes: dict[str, Any], **authorizers: Any) -> Any:
    api = compiled(routes, **authorizers).api
    assert api is not None
    assert policy_xsd.problems(api.policy) == []
    return policy_xsd.parse(api.policy)


ONE = {"GET /a": {"auth": "tokens"}}


def test_a_token_is_asked_for_by_a_form_and_in_the_name_of_the_client() -> None:
    request = policy(ONE).find(".//send-request")
    assert request.findtext("set-url") == "https://login.shop.example/introspect"
    assert request.findtext("set-method") == "POST"
    headers = {item.get("name"): item.findtext("value") for item in request.findall("set-header")}
    assert headers["Content-Type"] == "application/x-www-form-urlencoded"
    assert headers["Authorization"] == "Basic {{shop-tokens-introspection}}"
    assert 'EscapeDataString((string)context.Variables["bearer"])' in request.findtext("set-body")
    assert int(request.get("timeout")) <= 10


def test_the_artifact_lists_the_named_values_and_no_policy_holds_a_secret() -> None:
    artifact = compiled({**ONE, "WS /live": {"auth": "tokens"}})
    assert dict(artifact.named_values) == {"shop-tokens-introspection": ("tokens", "edge")}
    assert artifact.api is not None
    for text in (artifact.api.policy, artifact.websockets[0].policy):
        assert re.findall(r"\{\{(.*?)\}\}", text) == list(artifact.named_values)


def test_an_authorizer_that_no_route_asks_for_needs_no_named_value() -> None:
    assert dict(compiled({"GET /a": {"auth": "none"}}).named_values) == {}


def test_a_credential_is_what_basic_authentication_of_a_client_is() -> None:
    found = base64.b64decode(basic_credential("shop edge", 's:e+c&r"et{{x}}')).decode()
    assert found == "shop+edge:s%3Ae%2Bc%26r%22et%7B%7Bx%7D%7D"
    assert re.fullmatch(r"[A-Za-z0-9+/=]+", basic_credential('"', "@(1)"))


def test_without_a_token_nobody_is_asked() -> None:
    branch = policy(ONE).find(".//send-request").getparent()
    while branch.find("set-variable[@name='bearer']") is None:
        branch = branch.getparent()
    names = [item.tag for item in branch.iterchildren("*")]
    refusal = branch.findall("choose")[0]
    assert names.index("choose") < names.index("cache-lookup-value")
    assert '"bearer"] == ""' in refusal.find("when").get("condition")
    assert refusal.find(".//set-status").get("code") == "401"
    assert refusal.find(".//set-header[@name='WWW-Authenticate']/value").text == "Bearer"


@pytest.mark.parametrize(("said", "status"), [("failed", "503"), ("inactive", "401")])
def test_an_endpoint_that_does_not_answer_is_503_and_an_inactive_token_401(said: str, status: str) -> None:
    condition = f'@((string)context.Variables["introspected"] == "{said}")'
    found = [when for when in policy(ONE).iter("when") if when.get("condition") == condition]
    assert [when.find(".//set-status").get("code") for when in found] == [status]


def test_all_that_is_no_answer_of_a_server_counts_as_none() -> None:
    code = policy(ONE).find(".//set-variable[@name='introspected']").get("value")
    assert "answer == null || answer.StatusCode != 200" in code
    assert "Type != JTokenType.Boolean" in code
    assert code.rstrip().endswith('catch { return "failed"; } }')


def test_what_is_kept_is_kept_by_a_digest_and_only_for_active_tokens() -> None:
    root = policy(ONE)
    lookup, store = root.find(".//cache-lookup-value"), root.find(".//cache-store-value")
    assert lookup.get("key") == store.get("key")
    assert "SHA256" in store.get("key")
    assert '(string)context.Variables["auth"]' in store.get("key")
    assert store.get("duration") == "30"
    assert "bearer" not in store.get("value")
    assert store.getparent().tag == "otherwise"
    assert [
        re.findall(r'== "(\w+)"', when.get("condition")) for when in store.getparent().getparent().findall("when")
    ] == [["failed"], ["inactive"]]


def test_a_kept_answer_is_still_refused_once_the_token_has_ended() -> None:
    root = policy(ONE)
    check = next(when for when in root.iter("when") if '["exp"]' in when.get("condition"))
    branch = root.find(".//cache-lookup-value").getparent()
    assert check.getparent().getparent() is branch
    assert check.find(".//set-status").get("code") == "401"
    assert '["nbf"]' in check.get("condition")


def test_another_server_or_client_finds_nothing_that_was_kept_for_the_first() -> None:
    keys = {
        policy(ONE, tokens={**TOKENS, **change}).find(".//cache-lookup-value").get("key")
        for change in ({}, {"endpoint": "https://login.other.example/introspect"}, {"client": "other"})
    }
    assert len(keys) == 3


@pytest.mark.parametrize("cache", ["0s", "900ms"])
def test_what_may_not_be_kept_a_second_is_asked_each_time(cache: str) -> None:
    names = policy_xsd.names(policy(ONE, tokens={**TOKENS, "cache": cache}))
    assert "send-request" in names
    assert not {"cache-lookup-value", "cache-store-value"} & set(names)


def test_several_servers_share_one_look_up_since_a_section_may_hold_one() -> None:
    routes = {"GET /a": {"auth": "one"}, "GET /b": {"auth": "two"}, "GET /c": {"auth": "three"}}
    kinds = {name: {**TOKENS, "client": name} for name in ("one", "two", "three")}
    kinds["two"]["cache"], kinds["three"]["cache"] = "60s", "0s"
    root = policy(routes, **kinds)
    assert [len(root.findall(f".//{name}")) for name in ("cache-lookup-value", "cache-store-value")] == [1, 1]
    assert len(root.findall(".//send-request")) == 3
    store = root.find(".//cache-store-value")
    assert store.get("duration") == (
        '@((string)context.Variables["auth"] == "by one" ? 30 : (string)context.Variables["auth"] == "by two" ? 60 : 1)'
    )
    assert "by three" not in store.getparent().get("condition")


def test_missing_scopes_and_claims_are_403_read_from_the_answer() -> None:
    root = policy({"GET /a": {"auth": {"authorizer": "tokens", "scopes": ["a", "b"], "claims": {"role": ["x"]}}}})
    whens = [
        when
        for when in root.iter("when")
        if "JObject.Parse" in when.get("condition") and "exp" not in when.get("condition")
    ]
    assert len(whens) == 2
    assert {when.find(".//set-status").get("code") for when in whens} == {"403"}
    assert '.Except((new [] { JObject.Parse((string)context.Variables["introspected"])["scope"] })' in whens[0].get(
        "condition"
    )
    assert '["role"]' in whens[1].get("condition")


def test_counters_and_caches_by_subject_know_opaque_tokens_and_jwts() -> None:
    route = {"throttle": {"rate": "1/s", "per": "subject"}, "cache": {"ttl": "10s", "share": "per_user"}}
    root = policy({"GET /a": {"auth": "tokens", **route}})
    key = root.find(".//rate-limit-by-key").get("counter-key")
    assert key.index('ContainsKey("subject")') < key.index('ContainsKey("token")')
    user = root.find(".//set-header[@name='x-edgewright-cache-user']/value").text
    assert user.startswith('@((string)context.Variables["subject"] == "" ? "token:" + ')


def test_answers_kept_by_an_opaque_token_and_by_a_jwt_are_no_branch_of_one() -> None:
    cached = {"cache": {"ttl": "10s", "share": "per_user"}}
    api = compiled({"GET /a": {"auth": "tokens", **cached}, "GET /b": {"auth": "main", **cached}}).api
    assert api is not None
    users = {
        name: policy_xsd.parse(text).find(".//set-header/value").text for name, text in api.operation_policies.items()
    }
    assert "Jwt" in users["get-b"]
    assert "Jwt" not in users["get-a"]


def test_a_self_hosted_gateway_keeps_answers_in_an_external_cache_or_nowhere() -> None:
    edge = edge_of(ONE)
    root = policy_xsd.parse(
        compile_policy(edge, edge.routes, operations(edge.routes), Surroundings(external_cache=True)).api.xml()
    )
    assert {item.get("caching-type") for item in root.iter("cache-lookup-value", "cache-store-value")} == {"external"}


def test_a_handshake_asks_each_time() -> None:
    edge = edge_of({"WS /live": {"auth": {"authorizer": "tokens", "scopes": ["live"]}}})
    text = websocket_policy(edge, edge.route("WS /live")).xml()
    assert policy_xsd.problems(text) == []
    names = policy_xsd.names(policy_xsd.parse(text))
    assert "send-request" in names
    assert not [name for name in names if "cache" in name]
    findings = compiled({"WS /live": {"auth": "tokens"}, "GET /a": {"auth": "tokens"}}).findings
    assert [item.routes for item in findings if item.field == "Introspection.(of a WebSocket)"] == [("WS /live",)]


def test_a_secret_is_sent_over_https_only() -> None:
    with pytest.raises(SpecError, match="would travel unencrypted"):
        compiled(ONE, tokens={**TOKENS, "endpoint": "http://login.shop.example/introspect"})


def test_a_cache_of_answers_asks_for_a_tier_that_has_one() -> None:
    development = {"profile": "development"}
    assert compiled(ONE, {**development, "backends": {"orders": {"url": "https://a.example"}}}).tier == "Developer"
    without = {"GET /a": {"auth": "main"}}
    assert (
        compiled(without, {**development, "backends": {"orders": {"url": "https://a.example"}}}).tier == "Consumption"
    )


HOSTILE = st.text(st.sampled_from("\"'<>&@(){}[]\\;:/= -#%$aA0é\u2028"), min_size=1, max_size=12)


@settings(max_examples=40, deadline=None)
@given(HOSTILE, HOSTILE, HOSTILE)
def test_no_text_of_a_spec_becomes_xml_or_code(path: str, client: str, value: str) -> None:
    def names(path: str, client: str, value: str) -> list[str]:
        tokens = {**TOKENS, "endpoint": f"https://login.shop.example/{path}", "client": client}
        routes = {"GET /a": {"auth": {"authorizer": "tokens", "claims": {value: [value]}}}}
        root = policy(routes, tokens=tokens)
        assert root.find(".//send-request/set-header/value").text == "Basic {{shop-tokens-introspection}}"
        return policy_xsd.names(root)

    try:
        found = names(path.replace(" ", "").replace("#", ""), client, value)
    except SpecError:
        return  # refused before anything is printed
    assert found == names("x", "x", "x")
