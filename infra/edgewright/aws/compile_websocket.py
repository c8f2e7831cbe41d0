"""WebSocket APIs for the ``WS`` routes of gateway-first: one an API, since such an API routes by message, not by path.

The service behind gets each message as a POST, with the connection in a header, and answers through the API's own
address for callbacks.
"""

import re
from collections.abc import Sequence

from edgewright.aws.artifact import Json, LambdaAuthorizer, NetworkBalancer, Peers, WebSocket
from edgewright.aws.bindings import Bindings
from edgewright.aws.compile_groups import groups_of
from edgewright.aws.compile_services import HEADER, dispatch_name
from edgewright.aws.rest_authorizers import identity_sources, lambda_config
from edgewright.edge.model import Edge, Route

CONNECTION_HEADER = "x-edgewright-connection"
"""The header that tells a service which connection a message is of."""

EVENT_HEADER = "x-edgewright-event"
"""The header that tells a service what happened: ``CONNECT``, ``MESSAGE`` or ``DISCONNECT``."""

SUBJECT_HEADER = "x-edgewright-subject"
"""The header that tells a service whose connection it is, where somebody had to say."""

PART = "messages"
"""The name of the balancer, its listener and its security group."""

_SEGMENT = re.compile(r"[A-Za-z0-9_-]+")


def fits(route: Route) -> bool:
    """Whether a WebSocket API can be known by a route's path: it is a stage's name, or one segment below a domain."""
    segments = route.path.segments
    return not route.path.rest and len(segments) == 1 and not segments[0].variable and named(segments[0].text)


def named(text: str) -> bool:
    """Whether a text may be a stage's name."""
    return _SEGMENT.fullmatch(text) is not None


def compile_websockets(edge: Edge, routes: Sequence[Route], bindings: Bindings) -> tuple[WebSocket, ...]:
    """An API for each of these ``WS`` routes, which all `fits`; in the order of their names."""
    groups = groups_of(edge, routes)
    found: list[WebSocket] = []
    for route in routes:
        group = groups[route.key]
        authorizer = None
        sources: tuple[str, ...] = ()
        if group.auth is not None:
            authorizer = LambdaAuthorizer(lambda_config(edge, {group.name: group}, {"$connect": group.name}, bindings))
            sources = tuple(item.replace("method.", "route.", 1) for item in identity_sources(edge, group))
        found.append(
            WebSocket(
                route=route.key,
                stage=route.path.segments[0].text,
                path=_path(route),
                headers=_headers(route),
                authorizer=authorizer,
                identity_sources=sources,
                throttle=_throttle(route),
            )
        )
    return tuple(sorted(found, key=lambda item: item.stage))


def _path(route: Route) -> str:
    """The path that the service sees; a rewrite may say another."""
    rewrite = route.rewrite
    if rewrite is not None and rewrite.prefix is not None:
        return rewrite.prefix
    if rewrite is not None and rewrite.path is not None:
        return str(rewrite.path)
    return str(route.path)


def _headers(route: Route) -> Json:
    found: Json = {
        f"integration.request.header.{HEADER}": f"'{dispatch_name(route)}'",
        f"integration.request.header.{CONNECTION_HEADER}": "context.connectionId",
        f"integration.request.header.{EVENT_HEADER}": "context.eventType",
    }
    if route.auth is not None:
        found[f"integration.request.header.{SUBJECT_HEADER}"] = "context.authorizer.subject"
    return found


def _throttle(route: Route) -> Json | None:
    """Of new connections: what a throttle of the route counts everywhere else is requests to connect."""
    item = route.throttle
    return {"rate": item.per_second, "burst": item.burst} if item and item.per.kind == "route" else None


def messages_balancer(port: int, *, secure: bool) -> NetworkBalancer:
    """The internal Network Load Balancer between WebSocket APIs, whose links take no other, and the services' balancer.

    port: of the services' balancer; secure: whether it speaks TLS there, which passes through.
    """
    health: Json = {"protocol": "HTTPS" if secure else "HTTP", "path": "/", "matcher": "200-499"}
    return NetworkBalancer(
        listeners={PART: {"port": port, "protocol": "TCP", "target_group": PART}},
        target_groups={PART: {"port": port, "protocol": "TCP", "target_type": "alb", "health_check": health}},
        targets={},
        # Nothing comes in from the network: the link is the balancer's own side door, and asks no security group.
        peers=Peers(
            egress={"services": {"port": port, "group": "services", "description": "to the services' balancer"}}
        ),
    )
