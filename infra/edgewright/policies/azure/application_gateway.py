"""Rules over Application Gateway: its firewall, TLS, listeners, backends and sizes."""

import re
from collections.abc import Collection, Iterator, Mapping
from ipaddress import IPv4Network, IPv6Network, ip_network

from edgewright.azure.network_regions import WITHOUT_ZONES, short
from edgewright.policies.azure.identities import means, points, referring
from edgewright.policies.azure.monitoring import BLIND_TO_SETTINGS, ELSEWHERE, sends_logs
from edgewright.policies.azure.words import is_one, says
from edgewright.policies.graph import Graph
from edgewright.policies.rule import AnyRule, Rule, Setting, StackRule
from edgewright.policies.view import Unknown, View, Violation

GATEWAY = "azure-native:network:ApplicationGateway"
SUBNET = "azure-native:network:Subnet"
NETWORK = "azure-native:network:VirtualNetwork"
FOR_CONTAINERS = "azure-native:servicenetworking:TrafficControllerInterface"
SECURITY_POLICY = "azure-native:servicenetworking:SecurityPoliciesInterface"

LEGACY = "webApplicationFirewallConfiguration"
"""A firewall inside of the gateway, as it was before there were policies."""

ACCESS_LOG, FIREWALL_LOG = "ApplicationGatewayAccessLog", "ApplicationGatewayFirewallLog"
"""https://learn.microsoft.com/azure/application-gateway/application-gateway-diagnostics"""

TLS_POLICY = "AppGwSslPolicy20220101S"

# https://learn.microsoft.com/azure/application-gateway/application-gateway-ssl-policy-overview
_GOOD_POLICIES = frozenset({"AppGwSslPolicy20170401S", "AppGwSslPolicy20220101", TLS_POLICY})
_GOOD_VERSIONS = frozenset({"TLSv1_2", "TLSv1_3"})
_OLD_VERSIONS = frozenset({"tlsv1_0", "tlsv1_1"})
"""In small letters."""

# Of v1, which ended in April 2026: https://learn.microsoft.com/azure/application-gateway/v1-retirement
_OLD_TIERS = frozenset({"Standard", "WAF"})

# https://learn.microsoft.com/azure/azure-resource-manager/management/resource-name-rules#microsoftnetwork
_NAME = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]{0,78}[A-Za-z0-9_])?")


# -- the firewall ------------------------------------------------------------------------------------------------------


def has_firewall(gateway: View) -> bool:
    """Whether its tier is one with a firewall."""
    tier = gateway.text("sku.tier")
    return isinstance(tier, str) and tier.upper().startswith("WAF")


def has_policy(gateway: View) -> bool:
    """Whether it has a firewall policy: for all of it, or one for each of its listeners."""
    if points(gateway, "firewallPolicy"):
        return True
    listeners = gateway.children("httpListeners")
    return bool(listeners) and all(points(listener, "firewallPolicy") for listener in listeners)


def firewall_on(gateway: View) -> Iterator[Violation]:
    """A firewall looks at requests: the tier has one, and a policy or the old configuration turns it on."""
    tier = gateway.text("sku.tier")
    if not has_firewall(gateway):
        yield gateway.fails("sku.tier", f"is {tier or 'not said'}, which has no firewall")
    elif has_policy(gateway):
        return
    elif not gateway.has(LEGACY):
        yield gateway.fails("firewallPolicy", "is not said", "httpListeners", LEGACY)
    elif gateway.flag(f"{LEGACY}.enabled") is not True:
        yield gateway.fails(f"{LEGACY}.enabled", "is not true", "firewallPolicy", "httpListeners")


def firewall_by_policy(gateway: View) -> Iterator[Violation]:
    """The firewall is a policy, not a configuration inside of the gateway. One that is off is left to `firewall_on`."""
    if not gateway.has(LEGACY):
        return
    if has_policy(gateway):
        yield gateway.fails(LEGACY, "is there beside the policy, which overrides it")
    elif gateway.flag(f"{LEGACY}.enabled") is True:
        yield gateway.fails(LEGACY, "is the old form of a firewall, which gets no new rules")


