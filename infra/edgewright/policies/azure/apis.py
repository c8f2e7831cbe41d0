"""Rules over what a service of API Management holds: APIs, backends, named values, products, keys, diagnostics."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from edgewright.policies import openapi
from edgewright.policies.azure.addresses import Address, address
from edgewright.policies.azure.api_graph import (
    APIS,
    BACKENDS,
    DIAGNOSTICS,
    GROUP_LINKS,
    NAMED_VALUES,
    OVER,
    POLICIES,
    PRODUCTS,
    SUBSCRIPTIONS,
    ApiGraph,
    Policies,
    asks,
    document_of,
    limits_everybody,
)
from edgewright.policies.azure.monitoring import ELSEWHERE
from edgewright.policies.azure.policy_xml import Document
from edgewright.policies.azure.waf import FRONT_DOOR_POLICY, GATEWAY_POLICY, limits_rates, only_watches
from edgewright.policies.azure.words import is_one, says
from edgewright.policies.graph import Graph
from edgewright.policies.rule import LINT_DOCUMENT, AnyRule, Rule, Setting, StackRule
from edgewright.policies.secrets import secret_in
from edgewright.policies.types import type_of
from edgewright.policies.view import UNKNOWN, View, Violation

_ENCRYPTED = ("https", "wss")
_SETTINGS = ("oAuth2AuthenticationSettings", "openidAuthenticationSettings")
_ONE_SETTING = ("oAuth2.authorizationServerId", "openid.openidProviderId")
_SHOWS_BACKENDS = ("authentication-managed-identity", "authentication-certificate", "authentication-basic")
_SAMPLES = ("starter", "unlimited")
_MESSAGES = ("frontend.request", "frontend.response", "backend.request", "backend.response")
_SENSITIVE = [
    *("authorization", "proxy-authorization", "cookie", "set-cookie", "ocp-apim-subscription-key", "x-api-key"),
    *("api-key", "x-functions-key", "x-arr-clientcert", "*"),
]
_SHOWN = 3
"""Operations that one violation names."""
_STRINGS = {"type": "array", "items": {"type": "string"}}


def _blank(view: View, key: str) -> bool:
    return view.text(key) in {None, ""}


# --- APIs, each by itself ---


def speaks_https(api: View) -> Iterator[Violation]:
    """An API is called by HTTPS or WSS alone, which is so too where nothing is said."""
    for protocol in api.texts("protocols"):
        if protocol.lower() not in _ENCRYPTED:
            yield api.fails("protocols", f"have {protocol}, so keys and tokens go in the clear")


def service_by_https(api: View) -> Iterator[Violation]:
    """The service behind an API is called by HTTPS or WSS, at least where it is not in a network of one's own."""
    text = api.written("serviceUrl")
    found = address(text) if isinstance(text, str) else None
    if found is not None and found.scheme in {"http", "ws"}:
        yield from _in_the_clear(api, "serviceUrl", found)


def _in_the_clear(view: View, key: str, found: Address, *also: str) -> Iterator[Violation]:
    private = found.private(view.setting("privateSuffixes")) if view.setting("acceptPrivate") else False
    if private is None:
        view.note(key, "has a host that is not known yet")
    elif not private:
        yield view.fails(key, f"has {found.scheme}, so what is sent goes in the clear", *also)


def described(api: View) -> Iterator[Violation]:
    """An API says what it is called and what it is for, by itself or in the document that it imports."""
    document = document_of(api)
    for key, name in (("displayName", "info.title"), ("description", "info.description")):
        if _blank(api, key) and (document is None or _blank(document, name)):
            yield api.fails(key, "is not said", "value", "format")


def document_secured(api: View) -> Iterator[Violation]:
    """An OpenAPI document says for each operation who may call it, without schemes that hand over passwords."""
    document = document_of(api)
    if document is None:
        return
    known = openapi.schemes(document)
    unsaid: list[str] = []
    for path, method, operation in openapi.operations(document):
        said = operation if operation.has("security") else document
        if not said.has("security"):
            unsaid.append(f"{method.upper()} {path}")
        elif said.count("security") == 0 and not api.setting("acceptEmpty"):
            text = f"of `{method.upper()} {path}` is empty, so everybody may call it"
            yield operation.fails("security", text)
        for name in (name for requirement in operation.children("security") for name in requirement.keys):
            if name not in known:
                text = f"of `{method.upper()} {path}` names `{name}`, which is no scheme of the document"
                yield operation.fails("security", text)
    if unsaid:
        more = f" and {len(unsaid) - _SHOWN} more" if len(unsaid) > _SHOWN else ""
        text = f"do not say who may call {', '.join(unsaid[:_SHOWN])}{more}"
        yield document.fails("paths", text, "security")
    yield from openapi.password_schemes(document)
    yield from openapi.plain_servers(document)


