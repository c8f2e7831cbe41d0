"""Checks of bindings against an edge and a topology: what is wrong with them, and what is not there."""

from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network
from urllib.parse import urlsplit

from edgewright.aws.arn import parse_arn
from edgewright.aws.binding_model import BackendModel, BindingsModel, CreateNetwork
from edgewright.edge.model import Edge, JwtAuthorizer

Trouble = tuple[tuple[str | int, ...], str, str]
"""Where in the bindings, what is wrong, and what to write instead."""

_KINDS = ("ips", "instances", "autoscaling_group", "function", "target_group", "url")


PLAIN_OR_TLS = ("http", "https")
"""Protocols of which a stack may say which: with the same requests, one has TLS."""


@dataclass(frozen=True, slots=True)
class Missing:
    """Something that a stack must bind. values: what stands in for it in an offline plan, by name."""

    name: str
    what: str
    remedy: str
    values: tuple[tuple[str, str], ...]


def missing_of(found: BindingsModel, edge: Edge, topology: str) -> list[Missing]:
    """What must be bound and is not, in the order in which one would bind it."""
    return [
        *_missing_network(found),
        *_missing_certificate(found, edge, topology),
        *_missing_auth(found, edge, topology),
        *_missing_websocket_host(found, edge, topology),
        *_missing_topics(found, edge),
    ]


def _missing_network(found: BindingsModel) -> Iterator[Missing]:
    if found.region is None:
        yield Missing("region", "a region", "write `region: eu-west-1`", (("region", "${bind.region}"),))
    if found.network is None:
        names = ("vpc", "cidr", "public_subnets.1", "public_subnets.2", "private_subnets.1", "private_subnets.2")
        values = tuple((f"network.{name}", f"${{bind.network.{name}}}") for name in names)
        remedy = "write `network: {create: {cidr: 10.0.0.0/16}}`, or `vpc`, `cidr` and subnets of an existing one"
        yield Missing("network", "a network, existing or to create", remedy, values)


def _missing_certificate(found: BindingsModel, edge: Edge, topology: str) -> Iterator[Missing]:
    secure = any(item.protocol == "https" for item in edge.listeners)
    terminates = any(item.protocol == "tls" and item.tls and not item.tls.passthrough for item in edge.listeners)
    # An API has a certificate of AWS's own for the name that AWS gives it; a name of ours needs one of ours.
    needed = (secure and (topology != "gateway-first" or bool(web_hosts(edge)))) or terminates
    if needed and found.certificate is None and (found.dns is None or not secured_hosts(edge, topology)):
        remedy = (
            "write `certificate: arn:aws:acm:...`, or `dns: {zone, zone_id}` and one is issued for the edge's hosts"
        )
        yield Missing("certificate", "a certificate for the hosts", remedy, (("certificate", "${bind.certificate}"),))
    for item in edge.listeners:
        name = item.tls.client_ca if item.tls else None
        if name and name not in found.trust_bundles:
            values = ((f"bundle:{name}", f"${{bind.trust_bundles.{name}}}"),)
            yield Missing(f"trust_bundles.{name}", f"the trust bundle `{name}`", "write `{bucket, key}`", values)


def _missing_auth(found: BindingsModel, edge: Edge, topology: str) -> Iterator[Missing]:
    used = {name for route in edge.routes if route.auth for name in route.auth.authorizers}
    for item in edge.authorizers.values():
        if not isinstance(item, JwtAuthorizer) or item.name not in used or item.jwks_uri or item.jwks:
            continue
        bound = found.authorizers.get(item.name)
        if topology == "gateway-first" or (bound and bound.jwks_uri):
            continue  # API Gateway finds the keys by the issuer's discovery document
        guess = f"{item.issuer.rstrip('/')}/.well-known/jwks.json"
        yield Missing(
            f"authorizers.{item.name}.jwks_uri",
            f"where the keys of `{item.name}` are: the load balancer does no discovery",
            f"write `jwks_uri`, such as {guess}",
            ((f"jwks_uri:{item.name}", guess),),
        )


def _missing_websocket_host(found: BindingsModel, edge: Edge, topology: str) -> Iterator[Missing]:
    hosts = web_hosts(edge)
    if topology != "gateway-first" or not hosts or found.websocket_host or not _websockets(edge):
        return
    guess = f"ws.{hosts[0]}"
    yield Missing(
        "websocket_host",
        f"a host for the WebSocket API: AWS lets it share none with another API, so `{hosts[0]}` cannot have both",
        f"write `websocket_host`, such as {guess}, or take balancer-first, where one host has both",
        (("websocket_host", guess),),
    )


def _missing_topics(found: BindingsModel, edge: Edge) -> Iterator[Missing]:
    for name in edge.monitor.notify if edge.monitor is not None else ():
        if name not in found.notify:
            values = ((f"notify:{name}", f"${{bind.notify.{name}}}"),)
            yield Missing(f"notify.{name}", f"who `{name}` is", "write the ARN of an SNS topic", values)