# -- TLS and listeners -------------------------------------------------------------------------------------------------


def refuses_old_tls(gateway: View) -> Iterator[Violation]:
    """The TLS policies of the gateway and of its profiles have neither TLS 1.0 nor 1.1."""
    if not gateway.has("sslPolicy"):
        yield gateway.fails("sslPolicy", "is not said, and what it is then depends on the version of the API")
    for holder in (gateway, *gateway.children("sslProfiles")):
        policy = holder.child("sslPolicy")
        if policy is not None:
            yield from _old_tls(policy)


def _old_tls(policy: View) -> Iterator[Violation]:
    name = policy.text("policyName")
    if not says(policy, "policyType", "Custom", "CustomV2") and policy.has("policyName"):
        if not is_one(name, *_GOOD_POLICIES):
            yield policy.fails("policyName", f"is {name}, which has TLS 1.0 or 1.1", "policyType")
    elif policy.has("minProtocolVersion"):
        version = policy.text("minProtocolVersion")
        if not is_one(version, *_GOOD_VERSIONS):
            yield policy.fails("minProtocolVersion", f"is {version}", "policyType", "policyName")
    elif not {word.lower() for word in policy.texts("disabledSslProtocols")} >= _OLD_VERSIONS:
        text = "is not said, so TLS 1.0 and 1.1 are not refused"
        yield policy.fails("minProtocolVersion", text, "policyType", "policyName", "disabledSslProtocols")


def newest_tls(gateway: View) -> dict[str, object]:
    """A TLS policy of today, where there is none at all: Azure takes it beside no old one, which profiles may have."""
    if gateway.has("sslPolicy") or gateway.has("sslProfiles"):
        return {}
    return {"sslPolicy": {"policyType": "Predefined", "policyName": TLS_POLICY}}


def plain_http_redirects(gateway: View) -> Iterator[Violation]:
    """What listens on HTTP only redirects to HTTPS."""
    parts = _Parts(gateway)
    for listener in gateway.children("httpListeners"):
        if not says(listener, "protocol", "Http"):
            continue
        name = listener.text("name")
        rules = [
            rule for rule in parts.rules if isinstance(name, str) and is_one(rule.last_part("httpListener.id"), name)
        ]
        for rule in rules:
            yield from parts.not_redirected(rule, name)
        if not rules:
            where = f"{listener.path}.protocol"
            yield gateway.fails(
                where, "is Http, and no rule redirects it", f"{listener.path}.name", "requestRoutingRules"
            )


class _Parts:
    """The parts of a gateway by name: they refer to one another by ids that end with it."""

    def __init__(self, gateway: View) -> None:
        self.rules = gateway.children("requestRoutingRules")
        self._redirects = _by_name(gateway, "redirectConfigurations")
        self._maps = _by_name(gateway, "urlPathMaps")
        self._listeners = _by_name(gateway, "httpListeners")
        self._gateway = gateway

    def not_redirected(self, rule: View, listener: str | Unknown | None) -> Iterator[Violation]:
        """Where a rule of a listener leads to, if not to HTTPS."""
        if not points(rule, "urlPathMap"):
            yield from self._stays(rule, "redirectConfiguration", listener)
            return
        paths = self._part(self._maps, rule, "urlPathMap.id", "urlPathMaps")
        if isinstance(paths, Violation):
            yield paths
        elif paths is not None:
            yield from self._stays(paths, "defaultRedirectConfiguration", listener)
            for path in paths.children("pathRules"):
                yield from self._stays(path, "redirectConfiguration", listener)

    def _stays(self, holder: View, key: str, listener: str | Unknown | None) -> Iterator[Violation]:
        if not points(holder, key):
            yield holder.fails(key, f"is not said, so `{listener}` answers over plain HTTP", "urlPathMap")
            return
        redirect = self._part(self._redirects, holder, f"{key}.id", "redirectConfigurations")
        if isinstance(redirect, Violation):
            yield redirect
        elif redirect is not None:
            yield from self._to_http(redirect)

    def _to_http(self, redirect: View) -> Iterator[Violation]:
        if points(redirect, "targetListener"):
            target = self._part(self._listeners, redirect, "targetListener.id", "httpListeners")
            if isinstance(target, Violation):
                yield target
            elif target is not None and not says(target, "protocol", "Https"):
                text = "is a listener for HTTP, so the redirect stays on plain HTTP"
                yield self._gateway.fails(f"{redirect.path}.targetListener", text, f"{target.path}.protocol")
        else:
            url = redirect.text("targetUrl")
            if url is None or (isinstance(url, str) and not url.lower().startswith("https://")):
                yield redirect.fails("targetUrl", "does not begin with https://", "targetListener")

    def _part(self, parts: Mapping[str, View], holder: View, key: str, among: str) -> View | Violation | None:
        """The part that an id names; what is wrong with it where there is none; None where nobody can tell."""
        name = holder.last_part(key)
        if not isinstance(name, str):
            return None
        if name.lower() in parts:
            return parts[name.lower()]
        return self._gateway.fails(f"{holder.path}.{key}", f"names `{name}`, which is not among the {among}", among)