# --- APIs, and the policies that their requests meet ---


@dataclass(frozen=True, slots=True)
class _Said:
    """What an API's document says: ids of operations that everybody may call, and of those that ask for something."""

    public: frozenset[str]
    closed: frozenset[str]


def _said(api: View) -> _Said | None:
    """What a document says of who may call; None where it does not say that of each operation."""
    document = document_of(api)
    public: set[str] = set()
    closed: set[str] = set()
    for _, _, operation in openapi.operations(document) if document is not None else ():
        asked = operation if operation.has("security") else document
        if asked is None or not asked.has("security"):
            return None
        free = asked.count("security") == 0 or any(not one.keys for one in asked.children("security"))
        name = operation.text("operationId")
        (public if free else closed).add(name.lower() if isinstance(name, str) else "?")
    return _Said(frozenset(public), frozenset(closed)) if public or closed else None


def _has_settings(api: View) -> bool:
    """Whether an API names a server that gives tokens: the portal's console gets them there, and nobody checks them."""
    settings = api.child("authenticationSettings")
    if settings is None:
        return False
    return any(settings.children(key) for key in _SETTINGS) or any(settings.has(key) for key in _ONE_SETTING)


def _ask(api: View, policies: Policies) -> bool:
    """Whether the policies ask who calls, or the document says that everybody may."""
    said = _said(api)
    if policies.meet(asks):
        return True
    return said is not None and (not said.closed or policies.meet(asks, said.closed))


def asks_for_a_key(stack: Graph) -> Iterator[Violation]:
    """An API asks for a subscription key, or its policies ask who calls in another way."""
    found = ApiGraph(stack)
    for api in found.apis:
        if api.flag("subscriptionRequired") is not False:
            continue
        policies = found.policies(api)
        if not _ask(api, policies):
            _note_open(api, policies)
            yield api.lacks("subscriptionRequired", "is false, and no policy asks who calls")


def authenticated(stack: Graph) -> Iterator[Violation]:
    """An API has OAuth or OpenID settings, or policies that validate a token or a certificate; one whose document says
    that everybody may call it is let through."""
    found = ApiGraph(stack)
    for api in found.apis:
        if _has_settings(api) or (stack.setting("keysSuffice") and api.flag("subscriptionRequired") is not False):
            continue
        policies = found.policies(api)
        if not _ask(api, policies):
            _note_open(api, policies)
            yield api.lacks("", "asks nobody who calls: no policy validates a token or a certificate")


def public_limited(stack: Graph) -> Iterator[Violation]:
    """What everybody may call has a limit, in a policy that counts callers without a key, or in a firewall."""
    found = ApiGraph(stack)
    firewalls = any(
        not list(limits_rates(policy)) and not only_watches(policy)
        for policy in stack.of(GATEWAY_POLICY, *FRONT_DOOR_POLICY)
    )
    for api in () if firewalls else found.apis:
        policies = found.policies(api)
        said = _said(api)
        public = said.public if said is not None else frozenset[str]()
        asked = api.flag("subscriptionRequired") is not False or policies.meet(asks)
        if (asked and not public) or policies.meet(limits_everybody, public or None):
            continue
        _note_open(api, policies)
        yield api.lacks("", "has operations that everybody may call, and nothing limits how often")


def _note_open(api: View, policies: Policies) -> None:
    for why in policies.open:
        api.note("", why)


# --- backends ---


def backend_by_https(backend: View) -> Iterator[Violation]:
    """A backend is called by HTTPS, at least where it is not in a network of one's own. Pools have no address."""
    if _is_pool(backend) or backend.has("properties.serviceFabricCluster"):
        return
    text = backend.written("url")
    if not isinstance(text, str):
        return
    found = address(text)
    if found is None and "{{" in text:
        backend.note("url", "is a named value")
    elif found is None:
        yield backend.fails("url", "is no address", "type")
    elif found.scheme not in _ENCRYPTED:
        yield from _in_the_clear(backend, "url", found, "type")


def _is_pool(backend: View) -> bool:
    return says(backend, "type", "Pool")