def _websockets(edge: Edge) -> bool:
    return any(route.websocket for route in edge.routes)


def problems_of(found: BindingsModel, edge: Edge, topology: str) -> list[Trouble]:
    """Everything that is wrong with what was bound."""
    return [
        *_network(found, edge, topology),
        *_certificate(found, edge, topology),
        *_dns(found, edge),
        *_websocket_host(found, edge, topology),
        *(trouble for name, item in found.backends.items() for trouble in _backend(name, item, found.region)),
        *(trouble for name, item in found.backends.items() for trouble in _spoken(name, item, edge)),
    ]


def _network(found: BindingsModel, edge: Edge, topology: str) -> Iterator[Trouble]:
    network = found.network
    if network is None:
        return
    at: tuple[str | int, ...] = ("network",)
    if network.create and (network.vpc or network.private_subnets or network.public_subnets):
        yield at, "`create` and an existing network are both given", "keep one"
        return
    if network.create:
        yield from _created(network.create, found.region)
        return
    if network.vpc is None:
        yield at, "there is no `vpc`", "write `vpc: vpc-...`, or `create: {cidr: 10.0.0.0/16}`"
    if network.cidr is None:
        yield (
            at,
            "there is no `cidr`",
            "write the VPC's addresses, such as `cidr: 10.0.0.0/16`: doors to services open to them only",
        )
    streams = any(not item.web for item in edge.listeners)
    kinds = {"private_subnets": topology != "balancer-only", "public_subnets": topology != "gateway-first" or streams}
    for kind, needed in kinds.items():
        subnets = getattr(network, kind)
        if needed and len(subnets) < 2:
            count = "no subnet" if not subnets else "one subnet"
            yield (*at, kind), f"there is {count}; a load balancer needs two, in different zones", "name two or more"
        known = [item for item in subnets if isinstance(item, str)]
        if len(set(known)) != len(known):
            yield (*at, kind), "a subnet stands twice", "name each once"
    if len(network.zones) > 0 and len(set(network.zones)) < 2:
        yield (
            (*at, "zones"),
            f"all subnets are in {network.zones[0]}; a load balancer needs two zones",
            "add a subnet elsewhere",
        )
    for index, zone in enumerate(network.zones):
        if found.region and not zone.startswith(found.region):
            yield (*at, "zones", index), f"`{zone}` is no zone of {found.region}", f"write {found.region}a or another"
    for index, address in enumerate(network.endpoint_addresses):
        try:
            IPv4Address(address)
        except ValueError:
            yield (*at, "endpoint_addresses", index), f"`{address}` is no IPv4 address", "write one of the subnet"
    needs = topology == "balancer-first" and network.private_subnets
    if needs and len(network.endpoint_addresses) != len(network.private_subnets):
        remedy = "name a free address of each private subnet, in their order: the balancer's targets must be known"
        yield (*at, "endpoint_addresses"), "the endpoint needs a fixed address in each private subnet", remedy


def _created(create: CreateNetwork, region: str | None) -> Iterator[Trouble]:
    at: tuple[str | int, ...] = ("network", "create")
    zones = create.zones if isinstance(create.zones, int) else len(set(create.zones))
    if zones < 2:
        yield (*at, "zones"), "all subnets would be in one zone; a load balancer needs two", "write 2 or more"
    try:
        cidr = IPv4Network(create.cidr)
    except ValueError:
        yield (*at, "cidr"), f"`{create.cidr}` is no IPv4 network", "write it like 10.0.0.0/16"
    else:
        if not 16 <= cidr.prefixlen <= 22:
            yield (
                (*at, "cidr"),
                f"/{cidr.prefixlen} is not between /16 and /22",
                "AWS takes /16 at most; smaller has no room",
            )
    if isinstance(create.zones, list) and region:
        for zone in create.zones:
            if not zone.startswith(region):
                yield (*at, "zones"), f"`{zone}` is no zone of {region}", f"write {region}a or another"


def _certificate(found: BindingsModel, edge: Edge, topology: str) -> Iterator[Trouble]:
    arn = parse_arn(found.certificate) if isinstance(found.certificate, str) else None
    if arn and found.region and arn.region != found.region:
        yield (
            ("certificate",),
            f"it is in {arn.region}, and the stack in {found.region}",
            "issue one in the stack's region",
        )
    if found.certificate_hosts:
        for host in secured_hosts(edge, topology):
            if not any(covers(name, host) for name in found.certificate_hosts):
                names = ", ".join(found.certificate_hosts)
                yield (
                    ("certificate_hosts",),
                    f"the certificate is for {names}, not for `{host}`",
                    "bind one for the host",
                )


