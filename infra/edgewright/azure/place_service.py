"""Places API Management and what it holds, as all topologies have it: service, backends, APIs, keys, records."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import pulumi

from edgewright.azure.api import Api
from edgewright.azure.api_backend import Backend
from edgewright.azure.api_management import ApiManagement
from edgewright.azure.compile import body_text
from edgewright.azure.compile_authorizers import basic_credential
from edgewright.azure.named_value import NamedValue
from edgewright.azure.place_monitoring import insights_of, workspace_of
from edgewright.azure.placement import Site
from edgewright.azure.policy_fragment import PolicyFragment
from edgewright.azure.websocket_api import WebSocketApi
from edgewright.clouds.part import filled, place

if TYPE_CHECKING:
    from edgewright.azure.edge_monitoring import EdgeMonitoring
    from edgewright.azure.load_balancer import LoadBalancer


TERMS = "A key is for the client that it was given to: keep it secret, and say so when it is lost."
"""What developers would agree to before they get a key in the portal."""


def place_service(
    site: Site, subnet: Any, logs: "EdgeMonitoring | None", *, hosts: Sequence[str], **more: Any
) -> ApiManagement:
    """The service. subnet: where it is in the network, if it is; logs: where they go; hosts: custom domains of its own
    gateways; more: arguments that only one topology has."""
    artifact = site.artifact
    data = site.bindings.data
    publisher = data.publisher
    args = site.arguments(
        "service",
        location=site.bound("location"),
        publisher_name=publisher.name if publisher else site.bound("publisher"),
        publisher_email=publisher.email if publisher else site.bound("publisher"),
        tier=artifact.tier,
        capacity=data.capacity,
        network=artifact.network,
        **insights_of(logs),
        **more,
    )
    workspace = workspace_of(site, logs)
    # The tier Consumption has no logs of requests; a workspace may be there for the balancer of streams.
    if workspace is not None and artifact.tier != "Consumption":
        args["workspace_id"] = workspace
    if artifact.network != "none":
        args["subnet_id"] = subnet
    if artifact.tier == "Premium" and site.bindings.zones and data.capacity > 1:
        args["zones"] = _even(site.bindings.zones, data.capacity)
    identity, client = certificate_identity(site)
    if hosts or artifact.gateways != "managed" or data.credentials:
        args["identities"] = [identity]
    if hosts:
        args["hosts"] = [
            {"host": host, "key_vault_secret_id": site.bound("certificate"), "identity_client_id": client}
            for host in hosts
        ]
    return ApiManagement(f"{site.name}-service", args, site.options())


def _even(zones: Sequence[str], units: int) -> list[str]:
    """As many zones as can share the units evenly; where none can but one, as many as there is a unit for."""
    counts = range(min(len(zones), units), 1, -1)
    return list(zones[: next((count for count in counts if units % count == 0), min(len(zones), units))])


def certificate_identity(site: Site) -> tuple[Any, Any]:
    """Resource id and client id of the identity that may read the certificate, or what stands in for them."""
    bound = site.bindings.data.certificate_identity
    stand_in = site.bound("certificate_identity")
    return (bound.id, bound.client_id) if bound is not None else (stand_in, stand_in)


def place_backends(site: Site, service: ApiManagement, services: "LoadBalancer | None") -> dict[str, Backend]:
    """The backends of routes, by id; those behind the services' balancer by its addresses."""
    addresses = services.frontend_ips if services is not None else {}
    found: dict[str, Backend] = {}
    for name, item in site.artifact.backends.items():
        marks = {f"address:{name}": addresses[name]} if name in addresses else {}
        args = site.arguments("", tagged=False, service_name=service.name, backend_id=name, url=filled(item.url, marks))
        if item.circuit_breaker is not None:
            args["circuit_breaker"] = item.circuit_breaker
        found[name] = Backend(f"{site.name}-to-{name}", args, site.options())
    return found


def place_backend_pools(site: Site, service: ApiManagement, backends: Mapping[str, Backend]) -> dict[str, Backend]:
    """Weighted backends, by the id of their pool."""
    return {
        name: Backend(
            f"{site.name}-pool-{name}",
            site.arguments(
                "",
                tagged=False,
                service_name=service.name,
                backend_id=name,
                pool=[{"id": backends[member].id, "weight": weight} for member, weight in members],
            ),
            site.options(),
        )
        for name, members in site.artifact.pools.items()
    }


def place_named_values(
    site: Site, service: ApiManagement, plain: Mapping[str, Any] | None = None
) -> dict[str, NamedValue]:
    """What policies write as ``{{name}}``: credentials of introspection, secret, and what is given as ``plain``."""
    found = {name: _credential(site, *whose) for name, whose in site.artifact.named_values.items()}
    found |= {name: {"plain": value} for name, value in (plain or {}).items()}
    return {
        name: NamedValue(
            f"{site.name}-{name.removeprefix(f'{site.name}-')}",
            site.arguments("", tagged=False, service_name=service.name, name=name, **kind),
            site.options(),
        )
        for name, kind in found.items()
    }


def _credential(site: Site, authorizer: str, client: str) -> dict[str, Any]:
    """As arguments of a named value: what Key Vault keeps, else what is made of a secret of the stack."""
    name = f"{authorizer}:{client}"
    kept = site.bindings.data.credentials.get(name)
    if kept is not None:
        _, reader = certificate_identity(site)
        return {"key_vault": {"secret_id": kept, "identity_client_id": reader}}

    def made(found: str | None) -> str:
        if found is None:  # the engine's config is one secret: that a name is not in it is seen here only
            raise ValueError(f"the secret `{name}` is needed: write it below `edgewright:credentials`")
        return basic_credential(client, found)

    return {"value": pulumi.Output.secret(site.credentials[name]).apply(made)}