def backend_authenticated(stack: Graph) -> Iterator[Violation]:
    """A backend is shown who calls, at least where it is not in a network of one's own."""
    found = ApiGraph(stack)
    pools = [backend for backend in stack.of(*BACKENDS) if _is_pool(backend)]
    for backend in stack.of(*BACKENDS):
        if _is_pool(backend) or _has_credentials(backend) or _is_private(stack, backend):
            continue
        if not _shown_by_policy(stack, found, backend, pools):
            yield backend.lacks("credentials", "are not said, and no policy shows it any")


def _has_credentials(backend: View) -> bool:
    credentials = backend.child("credentials")
    fabric = "properties.serviceFabricCluster."
    if any(backend.has(fabric + key) for key in ("clientCertificateId", "clientCertificatethumbprint")):
        return True
    if credentials is None:
        return False
    counts = (credentials.count(key) for key in ("certificate", "certificateIds"))
    if any(count is UNKNOWN or count > 0 for count in counts) or credentials.has("managedIdentity"):
        return True
    held = (credentials.child(key) for key in ("header", "query"))
    if any(view is not None and view.keys for view in held):
        return True
    return credentials.has("authorization.scheme") and credentials.has("authorization.parameter")


def _is_private(stack: Graph, backend: View) -> bool:
    if not stack.setting("acceptPrivate"):
        return False
    text = backend.written("url")
    found = address(text) if isinstance(text, str) else None
    private = found.private(stack.setting("privateSuffixes")) if found is not None else False
    if private is None or (found is None and isinstance(text, str) and "{{" in text):
        backend.note("url", "has a host that is not known yet")
    return private is True


def _shown_by_policy(stack: Graph, found: ApiGraph, backend: View, pools: Sequence[View]) -> bool:
    """Whether a policy that can be about the backend, or a pool that it is in, shows it something."""
    around = [pool for pool in pools if _has(pool, backend) and found.same_service(pool, backend)]
    names = {name.lower() for one in (backend, *around) if isinstance(name := one.text("backendId"), str)}
    for kind in POLICIES:
        for policy in stack.of(kind):
            if not found.same_service(policy, backend):
                continue
            document = found.document(policy)
            if document is None:
                backend.note("", f"the policy `{policy.subject.name}` cannot be read before the deployment")
            elif _shows(document, names):
                return True
    return False


def _has(pool: View, backend: View) -> bool:
    """Whether a pool has a backend. One that may have it is remembered at the backend."""
    sources = pool.subject.refs.get("pool", frozenset[str]())
    if backend.subject.urn in sources:
        return True
    # Views of their own: what is unknown there matters to this backend alone.
    plain, name = View(pool.subject), View(backend.subject).text("backendId")
    ids = [item.last_part("id") for item in plain.children("pool.services")]
    if any(is_one(one, name) for one in ids if isinstance(name, str)):
        return True
    if plain.unread and not any(type_of(urn) in BACKENDS for urn in sources):
        backend.note("", f"`{pool.subject.name}` may have it: what it has is not known yet")
    return False


def _shows(document: Document, names: Collection[str]) -> bool:
    if not document.root.holds(*_SHOWS_BACKENDS):
        return False
    chosen = [item.attributes.get("backend-id", "") for item in document.root.within("set-backend-service")]
    return any(one.lower() in names or one.startswith("@") for one in chosen)


def certificate_validated(backend: View) -> Iterator[Violation]:
    """A backend's certificate is checked, and so is the name in it."""
    for key in ("tls.validateCertificateChain", "tls.validateCertificateName"):
        if backend.flag(key) is False:
            yield backend.fails(key, "is false, so anybody can be the backend")


def fabric_pinned(backend: View) -> Iterator[Violation]:
    """A cluster of Service Fabric is known by its certificate."""
    cluster = backend.child("properties.serviceFabricCluster")
    if cluster is None:
        return
    pins = [cluster.count(key) for key in ("serverX509Names", "serverCertificateThumbprints")]
    if not any(pin is UNKNOWN or pin > 0 for pin in pins):
        yield cluster.lacks("", "names no server certificate: serverX509Names or serverCertificateThumbprints")


# --- named values ---


def secrets_in_vault(value: View) -> Iterator[Violation]:
    """A secret named value is a reference to Key Vault."""
    secret = value.flag("secret")
    if secret is not True and not value.setting("everyValue"):
        return
    if not value.has("keyVault.secretIdentifier"):
        yield value.fails("keyVault.secretIdentifier", "is not said, so what is secret is in the stack", "secret")