def _dns(found: BindingsModel, edge: Edge) -> Iterator[Trouble]:
    if found.dns is None:
        return
    zone = found.dns.zone.rstrip(".")
    for host in hosts_of(edge):
        if host.removeprefix("*.") != zone and not host.endswith(f".{zone}"):
            yield ("dns", "zone"), f"the zone `{zone}` does not hold `{host}`", "bind the zone of the host"


def _websocket_host(found: BindingsModel, edge: Edge, topology: str) -> Iterator[Trouble]:
    host = found.websocket_host
    if host is None:
        return
    at: tuple[str | int, ...] = ("websocket_host",)
    if topology != "gateway-first" or not _websockets(edge) or not web_hosts(edge):
        yield at, "there is no WebSocket API that it could be the host of", "remove it"
    elif host in hosts_of(edge):
        yield at, f"`{host}` is the other API's, and AWS lets a WebSocket API share none", f"write ws.{host} or another"
    elif found.dns is not None and not host.endswith(f".{found.dns.zone.rstrip('.')}"):
        yield at, f"the zone `{found.dns.zone}` does not hold `{host}`", "write a name of the zone"
    elif found.certificate_hosts and not any(covers(name, host) for name in found.certificate_hosts):
        yield at, f"the certificate is for {', '.join(found.certificate_hosts)}, not for `{host}`", "bind one for both"


def hosts_of(edge: Edge) -> tuple[str, ...]:
    """All host names of the edge, in order."""
    return tuple(dict.fromkeys(host for item in edge.listeners for host in item.hosts))


def web_hosts(edge: Edge) -> tuple[str, ...]:
    """The host names of the listeners that carry routes, in order."""
    return tuple(dict.fromkeys(host for item in edge.listeners if item.web for host in item.hosts))


def secured_hosts(edge: Edge, topology: str) -> tuple[str, ...]:
    """The host names that a certificate must have: where TLS ends on AWS, or an API has the name."""
    found: dict[str, None] = {}
    for item in edge.listeners:
        ends = item.protocol == "tls" and not (item.tls and item.tls.passthrough)
        if ends or (item.web and (item.protocol == "https" or topology != "balancer-only")):
            found |= dict.fromkeys(item.hosts)
    return tuple(found)


def stream_hosts(edge: Edge) -> tuple[str, ...]:
    """The host names of the tcp, tls and udp listeners, in order."""
    return tuple(dict.fromkeys(host for item in edge.listeners if not item.web for host in item.hosts))


def covers(name: str, host: str) -> bool:
    """Whether a certificate's name is good for a host; ``*.`` stands for one label."""
    return name == host or (name.startswith("*.") and host.partition(".")[2] == name[2:])


def _backend(name: str, item: BackendModel, region: str | None) -> Iterator[Trouble]:
    at: tuple[str | int, ...] = ("backends", name)
    given = [kind for kind in _KINDS if getattr(item, kind)]
    if len(given) > 1:
        yield at, f"{' and '.join(given)} are given", "keep one; several kinds are several backends"
    for index, address in enumerate(item.ips):
        if isinstance(address, str) and not address.startswith("${"):
            try:
                IPv4Address(address)
            except ValueError:
                yield (*at, "ips", index), f"`{address}` is no IPv4 address", "write it like 10.0.1.10"
    for kind in ("function", "target_group"):
        value = getattr(item, kind)
        arn = parse_arn(value) if isinstance(value, str) else None
        if arn and region and arn.region != region:
            yield (*at, kind), f"it is in {arn.region}, and the stack in {region}", "bind one of the stack's region"
    if item.url:
        parts = urlsplit(item.url)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.path not in ("", "/") or parts.query:
            yield (*at, "url"), f"`{item.url}` is not scheme://host:port", "write it like http://10.0.2.10:8080"
        elif not _is_address(parts.hostname):
            remedy = "bind `ips`, or a function; the gateways' services balancer takes addresses only"
            yield (*at, "url"), f"`{parts.hostname}` is a name, and a target group takes addresses", remedy


def _spoken(name: str, item: BackendModel, edge: Edge) -> Iterator[Trouble]:
    """Protocol and port of a backend, where the stack says them."""
    at: tuple[str | int, ...] = ("backends", name)
    said = [key for key in ("protocol", "port") if getattr(item, key) is not None]
    known = next((kind for kind in ("url", "function", "target_group") if getattr(item, kind)), None)
    for key in said if known else ():
        yield (*at, key), f"`{known}` says it already", "leave it out"
    backend = edge.backends.get(name)
    if item.protocol is not None and backend is not None and backend.protocol not in PLAIN_OR_TLS:
        what = f"the spec says {backend.protocol}, and only http and https may be told apart by a stack"
        yield (*at, "protocol"), what, "leave it out"


def _is_address(text: str) -> bool:
    try:
        IPv4Address(text)
    except ValueError:
        return False
    return True