def place_fragments(site: Site, service: ApiManagement) -> dict[str, PolicyFragment]:
    """The fragments that the API's policy includes."""
    compiled = site.artifact.api
    return {
        name: PolicyFragment(
            f"{site.name}-{name.removeprefix(f'{site.name}-')}",
            site.arguments("", tagged=False, service_name=service.name, fragment_id=name, value=value),
            site.options(),
        )
        for name, value in (compiled.fragments.items() if compiled is not None else ())
    }


def place_api(site: Site, service: ApiManagement, after: Sequence[pulumi.Resource]) -> Api | None:
    """The API, its policy and the products of its keys. after: what the policy names."""
    compiled = site.artifact.api
    if compiled is None:
        return None
    args = site.arguments(
        "api",
        tagged=False,
        service_name=service.name,
        api_id=site.artifact.name,
        display_name=site.artifact.name,
        description=f"The routes of {site.artifact.name}.",
        openapi=body_text(compiled.body),
        policy=compiled.policy,
        operation_policies=compiled.operation_policies,
        # Routes that need a key ask for it in the policy: others of the same API do without.
        subscription_required=False,
        products={
            product: {
                "display_name": f"{authorizer} of {site.artifact.name}",
                "description": f"Clients that {authorizer} of {site.artifact.name} knows by their keys.",
                "terms": TERMS,
                "clients": {client: site.credentials.get(f"{authorizer}:{client}") for client in clients},
            }
            for product, (authorizer, clients) in compiled.products.items()
        },
        after=list(after),
    )
    args |= {f"key_{kind}": name for kind, name in compiled.key.items()}
    return Api(f"{site.name}-api", args, site.options())


def place_websockets(
    site: Site, service: ApiManagement, services: "LoadBalancer | None", after: Sequence[pulumi.Resource] = ()
) -> dict[str, WebSocketApi]:
    """The API of each WebSocket route, by the route. after: what their policies name."""
    addresses = services.frontend_ips if services is not None else {}
    found: dict[str, WebSocketApi] = {}
    for item in site.artifact.websockets:
        marks = {f"address:{item.backend}": addresses[item.backend]} if item.backend in addresses else {}
        args = site.arguments(
            "websockets",
            tagged=False,
            service_name=service.name,
            api_id=item.id,
            path=item.path,
            display_name=f"{site.artifact.name}: {item.route}",
            description=f"The WebSockets of {site.artifact.name} at /{item.path}.",
            service_url=filled(item.url, marks),
            policy=item.policy,
        )
        if after:
            args["after"] = list(after)
        found[item.route] = WebSocketApi(f"{site.name}-{item.id.removeprefix(f'{site.name}-')}", args, site.options())
    return found


class Held(NamedTuple):
    """What a service holds for an edge: by id, and WebSocket APIs by route."""

    backends: dict[str, Backend]
    backend_pools: dict[str, Backend]
    named_values: dict[str, NamedValue]
    fragments: dict[str, PolicyFragment]
    api: Api | None
    websockets: dict[str, WebSocketApi]


NOTHING_HELD = Held({}, {}, {}, {}, None, {})
"""Of an edge without requests, which has no service."""


def place_held(
    site: Site,
    service: ApiManagement,
    services: "LoadBalancer | None",
    *,
    plain: Mapping[str, Any] | None = None,
    after: Sequence[pulumi.Resource] = (),
) -> Held:
    """All that a service holds, each after what it names. plain: as in `place_named_values`; after: what policies need
    beside."""
    backends = place_backends(site, service, services)
    pools = place_backend_pools(site, service, backends)
    named_values = place_named_values(site, service, plain)
    fragments = place_fragments(site, service)
    named = [*named_values.values(), *fragments.values(), *after]
    api = place_api(site, service, [*backends.values(), *pools.values(), *named])
    return Held(backends, pools, named_values, fragments, api, place_websockets(site, service, services, named))


def place_record(site: Site, *, name: Any = None, address: Any = None) -> pulumi.CustomResource | None:
    """The host's record in its zone, where the stack binds one: another name (CNAME), or an address (A)."""
    dns = site.bindings.data.dns
    if dns is None or not site.artifact.hosts:
        return None
    from pulumi_azure_native import dns as azure_dns

    told: dict[str, Any] = {"record_type": "CNAME", "cname_record": {"cname": name}}
    if address is not None:
        told = {"record_type": "A", "a_records": [{"ipv4_address": address}]}
    return place(
        azure_dns.RecordSet,
        f"{site.name}-host",
        {
            "resource_group_name": dns.resource_group,
            "zone_name": dns.zone,
            "relative_record_set_name": site.artifact.hosts[0].removesuffix(f".{dns.zone}"),
            "ttl": 300,
            **told,
        },
        parent=site.parent,
        overrides=site.overrides.get("record"),
        key="record",
    )


def keys_of(site: Site, api: Api | None) -> dict[str, pulumi.Output[str]]:
    """The keys of clients by ``AUTHORIZER:CLIENT``, secrets."""
    compiled = site.artifact.api
    if api is None or compiled is None:
        return {}
    return {
        f"{authorizer}:{client}": api.keys[f"{product}:{client}"]
        for product, (authorizer, clients) in compiled.products.items()
        for client in clients
    }
