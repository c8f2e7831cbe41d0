"""AWS's quotas that an edge could run into, as a table, and the check of a compiled edge against it before deployment."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from edgewright.aws.artifact import Artifact, Balancer, Rest
from edgewright.aws.bindings import Bindings
from edgewright.aws.compile_rest import body_text
from edgewright.edge.model import Edge
from edgewright.spec.problems import Place, Problem

Counts = Callable[[Artifact], Iterator[tuple[str, int]]]
"""What has how many of it: words for the thing, such as ``the public balancer``, and a number."""


@dataclass(frozen=True, slots=True)
class Limit:
    """A quota. name: under ``limits`` in the bindings when it is adjustable; what: its name in AWS's console."""

    name: str
    what: str
    number: int
    adjustable: bool
    remedy: str
    counts: Counts


def check_limits(edge: Edge, artifact: Artifact, bindings: Bindings) -> list[Problem]:
    """A problem for each quota that the edge is over, with the number and what to do."""
    found: list[Problem] = []
    for limit in LIMITS:
        number = bindings.limit(limit.name, limit.number) if limit.adjustable else limit.number
        for thing, count in limit.counts(artifact):
            if count > number:
                raised = (
                    f", or have the quota raised and bind `limits: {{{limit.name}: {count}}}`"
                    if limit.adjustable
                    else ""
                )
                what = f"{thing} would have {count} {limit.what}; AWS's limit is {number}"
                found.append(Problem(_place(edge), what, limit.remedy + raised, code="limit"))
    return found


def _place(edge: Edge) -> Place:
    return edge.routes[0].origin.place if edge.routes else edge.access_log.origin.place


def _balancers(artifact: Artifact) -> Iterator[tuple[str, Balancer]]:
    if artifact.edge_balancer is not None:
        yield "the public balancer", artifact.edge_balancer
    if artifact.services is not None:
        yield "the services' balancer", artifact.services


def _rules(artifact: Artifact) -> Iterator[tuple[str, int]]:
    for name, item in _balancers(artifact):
        yield name, len(item.rules)


def _target_groups(artifact: Artifact) -> Iterator[tuple[str, int]]:
    for name, item in _balancers(artifact):
        yield name, len(item.target_groups)


def _listeners(artifact: Artifact) -> Iterator[tuple[str, int]]:
    for name, item in _balancers(artifact):
        yield name, len(item.listeners)


def rest_resources(rest: Rest) -> int:
    """The resources of a REST API: each path, and each path on the way to it; not the root."""
    found: set[tuple[str, ...]] = set()
    for path in rest.body["paths"]:
        parts = tuple(path.strip("/").split("/")) if path != "/" else ()
        found |= {parts[:length] for length in range(1, len(parts) + 1)}
    return len(found)


def _rest_resources(artifact: Artifact) -> Iterator[tuple[str, int]]:
    if artifact.rest is not None:
        yield "the REST API", rest_resources(artifact.rest)


def _http_routes(artifact: Artifact) -> Iterator[tuple[str, int]]:
    if artifact.http is not None:
        yield "the HTTP API", sum(len(item) for item in artifact.http.body["paths"].values())


def _http_integrations(artifact: Artifact) -> Iterator[tuple[str, int]]:
    if artifact.http is not None:
        yield "the HTTP API", len(artifact.http.body["components"]["x-amazon-apigateway-integrations"])


def _verifying(artifact: Artifact) -> Iterator[tuple[str, int]]:
    if artifact.edge_balancer is not None:
        modes = [
            item.get("mutual_authentication", {}).get("mode") for item in artifact.edge_balancer.listeners.values()
        ]
        yield "the public balancer", modes.count("verify")


def _paths(artifact: Artifact) -> Iterator[tuple[str, int]]:
    """Of the ARN of a method, which an authorizer is asked about, the path is what can be long."""
    for name, item in (("the REST API", artifact.rest), ("the HTTP API", artifact.http)):
        for path in item.body["paths"] if item is not None else ():
            yield f"{name}'s path {path[:40]}...", len(path.encode())


def _authorizers(artifact: Artifact) -> Iterator[tuple[str, int]]:
    for name, item in (("the REST API", artifact.rest), ("the HTTP API", artifact.http)):
        if item is not None:
            schemes = item.body.get("components", {}).get("securitySchemes", {})
            yield name, sum("x-amazon-apigateway-authorizer" in scheme for scheme in schemes.values())


def _scopes(artifact: Artifact) -> Iterator[tuple[str, int]]:
    if artifact.http is not None:
        for path, operations in artifact.http.body["paths"].items():
            for operation in operations.values():
                for need in operation.get("security", ()):
                    for scopes in need.values():
                        yield f"the API's route {path}", len(scopes)


def _audiences(artifact: Artifact) -> Iterator[tuple[str, int]]:
    if artifact.http is not None:
        for name, scheme in artifact.http.body["components"]["securitySchemes"].items():
            yield (
                f"the authorizer {name}",
                len(scheme["x-amazon-apigateway-authorizer"]["jwtConfiguration"]["audience"]),
            )


def _body(artifact: Artifact) -> Iterator[tuple[str, int]]:
    for name, item in (("the REST API", artifact.rest), ("the HTTP API", artifact.http)):
        if item is not None:
            yield name, len(body_text(item.body).encode())


def _rate_rules(artifact: Artifact) -> Iterator[tuple[str, int]]:
    if artifact.waf is not None:
        yield "the web ACL", sum("rate_based_statement" in rule["statement"] for rule in artifact.waf.rules)


def _capacity(artifact: Artifact) -> Iterator[tuple[str, int]]:
    if artifact.waf is not None:
        yield "the web ACL", artifact.waf.capacity


# Sources: AWS documentation, "Quotas for your Application Load Balancers", "Amazon API Gateway quotas", "AWS WAF quotas";
# read 2026-11.
LIMITS: tuple[Limit, ...] = (
    Limit("alb_rules", "rules", 100, True, "use fewer routes that differ in what they lead to", _rules),
    Limit("alb_target_groups", "target groups", 100, True, "use fewer backends", _target_groups),
    Limit("alb_listeners", "listeners", 50, True, "use fewer listeners", _listeners),
    Limit("alb_mutual_tls", "listeners that ask for client certificates", 2, True, "use fewer", _verifying),
    Limit("path_bytes", "bytes (the ARN of a method has 1,600)", 1500, False, "use a shorter path", _paths),
    Limit("rest_resources", "resources", 300, True, "merge routes with `/*`", _rest_resources),
    Limit("http_routes", "routes", 300, True, "merge routes with `/*`", _http_routes),
    Limit("http_integrations", "integrations", 300, False, "use fewer routes that differ in what they lead to", _http_integrations),
    Limit("api_authorizers", "authorizers", 10, True, "use fewer sets of scopes and claims", _authorizers),
    Limit("http_scopes", "scopes", 10, False, "name fewer scopes", _scopes),
    Limit("http_audiences", "audiences", 50, False, "name fewer audiences", _audiences),
    Limit("body_bytes", "bytes in its OpenAPI body", 6 * 1024 * 1024, False, "split the edge", _body),
    Limit("waf_rate_rules", "rate-based rules", 10, True, "use fewer throttles, or `per: route`", _rate_rules),
    Limit("waf_capacity", "capacity units", 5000, False, "use fewer managed rule sets or throttles", _capacity),
)  # fmt: skip
