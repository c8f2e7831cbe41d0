"""Rules over Front Door: its firewall, its TLS, the way to its origins, its logs.

None guards a control of `tests/data/controls.csv`; `controls.OWN` and `controls.UNASKED` say who asks for the same. All
is Microsoft's advice too: https://learn.microsoft.com/azure/frontdoor/best-practices and
https://learn.microsoft.com/azure/frontdoor/secure-front-door.
"""

from collections.abc import Iterator

from edgewright.policies.azure.identities import means, points, referring
from edgewright.policies.azure.monitoring import BLIND_TO_SETTINGS, ELSEWHERE, sends_logs
from edgewright.policies.azure.words import is_one, says
from edgewright.policies.graph import Graph
from edgewright.policies.rule import AnyRule, Rule, StackRule
from edgewright.policies.view import View, Violation

PROFILE = "azure-native:cdn:Profile"
ENDPOINT = "azure-native:cdn:AFDEndpoint"
DOMAIN = "azure-native:cdn:AFDCustomDomain"
ROUTE = "azure-native:cdn:Route"
ORIGIN = "azure-native:cdn:AFDOrigin"
RULE = "azure-native:cdn:Rule"
SECURITY_POLICY = "azure-native:cdn:SecurityPolicy"
CLASSIC = ("azure-native:frontdoor:FrontDoor", "azure-native:network:FrontDoor")
"""The second is the type's name in azure-native before 3."""

_FRONT_DOOR_TIERS = frozenset({"Standard_AzureFrontDoor", "Premium_AzureFrontDoor"})
"""Other profiles are of a content delivery network."""

ACCESS_LOG, FIREWALL_LOG = "FrontDoorAccessLog", "FrontDoorWebApplicationFirewallLog"
"""https://learn.microsoft.com/azure/frontdoor/monitor-front-door"""

_GOOD_VERSIONS = frozenset({"TLS12", "TLS13"})
_OLD_SUITES = "TLS10_2019"


def has_firewall(stack: Graph) -> Iterator[Violation]:
    """Every name by which a Front Door is asked is in a security policy with a firewall policy."""
    for name in (*stack.of(ENDPOINT), *stack.of(DOMAIN)):
        if name.subject.type == ENDPOINT and _unused(stack, name):
            continue
        found = [_covers(policy, name) for policy in stack.of(SECURITY_POLICY)]
        if None in found:
            name.note("", "a security policy may have it: the ids of its domains are not known yet")
        if True not in found:
            yield name.lacks("", "is in no security policy with a firewall")


def _unused(stack: Graph, endpoint: View) -> bool:
    """Whether routes answer to custom domains alone."""
    routes = referring(stack, endpoint, "endpointName", ROUTE)
    return bool(routes) and all(_answers(route) is False for route in routes)


def _answers(route: View) -> bool:
    """Whether a route answers to the endpoint's own name. It does not unless it says so."""
    answers = route.text("linkToDefaultDomain")
    return answers is not None and not is_one(answers, "Disabled")


def _covers(policy: View, name: View) -> bool | None:
    """Whether a security policy has an endpoint or a domain, and a firewall policy for it; None: nobody can tell."""
    parameters = policy.child("parameters")
    if parameters is None or not points(parameters, "wafPolicy"):
        return None if policy.unread else False
    urns = policy.subject.refs.get("parameters", frozenset[str]())
    if name.subject.urn in urns:
        return True
    # A view of its own: references decide, and what is unknown beside them is no matter.
    plain = View(policy.subject)
    ids = [
        domain.text("id")
        for association in plain.children("parameters.associations")
        for domain in association.children("domains")
    ]
    if any(isinstance(text, str) and means(text, name) for text in ids):
        return True
    return None if plain.unread and not urns else False


def firewall_everywhere(policy: View) -> Iterator[Violation]:
    """A security policy is for all paths of its names."""
    for association in policy.children("parameters.associations"):
        if "/*" not in association.texts("patternsToMatch"):
            yield association.fails("patternsToMatch", "lack `/*`, so that other paths have no firewall")


def https_only(view: View) -> Iterator[Violation]:
    """A route takes HTTPS alone, or answers HTTP with a redirect; a rule of a rule set sends nobody to HTTP."""
    yield from (_redirects_to_http if view.subject.type == RULE else _takes_http)(view)


def _takes_http(route: View) -> Iterator[Violation]:
    protocols = {protocol.lower() for protocol in route.texts("supportedProtocols")}
    takes_http = not route.has("supportedProtocols") or "http" in protocols
    if takes_http and not says(route, "httpsRedirect", "Enabled"):
        yield route.fails("httpsRedirect", "is not Enabled, so HTTP is answered", "supportedProtocols")


def _redirects_to_http(rule: View) -> Iterator[Violation]:
    """Without a word, or with MatchRequest, a redirect keeps the protocol of the request."""
    for action in rule.children("actions"):
        if says(action, "parameters.destinationProtocol", "Http"):
            yield action.fails("parameters.destinationProtocol", "is Http, so clients are sent from HTTPS to HTTP")