def _by_name(gateway: View, key: str) -> Mapping[str, View]:
    """Parts by their names in small letters: Azure compares ids without regard to capitals."""
    return {name.lower(): part for part in gateway.children(key) if isinstance(name := part.text("name"), str)}


def certificates_from_key_vault(gateway: View) -> Iterator[Violation]:
    """Certificates are read from a Key Vault, by an identity of the gateway, and lie in no state file."""
    certificates = gateway.children("sslCertificates")
    for certificate in certificates:
        if certificate.has("data"):
            yield certificate.fails("data", "holds the certificate with its key, and nothing renews it")
        elif not certificate.has("keyVaultSecretId"):
            yield certificate.fails("keyVaultSecretId", "is not said")
    kind = gateway.text("identity.type")
    needed = any(certificate.has("keyVaultSecretId") for certificate in certificates)
    if needed and (kind is None or (isinstance(kind, str) and "userassigned" not in kind.lower())):
        yield gateway.fails("identity.type", f"is {kind or 'not said'}: without UserAssigned nobody reads the vault")


def speaks_http2(gateway: View) -> Iterator[Violation]:
    """Clients may use HTTP/2."""
    if gateway.flag("enableHttp2") is not True:
        yield gateway.fails("enableHttp2", "is not true")


# -- backends ----------------------------------------------------------------------------------------------------------

_BACKENDS = "backendHttpSettingsCollection"


def backends_encrypted(gateway: View) -> Iterator[Violation]:
    """Requests reach backends over HTTPS, and their certificates are checked."""
    for settings in gateway.children(_BACKENDS):
        protocol = settings.text("protocol")
        if not is_one(protocol, "Https"):
            yield settings.fails("protocol", f"is {protocol or 'not said'}, so the last part of the way is open")
        elif settings.flag("validateCertChainAndExpiry") is False:
            yield settings.fails("validateCertChainAndExpiry", "is false, so anybody's certificate will do", "protocol")


def backends_probed(gateway: View) -> Iterator[Violation]:
    """Each backend has a health probe that says what a healthy one answers to."""
    probes = _by_name(gateway, "probes")
    for settings in gateway.children(_BACKENDS):
        if not points(settings, "probe"):
            yield settings.fails("probe", "is not said, so `/` is asked and any answer below 400 is healthy")
            continue
        name = settings.last_part("probe.id")
        if isinstance(name, str) and name.lower() not in probes:
            yield gateway.fails(f"{settings.path}.probe.id", f"names `{name}`, which is not among the probes", "probes")


def connections_drained(gateway: View) -> Iterator[Violation]:
    """What a backend has begun to answer it may end, when it is taken out."""
    for settings in gateway.children(_BACKENDS):
        if settings.flag("connectionDraining.enabled") is not True:
            yield settings.fails("connectionDraining.enabled", "is not true")


def drain(gateway: View) -> dict[str, object]:
    """Let backends end what they have begun, for a minute unless a time is said."""
    found: dict[str, object] = {}
    for settings in gateway.children(_BACKENDS):
        if settings.has("connectionDraining"):
            off = settings.flag("connectionDraining.enabled") in {None, False}
            found |= {f"{settings.path}.connectionDraining.enabled": True} if off else {}
        else:
            found[f"{settings.path}.connectionDraining"] = {"enabled": True, "drainTimeoutInSec": 60}
    return found