def secrets_are_secret(value: View) -> Iterator[Violation]:
    """A named value that comes from Key Vault, or looks like a secret, is secret."""
    if value.flag("secret") is True:
        return
    if value.has("keyVault"):
        yield value.fails("secret", "is not true, and it comes from Key Vault", "keyVault")
        return
    name = value.text("displayName")
    found = secret_in(name, "?") if isinstance(name, str) else ""
    if found:
        # The name alone tells: whatever the value is, and also where nobody knows it yet.
        yield value.fails("secret", f"is not true, and it looks like {found}", "displayName")
    elif found := secret_in("", value.text("value")):
        yield value.fails("secret", f"is not true, and it looks like {found}", "displayName", "value")


# --- keys and products ---


def narrow_scope(stack: Graph) -> Iterator[Violation]:
    """A key is for a product or an API, not for all APIs."""
    for subscription in stack.of(*SUBSCRIPTIONS):
        if any(type_of(urn) in (*PRODUCTS, *APIS) for urn in subscription.subject.refs.get("scope", ())):
            continue
        scope = subscription.written("scope")
        over = says(subscription, "state", *OVER)
        if isinstance(scope, str) and scope.rstrip("/").lower().endswith("/apis") and not over:
            yield subscription.fails("scope", "is for all APIs, those of others and of the future too", "state")


def product_needs_key(product: View) -> Iterator[Violation]:
    """A product asks for a key, which is so too where nothing is said."""
    if product.flag("subscriptionRequired") is False:
        yield product.fails("subscriptionRequired", "is false, so everybody may call its APIs")


def product_needs_approval(product: View) -> Iterator[Violation]:
    """Somebody approves each key that a developer asks for. One that needs no keys is left to `product_needs_key`."""
    if product.flag("subscriptionRequired") is not False and product.flag("approvalRequired") is not True:
        yield product.fails("approvalRequired", "is not true, so whoever signs up gets a key", "subscriptionRequired")


def product_described(product: View) -> Iterator[Violation]:
    """A product says what it is called and what it is for."""
    for key in ("displayName", "description"):
        if _blank(product, key):
            yield product.fails(key, "is not said")


def product_has_terms(product: View) -> Iterator[Violation]:
    """A product has terms that developers agree to."""
    if _blank(product, "terms"):
        yield product.fails("terms", "are not said")


def no_sample(product: View) -> Iterator[Violation]:
    """A product is not one of those that a new service brings along."""
    name = product.text("productId")
    if isinstance(name, str) and name.lower() in _SAMPLES:
        yield product.fails("productId", f"is {name}, one of the samples")


def not_for_guests(link: View) -> Iterator[Violation]:
    """Who has not signed in sees no product."""
    group, product = link.last_part("groupId"), link.last_part("productId")
    if not isinstance(group, str) or group.lower() != "guests":
        return
    if link.setting("products") and product in link.setting("products"):
        return
    yield link.fails("groupId", "is guests: whoever finds the portal", "productId")


# --- diagnostics of requests ---


def logs_no_secrets(diagnostic: View) -> Iterator[Violation]:
    """Neither credentials nor bodies of requests go to the logs. A header that is masked may be named."""
    sensitive = {name.lower() for name in diagnostic.setting("headers")}
    for key in _MESSAGES:
        message = diagnostic.child(key)
        if message is None:
            continue
        masked = {
            value.lower()
            for entry in message.children("dataMasking.headers")
            if isinstance(value := entry.text("value"), str) and says(entry, "mode", "Hide", "Mask")
        }
        for header in message.texts("headers"):
            if header.lower() in sensitive - masked:
                yield message.fails("headers", f"have {header}", "dataMasking.headers")
        size = message.number("body.bytes")
        if isinstance(size, float) and size > 0:
            yield message.fails("body.bytes", f"is {size:g}, so bodies go to the logs")


def log_no_bodies(diagnostic: View) -> Mapping[str, Any]:
    """No body goes to the logs."""
    sizes = {f"{key}.body.bytes": diagnostic.number(f"{key}.body.bytes") for key in _MESSAGES}
    return {key: 0 for key, size in sizes.items() if isinstance(size, float) and size > 0}


# https://learn.microsoft.com/security/benchmark/azure/mcsb-data-protection, DP-3: encryption in transit is critical on
# public networks and optional on private ones.
_PRIVATE = {
    "acceptPrivate": Setting({"type": "boolean"}, True, "accept addresses that can be inside of a network only"),
    "privateSuffixes": Setting(
        _STRINGS, [".internal", ".local"], "what names end with that are resolved inside of a network only"
    ),
}
_HIDDEN = "Addresses that a policy or a named value has."
_OTHER_POLICIES = "Policies of other stacks, and whether a condition in a policy ever holds."
_CALL_IT = "A test that calls each operation without a token, and is refused."