def origins_encrypted(view: View) -> Iterator[Violation]:
    """Requests go on over HTTPS, by a route and by rules that choose another group of origins (which have their own
    protocol). MatchRequest does it too, where `https_only` holds."""
    ways = [(view, "forwardingProtocol")]
    ways += [(action, "parameters.originGroupOverride.forwardingProtocol") for action in view.children("actions")]
    for place, key in ways:
        if says(place, key, "HttpOnly"):
            yield place.fails(key, "is HttpOnly, so the way to the origin is open")


def origin_certificates_checked(origin: View) -> Iterator[Violation]:
    """The certificate of an origin must be for its name."""
    if origin.flag("enforceCertificateNameCheck") is False:
        yield origin.fails("enforceCertificateNameCheck", "is false, so anybody's certificate will do")


def refuses_old_tls(domain: View) -> Iterator[Violation]:
    """A custom domain has neither TLS 1.0 nor 1.1. Without a word it has not."""
    version = domain.text("tlsSettings.minimumTlsVersion")
    if version is not None and not is_one(version, *_GOOD_VERSIONS):
        yield domain.fails("tlsSettings.minimumTlsVersion", f"is {version}")
    elif says(domain, "tlsSettings.cipherSuiteSetType", _OLD_SUITES):
        yield domain.fails("tlsSettings.cipherSuiteSetType", f"is {_OLD_SUITES}", "tlsSettings.minimumTlsVersion")


def logs_requests(stack: Graph) -> Iterator[Violation]:
    """A Front Door sends the logs of its requests and of its firewall somewhere."""
    for profile in stack.of(PROFILE):
        if says(profile, "sku.name", *_FRONT_DOOR_TIERS):
            yield from sends_logs(stack, profile, (ACCESS_LOG, FIREWALL_LOG))


def not_classic(front_door: View) -> Iterator[Violation]:
    """A Front Door is not of the kind before profiles."""
    if front_door.subject.type in CLASSIC:
        yield front_door.fails("", "is a Front Door (classic), which ends on 31 March 2027")


RULES: tuple[AnyRule, ...] = (
    StackRule(
        name="afd-waf-attached",
        controls=(),
        title="Each name of a Front Door has a firewall",
        severity="critical",
        types=(ENDPOINT, DOMAIN),
        check=has_firewall,
        remedy="An azure-native:cdn:SecurityPolicy with parameters: {type: WebApplicationFirewall, wafPolicy: {id: ...}, associations: [{domains: [{id: the endpoint's or the domain's}], patternsToMatch: [/*]}]}.",  # noqa: E501
        blind="Security policies in other stacks.",
        instead=ELSEWHERE,
    ),
    Rule(
        name="afd-waf-all-paths",
        controls=(),
        title="A security policy of Front Door is for all paths",
        severity="high",
        types=(SECURITY_POLICY,),
        check=firewall_everywhere,
        remedy="parameters: {associations: [{patternsToMatch: [/*], ...}], ...}",
    ),
    Rule(
        name="afd-https-only",
        controls=(),
        title="A route of Front Door redirects HTTP to HTTPS, or takes none, and no rule redirects to HTTP",
        severity="critical",
        types=(ROUTE, RULE),
        check=https_only,
        remedy="Of a route, supportedProtocols: [Http, Https] with httpsRedirect: Enabled, or supportedProtocols: [Https]; of a rule's redirect, destinationProtocol: Https.",  # noqa: E501
    ),
    Rule(
        name="afd-origin-https",
        controls=(),
        title="Front Door asks origins over HTTPS",
        severity="high",
        types=(ROUTE, RULE),
        check=origins_encrypted,
        remedy="forwardingProtocol: HttpsOnly, also of an originGroupOverride of a rule.",
    ),
    Rule(
        name="afd-origin-certificate-name",
        controls=(),
        title="Front Door checks that an origin's certificate is for its name",
        severity="high",
        types=(ORIGIN,),
        check=origin_certificates_checked,
        remedy="enforceCertificateNameCheck: true, and hostName: a name that the certificate is for.",
    ),
    Rule(
        name="afd-min-tls12",
        controls=(),
        title="A custom domain of Front Door refuses TLS 1.0 and 1.1",
        severity="critical",
        types=(DOMAIN,),
        check=refuses_old_tls,
        remedy="tlsSettings: {certificateType: ..., minimumTlsVersion: TLS12, cipherSuiteSetType: TLS12_2023}",
    ),
    StackRule(
        name="afd-diagnostic-settings",
        controls=(),
        title="A Front Door sends the logs of its requests and of its firewall somewhere",
        severity="medium",
        types=(PROFILE,),
        check=logs_requests,
        remedy=f"An azure-native:monitor:DiagnosticSetting with resourceUri: the profile's id, workspaceId, and logs: [{{category: {ACCESS_LOG}, enabled: true}}, {{category: {FIREWALL_LOG}, enabled: true}}].",  # noqa: E501
        blind=BLIND_TO_SETTINGS,
        instead=ELSEWHERE,
    ),
    Rule(
        name="afd-classic-not-used",
        controls=(),
        title="A Front Door is not classic",
        severity="medium",
        types=(*CLASSIC, PROFILE),
        check=not_classic,
        remedy="azure-native:cdn:Profile with its endpoints and routes; all other rules are for that.",
    ),
)
