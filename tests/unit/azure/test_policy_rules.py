"""The rules of policy documents: that each one fires, and that everything which is compiled keeps them all."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import pytest

import policy_rules
import policy_xsd
from edgewright.azure.artifact import Artifact
from edgewright.azure.compile import compile_edge
from edgewright.azure.policy import TAKES_CODE
from edgewright.azure.topology import TOPOLOGIES, Topology
from edgewright.edge.resolve import resolve
from edgewright.spec.document import from_data, load
from edgewright.spec.problems import SpecError

REPOSITORY = Path(__file__).parents[3]
GOLDEN = REPOSITORY / "tests" / "golden" / "azure"
SPECS = sorted(
    path
    for folder in ("stacks", "examples", "tests/golden/azure", "tests/golden/aws")
    for path in (REPOSITORY / folder).rglob("*.edge.yaml")
)


@cache
def compiled(spec: Path, topology: Topology) -> Artifact | None:
    try:
        return compile_edge(resolve(load(spec)), {}, topology, placeholders=True)
    except SpecError:
        return None


# -- what is compiled keeps them ---------------------------------------------------------------------------------------


COMPILED = [(spec, topology) for spec in SPECS for topology in TOPOLOGIES if compiled(spec, topology) is not None]


@pytest.mark.parametrize(("spec", "topology"), COMPILED, ids=lambda item: getattr(item, "stem", item))
def test_the_documents_of_every_spec_keep_the_rules(spec: Path, topology: Topology) -> None:
    artifact = compiled(spec, topology)
    assert artifact is not None
    for name, text, around in policy_rules.documents(artifact):
        assert policy_rules.problems(text, **around) == [], name
        assert policy_xsd.problems(text) == [], name


def test_most_specs_of_the_repository_are_compiled_by_some_topology() -> None:
    done = [spec for spec in SPECS if any(compiled(spec, topology) for topology in TOPOLOGIES)]
    assert len(done) >= len(SPECS) // 2


@pytest.mark.parametrize("file", sorted(GOLDEN.glob("*.xml")), ids=lambda path: path.stem)
def test_a_reviewed_document_is_one_of_those_that_were_checked(file: Path) -> None:
    text = file.read_text(encoding="utf-8")
    artifacts = [compiled(spec, topology) for spec in SPECS for topology in TOPOLOGIES]
    assert any(
        document == text
        for artifact in artifacts
        if artifact is not None
        for _, document, _ in policy_rules.documents(artifact)
    )


@pytest.mark.parametrize(("side", "header"), [("response", "server"), ("request", "x-forwarded-for")])
def test_a_header_that_cannot_be_deleted_stays_and_the_plan_says_so(side: str, header: str) -> None:
    data = {
        "name": "shop",
        "listener": {"host": "api.shop.example"},
        "backends": {"orders": {"port": 8080}},
        "routes": {"GET /a": {"backend": "orders", "headers": {side: {"remove": [header, "x-powered-by"]}}}},
    }
    edge, field = resolve(from_data(data)), "HeaderChange.(server or x-forwarded-for removed)"
    artifact = compile_edge(edge, {}, "gateway-first", placeholders=True)
    assert [(item.level, item.routes) for item in artifact.findings if item.field == field] == [
        ("approximated", ("GET /a",))
    ]
    assert artifact.api is not None
    deleted = policy_xsd.parse(artifact.api.policy).iterfind(".//set-header[@exists-action='delete']")
    assert [item.get("name") for item in deleted] == ["x-powered-by"]
    for _, text, around in policy_rules.documents(artifact):
        assert policy_rules.problems(text, **around) == []


def test_where_texts_of_a_spec_become_code_microsoft_allows_expressions() -> None:
    for place in TAKES_CODE:
        policy, _, name = re.sub("[@/]", " ", place.replace("set-url", "send-request set-url")).partition(" ")
        assert (name or policy) not in policy_rules.ROWS[policy].literal, place


# -- each rule fires ---------------------------------------------------------------------------------------------------

Edit = Callable[[Any], object]


@dataclass(frozen=True)
class Mutation:
    """document: whose text is changed; edit: how; says: what a problem must say then, and does not before."""

    name: str
    document: str
    edit: Edit
    says: str
    around: dict[str, Any] = field(default_factory=dict[str, Any])


def one(root: Any, path: str) -> Any:
    found = root.xpath(path)
    assert found, path
    return found[0]


def put(path: str, xml: str, at: int = 0) -> Edit:
    """Put an element at a place inside of another."""

    def edit(root: Any) -> None:
        parent = one(root, path)
        parent.insert(at if at >= 0 else len(parent) + 1 + at, policy_xsd.parse(xml))

    return edit


def give(path: str, **attributes: str | None) -> Edit:
    """Give an element attributes; None takes one away."""

    def edit(root: Any) -> None:
        element = one(root, path)
        for name, value in attributes.items():
            if value is None:
                element.attrib.pop(name.replace("_", "-"))
            else:
                element.set(name.replace("_", "-"), value)

    return edit


def say(path: str, text: str) -> Edit:
    def edit(root: Any) -> None:
        one(root, path).text = text

    return edit


def drop(path: str) -> Edit:
    def edit(root: Any) -> None:
        element = one(root, path)
        element.getparent().remove(element)

    return edit


def twice(path: str) -> Edit:
    def edit(root: Any) -> None:
        element = one(root, path)
        element.addnext(policy_xsd.parse(policy_xsd.etree.tostring(element, with_tail=False).decode()))

    return edit


def move(path: str, before: str) -> Edit:
    def edit(root: Any) -> None:
        element, other = one(root, path), one(root, before)
        other.addprevious(element)

    return edit


API, OWN, SOCKET = (
    "everything.gateway-first.policy",
    "everything.gateway-first.get-items-mine",
    "everything.gateway-first.everything-ws-live",
)
AROUND: dict[str, dict[str, Any]] = {
    API: {"scope": "api", "tier": "StandardV2"},
    OWN: {"scope": "operation", "tier": "StandardV2"},
    SOCKET: {"scope": "websocket", "tier": "StandardV2"},
}
LIMIT = "//rate-limit-by-key"
JWT = '<validate-jwt header-name="Authorization"><openid-config url="https://a/"/><audiences><audience>a</audience></audiences></validate-jwt>'
LOOKUP = '<cache-lookup vary-by-developer="false" vary-by-developer-groups="false"/>'
REFUSAL = '<choose><when condition="@(context.Request.Method == &quot;X&quot;)"><return-response><set-status code="401" reason=""/></return-response></when></choose>'

MUTATIONS = (
    # Form and place.
    Mutation("no sections", API, lambda root: setattr(root, "tag", "policy"), "the root is `policy`"),
    Mutation("sections in another order", API, move("//outbound", "//backend"), "the sections are"),
    Mutation("a section missing", API, drop("//on-error"), "the sections are"),
    Mutation("base inside of choose", API, put("//inbound/choose[1]/when[2]", "<base/>"), "<base/> stands directly in a section"),
    Mutation("base twice", API, twice("//inbound/base"), "<base/> stands twice"),
    Mutation("no base in inbound", API, drop("//inbound/base"), "without <base/> the wider scopes"),
    Mutation("no base in outbound", API, drop("//outbound/base"), "without <base/> the wider scopes"),
    Mutation("no base in on-error", API, drop("//on-error/base"), "without <base/> the wider scopes"),
    Mutation("base in a global document", API, give("//inbound"), "there is no <base/> in a global", {"scope": "global"}),
    Mutation("two policies in backend", API, put("//backend", "<set-variable name='a' value='b'/>"), "the backend section has 2"),
    Mutation("nothing in backend", API, drop("//backend/*"), "the backend section has 0"),
    Mutation("base beside a policy in backend", API, put("//backend", "<base/>"), "the backend section has 2"),
    # Sections.
    Mutation("a token in outbound", API, put("//outbound", JWT), "`validate-jwt` may not stand in outbound"),
    Mutation("a limit in backend", API, put("//backend/choose/when", '<rate-limit-by-key calls="1" renewal-period="1" counter-key="a"/>'), "may not stand in backend"),
    Mutation("forward in inbound", API, put("//inbound", "<forward-request/>", -1), "`forward-request` may not stand in inbound"),
    Mutation("a store in inbound", OWN, move("//cache-store", "//inbound/base"), "`cache-store` may not stand in inbound"),
    Mutation("a body in on-error", API, put("//on-error", "<set-body>a</set-body>", -1), "`set-body` may not stand in on-error"),
    Mutation("a backend in on-error", API, put("//on-error", '<set-backend-service backend-id="a"/>', -1), "may not stand in on-error"),
    Mutation("an unknown policy", API, put("//inbound", "<sparkle/>", -1), "`sparkle` is not known"),
    Mutation("a rewrite in outbound", API, put("//outbound", '<rewrite-uri template="/a" copy-unmatched-params="true"/>'), "`rewrite-uri` may not stand in outbound"),
    # Scopes.
    Mutation("quota at API scope", API, put("//inbound", '<quota calls="1" renewal-period="300"/>', -1), "`quota` may not stand at api scope"),
    Mutation("rate-limit at global scope", API, put("//inbound", '<rate-limit calls="1" renewal-period="60"/>', -1), "`rate-limit` may not stand at global scope", {"scope": "global"}),
    Mutation("cors at product scope", API, give("//inbound"), "`cors` may not stand at product scope", {"scope": "product"}),
    Mutation("cors on a handshake", SOCKET, put("//inbound", '<cors terminate-unmatched-request="true"><allowed-origins><origin>https://a</origin></allowed-origins></cors>'), "the handshake of a WebSocket takes no `cors`"),
    Mutation("a mock on a handshake", SOCKET, put("//inbound", "<mock-response/>", -1), "the handshake of a WebSocket takes no `mock-response`"),
    Mutation("a body on a handshake", SOCKET, put("//inbound", "<set-body>a</set-body>", -1), "the handshake of a WebSocket takes no `set-body`"),
    # Gateways and tiers.
    Mutation("a limit by key on Consumption", API, give("//inbound"), "`rate-limit-by-key`: a consumption gateway has it not", {"tier": "Consumption"}),
    Mutation("a quota by key on Consumption", API, give("//inbound"), "`quota-by-key`: a consumption gateway has it not", {"tier": "Consumption"}),
    Mutation("the built-in cache on Consumption", OWN, give("//cache-lookup", caching_type="internal"), "a consumption gateway has no cache", {"tier": "Consumption"}),
    Mutation("the built-in cache on a self-hosted gateway", OWN, give("//cache-lookup"), "a self-hosted gateway has no cache", {"gateway": "self-hosted", "tier": "Premium"}),
    Mutation("a cache of no said kind on a self-hosted gateway", OWN, give("//cache-lookup", caching_type=None), "a self-hosted gateway has no cache", {"gateway": "self-hosted", "tier": "Premium"}),
    Mutation("connections on a self-hosted gateway", API, put("//inbound", '<get-authorization-context provider-id="a" authorization-id="a" context-variable-name="c"/>', -1), "skips it in silence", {"gateway": "self-hosted", "tier": "Premium"}),
    Mutation("a managed identity on a self-hosted gateway", API, put("//inbound", '<authentication-managed-identity resource="a"/>', -1), "skips it in silence", {"gateway": "self-hosted", "tier": "Premium"}),
    Mutation("Dapr on a managed gateway", API, put("//inbound", "<invoke-dapr-binding name='a'/>", -1), "`invoke-dapr-binding`: a v2 gateway"),
    # Once.
    Mutation("two look-ups", OWN, twice("//cache-lookup"), "`cache-lookup` may stand once in a section"),
    Mutation("two look-ups in two whens", OWN, twice("//inbound/choose"), "`cache-lookup` may stand once in a section"),
    Mutation("two stores", OWN, twice("//outbound/choose"), "`cache-store` may stand once in a section"),
    Mutation("two values from the cache", API, put("//inbound", '<wait><cache-lookup-value key="a" variable-name="a"/><cache-lookup-value key="b" variable-name="b"/></wait>', -1), "`cache-lookup-value` may stand once in a section"),
    Mutation("two checks of statuses", API, put("//outbound", '<retry condition="@(true)" count="1" interval="1"><validate-status-code unspecified-status-code-action="prevent"/><validate-status-code unspecified-status-code-action="prevent"/></retry>'), "`validate-status-code` may stand once in a section"),
    Mutation("two rate-limits", API, put("//inbound/choose[3]/when", '<wait><rate-limit calls="1" renewal-period="60"/><rate-limit calls="1" renewal-period="60"/></wait>'), "`rate-limit` may stand once in a document"),
    Mutation("two cors", API, twice("//cors"), "`cors` may stand once in a section"),
    # Numbers.
    Mutation("a period of six minutes", API, give(LIMIT, renewal_period="360"), "`renewal-period` is 360"),
    Mutation("a period of nothing", API, give(LIMIT, renewal_period="0"), "`renewal-period` is 0"),
    Mutation("no calls", API, give(LIMIT, calls="0"), "`calls` is 0"),
    Mutation("a period in minutes", API, give(LIMIT, renewal_period="1m"), "`renewal-period` is `1m`, no whole number"),
    Mutation("a quota of a minute", API, give("//quota-by-key", renewal_period="60"), "a period of 60 s is shorter"),
    Mutation("a quota without a period", API, give("//quota-by-key", renewal_period=None), "a quota needs a renewal-period"),
    Mutation("a quota of nothing", API, give("//quota-by-key", calls=None), "a quota needs calls or bandwidth"),
    Mutation("a quota from an odd day", API, give("//quota-by-key", first_period_start="2018-01-01"), "first-period-start is"),
    Mutation("51 tries", API, give("//retry", count="51"), "`count` is 51"),
    Mutation("no try", API, give("//retry", count="0"), "`count` is 0"),
    Mutation("no pause", API, give("//retry", interval="0"), "`interval` is 0"),
    Mutation("no time", API, give("//forward-request", timeout="0"), "`timeout` is 0"),
    Mutation("two times", API, give("//forward-request", timeout_ms="100"), "timeout and timeout-ms"),
    Mutation("a status of 700", API, give("//otherwise/return-response/set-status", code="700"), "`code` is 700"),
    Mutation("a refusal with 200", API, give("//validate-jwt", failed_validation_httpcode="200"), "`failed-validation-httpcode` is 200"),
    Mutation("a cache for no time", OWN, give("//cache-store", duration="0"), "`duration` is 0"),
    Mutation("clocks an hour apart", API, give("//validate-jwt", clock_skew="3600"), "`clock-skew` is 3600"),
    # Literals.
    Mutation("a quota by an expression", API, give("//quota-by-key", calls="@(5)"), "`calls` takes no expression"),
    Mutation("a header's name by an expression", API, give(LIMIT, retry_after_header_name="@(&quot;a&quot;)"), "`retry-after-header-name` takes no expression"),
    Mutation("a mock by an expression", API, put("//inbound", '<mock-response status-code="@(200)"/>', -1), "`status-code` takes no expression"),
    Mutation("a variable's name by an expression", API, give("//set-variable", name="@(1)"), "`name` takes no expression"),
    Mutation("a query's name by an expression", OWN, say("//vary-by-query-parameter", " @(context.Api.Id)"), "`vary-by-query-parameter` takes no expression"),
    Mutation("an origin by an expression", API, say("//origin", "@(context.Api.Id)"), "`origin` takes no expression"),
    Mutation("a caching type by an expression", OWN, give("//cache-lookup", caching_type="@(1)"), "`caching-type` takes no expression"),
    # Combinations.
    Mutation("any origin with credentials", API, lambda root: (give("//cors", allow_credentials="true")(root), say("//origin", "*")(root))[0], "`*` with credentials"),
    Mutation("any header with credentials", API, lambda root: (give("//cors", allow_credentials="true")(root), say("//allowed-headers/header", "*")(root))[0], "`*` with credentials"),
    Mutation("any origin beside another", API, put("//allowed-origins", "<origin>*</origin>"), "`*` stands beside other origins"),
    Mutation("an origin with a path", API, say("//origin", "https://a.example/path"), "is no origin"),
    Mutation("an ending that is not said", API, give("//cors", terminate_unmatched_request=None), "terminate-unmatched-request is not said"),
    Mutation("a token from two places", API, give("//validate-jwt", query_parameter_name="t"), "reads the token from 2 places"),
    Mutation("a scheme in another header", API, give("//validate-jwt", header_name="x-token"), "require-scheme is ignored"),
    Mutation("no keys", API, drop("//openid-config"), "it has no keys"),
    Mutation("unsigned tokens", API, give("//validate-jwt", require_signed_tokens="false"), "require-signed-tokens is off"),
    Mutation("tokens for ever", API, give("//validate-jwt", require_expiration_time="false"), "require-expiration-time is off"),
    Mutation("metadata by http", API, give("//openid-config", url="http://login.example/"), "by https only"),
    Mutation("no audience", API, drop("//validate-jwt/audiences"), "asks for no audience"),
    Mutation("a header of the connection", API, give("//set-header[@name='x-api-version']", name="Transfer-Encoding"), "`transfer-encoding` cannot be changed"),
    Mutation("the server's name taken away", API, put("//outbound", '<set-header name="X-Forwarded-For" exists-action="delete"/>'), "`x-forwarded-for` cannot be deleted"),
    Mutation("a header without a value", API, drop("//set-header[@name='x-api-version']/value"), "has 0 values"),
    Mutation("a look-up without a store", OWN, drop("//outbound/choose"), "need each other"),
    Mutation("a store without a look-up", OWN, drop("//inbound/choose"), "need each other"),
    Mutation("two ways to name a backend", API, give("//set-backend-service", base_url="https://a"), "one of them"),
    Mutation("a backend that is not there", API, give("//set-backend-service", backend_id="nobody"), "there is no backend `nobody`", {"backends": ["items"]}),
    Mutation("a body sent twice", API, give("//retry/forward-request", buffer_request_body=None), "cannot be sent again"),
    Mutation("a query that is not said", API, give("//rewrite-uri", copy_unmatched_params=None), "copy-unmatched-params is not said"),
    Mutation("a path with an expression inside", API, give("//rewrite-uri", template="a@(1)"), "a template begins with a slash"),
    Mutation("a range as CIDR", API, give("//address-range", **{"from": "198.51.100.0/24"}), "a range is no CIDR"),
    Mutation("a range from its end", API, give("//address-range", to="198.51.99.0"), "is empty"),
    Mutation("no address", API, lambda root: [item.getparent().remove(item) for item in root.xpath("//address-range")] and None, "it lists no address"),
    Mutation("one key with two numbers", API, lambda root: one(root, LIMIT).set("counter-key", root.xpath(LIMIT)[1].get("counter-key")), "under the same key"),
    Mutation("an answer that nothing holds", API, put("//inbound", '<send-request mode="new" timeout="5"><set-url>https://a</set-url><set-method>GET</set-method></send-request>', -1), "nothing holds the answer"),
    Mutation("a request to nowhere", API, put("//inbound", '<send-request mode="new" timeout="5" response-variable-name="r"><set-method>GET</set-method></send-request>', -1), "a new request needs set-url"),
    Mutation("a request that waits", API, put("//inbound", '<send-request mode="new" response-variable-name="r"><set-url>https://a</set-url><set-method>GET</set-method></send-request>', -1), "without a timeout"),
    # Order.
    Mutation("cors below base", API, move("//inbound/base", "//cors"), "cors is not the first policy"),
    Mutation("addresses below the token", API, move("//ip-filter", "//inbound/choose[2]"), "`ip-filter` below authentication"),
    Mutation("a header checked below the token", SOCKET, put("//inbound", '<check-header name="a" failed-check-httpcode="403" failed-check-error-message="a" ignore-case="true"/>', -1), "`check-header` below authentication"),
    Mutation("a token below the cache", OWN, put("//inbound", JWT, -1), "`validate-jwt` below cache-lookup"),
    Mutation("a token below the cache of another when", OWN, put("//inbound/choose/when", JWT, -1), "`validate-jwt` below cache-lookup"),
    Mutation("a refusal below the cache", OWN, put("//inbound", REFUSAL, -1), "`when` below cache-lookup"),
    Mutation("an address below the cache", OWN, put("//inbound", '<ip-filter action="allow"><address>192.0.2.1</address></ip-filter>', -1), "`ip-filter` below cache-lookup"),
    Mutation("a rewrite above the cache", OWN, put("//inbound/choose/when", '<rewrite-uri template="/a" copy-unmatched-params="true"/>'), "cache-lookup below rewrite-uri"),
    Mutation("private answers of nobody", OWN, lambda root: (drop("//inbound/base")(root), put("//inbound", "<set-variable name='cache' value='30s per-user:23b905'/>")(root))[0], "where nobody was authenticated"),
    # Ways.
    Mutation("a backend that is never asked", API, drop("//backend/choose/when/forward-request"), "a way neither reaches a backend nor answers"),
    Mutation("a backend asked twice", API, twice("//backend/choose/when/forward-request"), "a way forwards twice"),
    Mutation("a variable that is set by nobody", OWN, lambda root: None, "the variable `cache` is read", {"parent": None}),
    Mutation("a variable that is set too late", API, move("//set-variable[@name='change']", "//set-backend-service"), "the variable `change` is read"),
    Mutation("a variable that only another way sets", API, give("//inbound/choose[1]/when[contains(@condition, 'by main')]/validate-jwt", output_token_variable_name="other"), "the variable `token` is read"),
    Mutation("a variable that may be missing in on-error", API, drop("//on-error/set-variable"), "the variable `status` is read"),
    Mutation("the token in on-error", API, put("//on-error", '<set-variable name="who" value="@(((Jwt)context.Variables[&quot;token&quot;]).Subject)"/>', 1), "the variable `token` is read"),
    Mutation("a value that the cache may not have", API, put("//inbound", '<wait><cache-lookup-value key="a" variable-name="seen"/><set-variable name="again" value="@((string)context.Variables[&quot;seen&quot;])"/></wait>', -1), "the variable `seen` is read"),
    # References and code.
    Mutation("a fragment that is not there", API, put("//inbound", '<include-fragment fragment-id="gone"/>'), "there is no fragment `gone`"),
    Mutation("a named value that is not there", API, say("//set-header[@name='x-api-version']/value", "{{secret}}"), "there is no named value `secret`"),
    Mutation("a named value in a comment", API, lambda root: root.append(policy_xsd.etree.Comment(" {{secret}} ")), "there is no named value `secret`"),
    Mutation("a named value in code", API, give("//rewrite-uri", template='@("{{secret}}")'), "there is no named value `secret`"),
    Mutation("half a reference", API, say("//set-header[@name='x-api-version']/value", "a{{b"), "is no reference to a named value"),
    Mutation("code that does not parse", API, give("//rewrite-uri", template='@("a" + )'), "does not parse"),
    Mutation("code with a comment", API, give("//rewrite-uri", template='@("a" /* b */)'), "holds a comment"),
    Mutation("a type that is not allowed", API, give("//rewrite-uri", template='@(System.IO.File.ReadAllText("a"))'), "is not allowed in policies"),
    Mutation("a member that is not there", API, give("//rewrite-uri", template="@(context.Request.Uri)"), "`Request` has no member `Uri`"),
    Mutation("code after code", API, give("//rewrite-uri", template="@(1; return 2)"), "is more than one expression"),
    Mutation("more than 256 KB", API, lambda root: root.append(policy_xsd.etree.Comment("a" * 256 * 1024)), "262,144 are taken"),
    Mutation("more than 16 KB on Consumption", OWN, lambda root: root.append(policy_xsd.etree.Comment("a" * 16 * 1024)), "16,384 are taken", {"tier": "Consumption"}),
)  # fmt: skip


@cache
def golden(name: str) -> str:
    return (GOLDEN / f"{name}.xml").read_text(encoding="utf-8")


def problems_of(text: str, name: str, around: dict[str, Any]) -> list[str]:
    parent = {"parent": golden(API)} if name == OWN else {}
    known: dict[str, Any] = {**AROUND[name], **parent, **around}
    return policy_rules.problems(text, **known)


@cache
def as_it_is(name: str) -> list[str]:
    return problems_of(golden(name), name, {})


@pytest.mark.parametrize("mutation", MUTATIONS, ids=lambda item: item.name)
def test_a_mistake_is_found(mutation: Mutation) -> None:
    root = policy_xsd.parse(golden(mutation.document))
    mutation.edit(root)
    found = problems_of(policy_xsd.etree.tostring(root).decode(), mutation.document, mutation.around)
    before = as_it_is(mutation.document)
    assert [one for one in found if mutation.says in one and one not in before], found


def test_each_mutation_is_another() -> None:
    names = [item.name for item in MUTATIONS]
    assert len(set(names)) == len(names) >= 60
    assert all(item.says for item in MUTATIONS)


def test_what_is_not_xml_is_said() -> None:
    assert policy_rules.problems("<policies>", scope="api")[0].startswith("it is not well-formed")


# -- fragments ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fragment", "says"),
    [
        ("<fragment><base/></fragment>", "there is no <base/> in a fragment"),
        ("<fragment><inbound/></fragment>", "a fragment has no sections"),
        ("<fragment><include-fragment fragment-id='a'/></fragment>", "a fragment may not include another"),
        (f"<fragment>{LOOKUP}</fragment>", "cache-lookup may not stand in a fragment"),
        ("<policies/>", "the root is `policies`"),
        (f"<fragment><set-body>{'a' * 33_000}</set-body></fragment>", "32,768 are taken"),
        ("<fragment><mystery/></fragment>", "`mystery` is not known"),
    ],
)
def test_a_fragment_has_rules_of_its_own(fragment: str, says: str) -> None:
    found = policy_rules.problems(fragment, scope="fragment", fragments={"a": "<fragment/>"})
    assert any(says in one for one in found), found


def test_a_fragment_is_read_where_it_is_included() -> None:
    text = golden(API).replace(
        '<set-backend-service backend-id="@((string)context.Variables[&quot;backend&quot;])" />',
        '<include-fragment fragment-id="route" />',
    )
    assert "include-fragment" in text
    good = '<fragment><set-backend-service backend-id="@((string)context.Variables[&quot;backend&quot;])" /></fragment>'
    bad = '<fragment><set-body>@((string)context.Variables["nobody"])</set-body></fragment>'
    assert problems_of(text, API, {"fragments": {"route": good}}) == as_it_is(API)
    found = problems_of(text, API, {"fragments": {"route": bad}})
    assert any("the variable `nobody` is read" in one for one in found)
    outside = problems_of(
        golden(API).replace("</outbound>", '<include-fragment fragment-id="route"/></outbound>'),
        API,
        {"fragments": {"route": "<fragment><rewrite-uri template='/a' copy-unmatched-params='true'/></fragment>"}},
    )
    assert any("in the fragment: `rewrite-uri` may not stand in outbound" in one for one in outside)


# -- what is no mistake ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "code",
    [
        '@(context.Variables.ContainsKey("x") ? (string)context.Variables["x"] : "")',
        '@(!context.Variables.ContainsKey("x") ? "" : (string)context.Variables["x"])',
        '@(!context.Variables.ContainsKey("x") || (string)context.Variables["x"] == "")',
        '@(context.Variables.ContainsKey("x") && (string)context.Variables["x"] == "")',
        '@(context.Variables.GetValueOrDefault("x", ""))',
        '@{ if (!context.Variables.ContainsKey("x")) { return ""; } return (string)context.Variables["x"]; }',
    ],
)
def test_a_variable_that_is_asked_for_first_may_be_missing(code: str) -> None:
    root = policy_xsd.parse(golden(API))
    put("//on-error", "<set-variable name='y' value=''/>", 1)(root)
    one(root, "//set-variable[@name='y']").set("value", code)
    found = problems_of(policy_xsd.etree.tostring(root).decode(), API, {})
    assert not any("`x`" in item for item in found)


@pytest.mark.parametrize(
    "code",
    [
        '@(context.Variables.ContainsKey("x") || (string)context.Variables["x"] == "")',
        '@(context.Variables.ContainsKey("x") ? "" : (string)context.Variables["x"])',
        '@(context.Variables.ContainsKey("z") && (string)context.Variables["x"] == "")',
        '@{ if (context.Variables.ContainsKey("x")) { return ""; } return (string)context.Variables["x"]; }',
    ],
)
def test_asking_the_wrong_way_round_is_no_guard(code: str) -> None:
    root = policy_xsd.parse(golden(API))
    put("//on-error", "<set-variable name='y' value=''/>", 1)(root)
    one(root, "//set-variable[@name='y']").set("value", code)
    found = problems_of(policy_xsd.etree.tostring(root).decode(), API, {})
    assert any("the variable `x` is read" in item for item in found)


MISSING = '<choose><when condition="@(!context.Variables.ContainsKey(&quot;seen&quot;) || string.IsNullOrEmpty((string)context.Variables[&quot;seen&quot;]))"><set-variable name="{}" value="a" /></when></choose>'


@pytest.mark.parametrize(("name", "mistake"), [("seen", False), ("other", True)])
def test_a_value_of_the_cache_is_there_after_a_way_that_makes_it_up(name: str, mistake: bool) -> None:
    use = "<set-variable name='again' value='@((string)context.Variables[\"seen\"])'/>"
    kept = '<cache-lookup-value key="a" variable-name="seen" caching-type="internal" />'
    root = policy_xsd.parse(golden(API))
    put("//inbound", f"<wait>{kept}{MISSING.format(name)}{use}</wait>", -1)(root)
    found = problems_of(policy_xsd.etree.tostring(root).decode(), API, {})
    assert any("the variable `seen` is read" in item for item in found) is mistake


def test_a_named_value_and_a_backend_that_are_there_are_no_mistake() -> None:
    root = policy_xsd.parse(golden(API))
    say("//set-header[@name='x-api-version']/value", "{{secret}}")(root)
    text = policy_xsd.etree.tostring(root).decode()
    names = ["items", "items-next", "slow", "items-95-items-next-5"]
    around = {"named_values": ["secret"], "backends": names}
    assert problems_of(text, API, around) == as_it_is(API)
    missing = problems_of(text, API, {**around, "backends": names[:2]})
    assert any("there is no backend `slow`" in one for one in missing)


def test_every_row_is_a_policy_of_the_schemas_or_known_without_one() -> None:
    without = {"cross-domain", "set-backend-service-dapr", "xsl-transform", "include-fragment"}
    assert set(policy_rules.ROWS) - policy_xsd.known() <= without