# -- size --------------------------------------------------------------------------------------------------------------


def second_version(gateway: View) -> Iterator[Violation]:
    """It is of v2."""
    tier = gateway.text("sku.tier")
    if is_one(tier, *_OLD_TIERS):
        yield gateway.fails("sku.tier", f"is {tier}, and v1 ended in April 2026")


def many_zones(gateway: View) -> Iterator[Violation]:
    """It stands in as many zones as are asked for, where the region has zones. v1 is left to `second_version`."""
    wanted: int = gateway.setting("zones")
    zones = gateway.count("zones")
    if not isinstance(zones, int) or zones >= wanted or says(gateway, "sku.tier", *_OLD_TIERS):
        return
    location = gateway.text("location")
    if not isinstance(location, str) or short(location) not in WITHOUT_ZONES:
        yield gateway.fails("zones", f"are {zones}, fewer than {wanted}", "sku.tier", "location")


def many_instances(gateway: View) -> Iterator[Violation]:
    """As many instances as are asked for are always there."""
    wanted: int = gateway.setting("instances")
    key = "autoscaleConfiguration.minCapacity" if gateway.has("autoscaleConfiguration") else "sku.capacity"
    least = gateway.number(key)
    if least is None or (isinstance(least, float) and least < wanted):
        yield gateway.fails(key, f"is {'not said' if least is None else f'{least:g}'}, fewer than {wanted}")


_PLACES = "gatewayIPConfigurations"


def large_subnet(stack: Graph) -> Iterator[Violation]:
    """The subnet of a gateway has room for all instances that it may come to have, and those of an update."""
    longest: int = stack.setting("prefix")
    for gateway in stack.of(GATEWAY):
        meant = gateway.subject.refs.get(_PLACES, frozenset[str]())
        own = [subnet for subnet in stack.of(SUBNET) if subnet.subject.urn in meant]
        for subnet in own or _written_subnets(stack, gateway, meant, longest):
            yield from _small(subnet, longest)


def _written_subnets(stack: Graph, gateway: View, meant: Collection[str], longest: int) -> Iterator[View]:
    """Subnets that a gateway's ids name: resources of their own, or parts of a network."""
    # A second view takes no notes: an id that begins with a token is known as far as it matters.
    for place, plain in zip(gateway.children(_PLACES), View(gateway.subject).children(_PLACES), strict=True):
        name, text = plain.last_part("subnet.id"), plain.text("subnet.id")
        whole = text if isinstance(text, str) else ""
        yield from (subnet for subnet in stack.of(SUBNET) if _meant(whole, subnet))
        networks = [
            network
            for network in stack.of(NETWORK)
            if network.subject.urn in meant or _meant(whole.lower().rpartition("/subnets/")[0], network)
        ]
        near = [subnet for network in networks for subnet in network.children("subnets")]
        if isinstance(name, str):
            yield from (subnet for subnet in near if says(subnet, "name", name))
        elif not near or any(list(_small(subnet, longest)) for subnet in near):
            # Now it matters which of them it is.
            place.last_part("subnet.id")


def _meant(text: str, target: View) -> bool:
    found = means(text, target)
    if found is None:
        target.note("", "may have a gateway's subnet: its own names are not known yet")
    return found is True


def _small(subnet: View, longest: int) -> Iterator[Violation]:
    for key in ("addressPrefix", "addressPrefixes"):
        for text in subnet.texts(key):
            network = _ip_network(text)
            if isinstance(network, IPv4Network) and network.prefixlen > longest:
                yield subnet.fails(key, f"is {text}, smaller than /{longest}")


def _ip_network(text: str) -> IPv4Network | IPv6Network | None:
    try:
        return ip_network(text, strict=False)
    except ValueError:
        return None


# -- all else ----------------------------------------------------------------------------------------------------------


def logs_requests(stack: Graph) -> Iterator[Violation]:
    """A gateway sends the log of its requests somewhere, and that of its firewall if it has one."""
    for gateway in stack.of(GATEWAY):
        yield from sends_logs(stack, gateway, (ACCESS_LOG, FIREWALL_LOG) if has_firewall(gateway) else (ACCESS_LOG,))