RULES: tuple[AnyRule, ...] = (
    Rule(
        name="apim-api-https-only",
        controls=("apim-api-https-only",),
        title="An API is called by HTTPS or WSS alone",
        severity="high",
        types=APIS,
        check=speaks_https,
        remedy="protocols: [https] (of a WebSocket [wss])",
    ),
    Rule(
        name="apim-api-service-url-https",
        controls=("apim-api-service-url-https",),
        title="The service behind an API is called by HTTPS",
        severity="high",
        types=APIS,
        check=service_by_https,
        remedy="serviceUrl: https://..., or none and a Backend.",
        blind=_HIDDEN,
        instead="`apim-backend-https`, for backends.",
        settings=_PRIVATE,
    ),
    Rule(
        name="apim-api-descriptors",
        controls=("apim-api-descriptors",),
        title="An API says what it is called and what it is for",
        severity="low",
        types=APIS,
        check=described,
        remedy="displayName: ..., description: ...",
        blind="Documents that are imported and are no JSON.",
        instead="Say both beside the document.",
    ),
    StackRule(
        name="apim-api-subscription-required",
        controls=("apim-api-subscription-required",),
        title="An API asks for a subscription key, or a policy asks who calls",
        severity="medium",
        types=APIS,
        check=asks_for_a_key,
        remedy="subscriptionRequired: true, or validate-jwt in a policy; for an API that everybody may call, a "
        "document that says so (`security: []` of each operation).",
        blind=_OTHER_POLICIES,
        instead=_CALL_IT,
    ),
    StackRule(
        name="apim-api-authenticated",
        controls=("apim-api-authenticated",),
        title="An API validates a token or a certificate, or says that everybody may call it",
        severity="high",
        types=APIS,
        check=authenticated,
        remedy="validate-jwt, validate-azure-ad-token or validate-client-certificate in inbound of the API's policy; "
        "for an API that everybody may call, a document that says so (`security: []` of each operation).",
        blind=f"{_OTHER_POLICIES} authenticationSettings are for the portal's console: nothing checks the token.",
        instead=_CALL_IT,
        settings={
            "keysSuffice": Setting(
                {"type": "boolean"}, False, "accept a subscription key as authentication, as Defender for APIs does"
            )
        },
    ),
    StackRule(
        name="apim-public-api-throttled",
        controls=(),
        title="What everybody may call has a limit of requests",
        severity="medium",
        types=APIS,
        check=public_limited,
        remedy="rate-limit-by-key in inbound, with the caller's address as the key: rate-limit counts by subscription "
        "keys, which a public operation has not. Or a RateLimitRule of the firewall before it.",
        blind=f"{_OTHER_POLICIES} Limits of a firewall in another stack.",
        instead=ELSEWHERE,
    ),
    Rule(
        name="apim-openapi-security",
        controls=("apim-openapi-security",),
        title="An OpenAPI document says who may call each operation",
        severity="medium",
        types=APIS,
        check=document_secured,
        remedy="security for each operation (an empty list where everybody may call it), with schemes of the document. "
        "API Management itself ignores it: a policy has to ask.",
        blind="Documents that are no JSON, or read from an address.",
        instead=LINT_DOCUMENT,
        settings={
            "acceptEmpty": Setting(
                {"type": "boolean"}, True, "accept an empty list, which says that everybody may call the operation"
            )
        },
    ),
    Rule(
        name="apim-backend-https",
        controls=("apim-backend-https",),
        title="A backend is called by HTTPS",
        severity="high",
        types=BACKENDS,
        check=backend_by_https,
        remedy="url: https://...",
        blind=_HIDDEN,
        instead="Let backends refuse what comes in the clear.",
        settings=_PRIVATE,
    ),
    StackRule(
        name="apim-backend-authenticated",
        controls=("apim-backend-authenticated",),
        title="A backend is shown who calls",
        severity="medium",
        types=BACKENDS,
        check=backend_authenticated,
        remedy="credentials: {certificateIds: [...]}; or authentication-managed-identity in the policy that has it.",
        blind="Whether the backend looks at it.",
        instead="A test that calls the backend without, and is refused.",
        settings=_PRIVATE,
    ),
    Rule(
        name="apim-backend-certificate-validation",
        controls=("apim-backend-certificate-validation",),
        title="A backend's certificate is checked",
        severity="high",
        types=BACKENDS,
        check=certificate_validated,
        remedy="tls: {validateCertificateChain: true, validateCertificateName: true}; an authority of one's own goes "
        "to the service's certificates.",
    ),
    Rule(
        name="apim-backend-service-fabric-thumbprint",
        controls=("apim-backend-service-fabric-thumbprint",),
        title="A cluster of Service Fabric is known by its certificate",
        severity="low",
        types=BACKENDS,
        check=fabric_pinned,
        remedy="properties: {serviceFabricCluster: {serverX509Names: [{name: ..., issuerCertificateThumbprint: ...}]}}",
        optional="A pinned certificate stops an edge on the day it is renewed; names of an issuer's do not.",
    ),
    Rule(
        name="apim-named-value-keyvault",
        controls=("apim-named-value-keyvault",),
        title="A secret named value is a reference to Key Vault",
        severity="high",
        types=NAMED_VALUES,
        check=secrets_in_vault,
        remedy="keyVault: {secretIdentifier: https://VAULT.vault.azure.net/secrets/NAME}, and no value.",
        settings={"everyValue": Setting({"type": "boolean"}, False, "ask it of values that are no secrets too")},
    ),
    Rule(
        name="apim-named-value-secret-flag",
        controls=("apim-named-value-secret-flag",),
        title="A named value that is a secret is marked as one",
        severity="medium",
        types=NAMED_VALUES,
        check=secrets_are_secret,
        remedy="secret: true",
        blind="Secrets that look like nothing in particular.",
        instead="A scanner of secrets over the repository.",
    ),
    StackRule(
        name="apim-subscription-scope",
        controls=("apim-subscription-scope",),
        title="A key is for a product or an API, not for all APIs",
        severity="medium",
        types=SUBSCRIPTIONS,
        check=narrow_scope,
        remedy="scope: the id of a product or an API.",
    ),
    Rule(
        name="apim-product-subscription-required",
        controls=("apim-product-subscription-required",),
        title="A product asks for a key",
        severity="medium",
        types=PRODUCTS,
        check=product_needs_key,
        remedy="subscriptionRequired: true",
    ),
    Rule(
        name="apim-product-approval-required",
        controls=("apim-product-approval-required",),
        title="Somebody approves each key of a product",
        severity="low",
        types=PRODUCTS,
        check=product_needs_approval,
        remedy="approvalRequired: true",
    ),
    Rule(
        name="apim-product-descriptors",
        controls=("apim-product-descriptors",),
        title="A product says what it is called and what it is for",
        severity="low",
        types=PRODUCTS,
        check=product_described,
        remedy="displayName: ..., description: ...",
    ),
    Rule(
        name="apim-product-terms",
        controls=("apim-product-terms",),
        title="A product has terms",
        severity="low",
        types=PRODUCTS,
        check=product_has_terms,
        remedy="terms: ...",
    ),
    Rule(
        name="apim-no-sample-products",
        controls=("apim-no-sample-products",),
        title="There are none of the sample products",
        severity="low",
        types=PRODUCTS,
        check=no_sample,
        remedy="Another productId; and the samples of a new service deleted.",
        blind="The samples that a new service brings along.",
        instead="`az apim product list` once the service is there.",
    ),
    Rule(
        name="apim-product-not-guest",
        controls=("apim-product-not-guest",),
        title="Who has not signed in sees no product",
        severity="medium",
        types=GROUP_LINKS,
        check=not_for_guests,
        remedy="groupId: developers, or a group of one's own.",
        settings={"products": Setting(_STRINGS, [], "ids of products that guests may see")},
    ),
    Rule(
        name="apim-diagnostic-no-sensitive-headers",
        controls=("apim-diagnostic-no-sensitive-headers",),
        title="Neither credentials nor bodies of requests go to the logs",
        severity="medium",
        types=DIAGNOSTICS,
        check=logs_no_secrets,
        remedy="headers without credentials, or dataMasking: {headers: [{value: Authorization, mode: Hide}]}; body: "
        "{bytes: 0}",
        blind="Secrets in paths and queries.",
        instead="dataMasking: {queryParams: [{value: '*', mode: Hide}]}",
        remediation=log_no_bodies,
        settings={"headers": Setting(_STRINGS, _SENSITIVE, "headers that must not be logged, small letters")},
    ),
)