def valid_name(gateway: View) -> Iterator[Violation]:
    """Azure takes its name. Without one it gets one that Azure takes."""
    name = gateway.text("applicationGatewayName")
    if isinstance(name, str) and _NAME.fullmatch(name) is None:
        text = f"is `{name}`: a name has 1 to 80 letters, digits, `.`, `_` and `-`, and ends with none of `.` and `-`"
        yield gateway.fails("applicationGatewayName", text)


def has_security_policy(stack: Graph) -> Iterator[Violation]:
    """An Application Gateway for Containers has a security policy with a firewall."""
    for controller in stack.of(FOR_CONTAINERS):
        configurations = controller.child("securityPolicyConfigurations")
        if configurations is not None and points(configurations, "wafSecurityPolicy"):
            continue
        policies = referring(stack, controller, "trafficControllerName", SECURITY_POLICY)
        if any(points(policy, "wafPolicy") for policy in policies):
            continue
        if any(policy.unread for policy in policies):
            controller.note("", "what its security policies have is not known yet")
        yield controller.lacks("", "has no security policy with a firewall")


_WAF_REMEDY = (
    "sku: {name: WAF_v2, tier: WAF_v2}, firewallPolicy: {id: the id of a network.WebApplicationFirewallPolicy}."
)

RULES: tuple[AnyRule, ...] = (
    Rule(
        name="agw-waf-enabled",
        controls=("agw-waf-enabled",),
        title="A gateway has a firewall that is on",
        severity="critical",
        types=(GATEWAY,),
        check=firewall_on,
        remedy=_WAF_REMEDY,
    ),
    Rule(
        name="agw-waf-policy-attached",
        controls=("agw-waf-policy-attached",),
        title="The firewall of a gateway is a policy, not its old configuration",
        severity="medium",
        types=(GATEWAY,),
        check=firewall_by_policy,
        remedy=f"{_WAF_REMEDY} No {LEGACY}.",
    ),
    Rule(
        name="agw-min-tls12",
        controls=("agw-min-tls12",),
        title="A gateway refuses TLS 1.0 and 1.1",
        severity="critical",
        types=(GATEWAY,),
        check=refuses_old_tls,
        remedy=f"sslPolicy: {{policyType: Predefined, policyName: {TLS_POLICY}}}, also in sslProfiles that have one.",
        remediation=newest_tls,
    ),
    Rule(
        name="agw-https-listeners",
        controls=("agw-https-listeners",),
        title="A listener for HTTP only redirects to HTTPS",
        severity="critical",
        types=(GATEWAY,),
        check=plain_http_redirects,
        remedy="A requestRoutingRules entry of the listener with redirectConfiguration, whose targetListener is one for Https.",  # noqa: E501
    ),
    Rule(
        name="agw-backend-https",
        controls=("agw-backend-https",),
        title="Requests reach backends over HTTPS, whose certificates are checked",
        severity="medium",
        types=(GATEWAY,),
        check=backends_encrypted,
        remedy="backendHttpSettingsCollection: [{protocol: Https, port: 443, ...}]; trustedRootCertificates for an authority of your own.",  # noqa: E501
    ),
    Rule(
        name="agw-http2-enabled",
        controls=("agw-http2-enabled",),
        title="Clients of a gateway may use HTTP/2",
        severity="low",
        types=(GATEWAY,),
        check=speaks_http2,
        remedy="enableHttp2: true",
        remediation=lambda gateway: {"enableHttp2": True} if gateway.flag("enableHttp2") in {None, False} else {},
    ),
    Rule(
        name="agw-zone-redundant",
        controls=("agw-zone-redundant",),
        title="A gateway stands in several zones, where its region has zones",
        severity="medium",
        types=(GATEWAY,),
        check=many_zones,
        remedy='zones: ["1", "2", "3"]; a change replaces the gateway.',
        settings={"zones": Setting({"type": "integer", "minimum": 1}, 2, "the least number of zones")},
    ),
    Rule(
        name="agw-v2-sku",
        controls=("agw-v2-sku", "agw-min-sku"),
        title="A gateway is of v2, whose sizes are chosen by Azure",
        severity="medium",
        types=(GATEWAY,),
        check=second_version,
        remedy="sku: {name: WAF_v2, tier: WAF_v2}; Microsoft has a script that makes a v2 gateway from one of v1.",
    ),
    Rule(
        name="agw-min-instances",
        controls=("agw-min-instances",),
        title="A gateway always has two instances",
        severity="medium",
        types=(GATEWAY,),
        check=many_instances,
        remedy="autoscaleConfiguration: {minCapacity: 2, maxCapacity: 10}, or sku.capacity: 2.",
        settings={"instances": Setting({"type": "integer", "minimum": 1}, 2, "the least number of instances")},
    ),
    Rule(
        name="agw-health-probes",
        controls=("agw-health-probes",),
        title="Each backend of a gateway has a health probe of its own",
        severity="medium",
        types=(GATEWAY,),
        check=backends_probed,
        remedy="probes: [{name: status, protocol: Https, path: ..., match: {statusCodes: [200]}}], and its id as probe of each backendHttpSettingsCollection.",  # noqa: E501
    ),
    Rule(
        name="agw-connection-draining",
        controls=("agw-connection-draining",),
        title="A backend that is taken out ends what it has begun",
        severity="low",
        types=(GATEWAY,),
        check=connections_drained,
        remedy="backendHttpSettingsCollection: [{connectionDraining: {enabled: true, drainTimeoutInSec: 60}, ...}]",
        remediation=drain,
    ),
    StackRule(
        name="agw-subnet-size",
        controls=("agw-subnet-size",),
        title="The subnet of a gateway is a /24 or larger",
        severity="low",
        types=(GATEWAY, SUBNET, NETWORK),
        check=large_subnet,
        remedy="addressPrefix: a /24 that the gateway has for itself.",
        blind="Subnets of other stacks.",
        instead="Run the pack over the stack that has the network too, and say its size in a test of that stack.",
        settings={"prefix": Setting({"type": "integer", "minimum": 1}, 24, "the longest prefix")},
    ),
    Rule(
        name="agw-certificates-from-keyvault",
        controls=("agw-certificates-from-keyvault",),
        title="A gateway reads its certificates from a Key Vault",
        severity="medium",
        types=(GATEWAY,),
        check=certificates_from_key_vault,
        remedy="sslCertificates: [{name: ..., keyVaultSecretId: https://VAULT.vault.azure.net/secrets/NAME}], and identity: {type: UserAssigned, userAssignedIdentities: [...]}.",  # noqa: E501
    ),
    StackRule(
        name="agw-diagnostic-settings",
        controls=("agw-diagnostic-settings",),
        title="A gateway sends the logs of its requests and of its firewall somewhere",
        severity="medium",
        types=(GATEWAY,),
        check=logs_requests,
        remedy=f"An azure-native:monitor:DiagnosticSetting with resourceUri: the gateway's id, workspaceId, and logs: [{{category: {ACCESS_LOG}, enabled: true}}, {{category: {FIREWALL_LOG}, enabled: true}}].",  # noqa: E501
        blind=BLIND_TO_SETTINGS,
        instead=ELSEWHERE,
    ),
    Rule(
        name="agw-name-valid",
        controls=("agw-name-valid",),
        title="Azure takes the name of a gateway",
        severity="low",
        types=(GATEWAY,),
        check=valid_name,
        remedy="applicationGatewayName: 1 to 80 letters, digits, `.`, `_` and `-`.",
    ),
    StackRule(
        name="agw-for-containers-security-policy",
        controls=("agw-for-containers-security-policy",),
        title="An Application Gateway for Containers has a security policy with a firewall",
        severity="low",
        types=(FOR_CONTAINERS,),
        check=has_security_policy,
        remedy="An azure-native:servicenetworking:SecurityPoliciesInterface with the controller's name and wafPolicy: {id: ...}.",  # noqa: E501
        blind="Security policies in other stacks, and routes in Kubernetes that name none.",
        instead=ELSEWHERE,
    ),
)
