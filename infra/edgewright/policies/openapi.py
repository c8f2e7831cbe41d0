"""What an OpenAPI document says about who may call an API, as API Gateway reads it."""

from collections.abc import Iterator, Sequence

from edgewright.policies.view import View, Violation

_METHODS = ("get", "put", "post", "delete", "patch", "head", "trace", "x-amazon-apigateway-any-method")
_SCHEMES = ("components.securitySchemes", "securityDefinitions")
_OPEN_FLOWS = ("implicit", "password")
_ENDPOINT = "x-amazon-apigateway-endpoint-configuration.disableExecuteApiEndpoint"


def operations(document: View) -> Iterator[tuple[str, str, View]]:
    """Path, method and operation, in the order of their names. OPTIONS is left out: browsers ask it without a token."""
    paths = document.child("paths")
    for path in paths.keys if paths else ():
        listed = paths.item(path) if paths else None
        for method in _METHODS:
            operation = listed.child(method) if listed else None
            if operation is not None:
                yield path, method, operation


def schemes(document: View) -> dict[str, View]:
    """The security schemes by name, of OpenAPI 3 or Swagger 2."""
    found: dict[str, View] = {}
    for place in _SCHEMES:
        listed = document.child(place)
        for name in listed.keys if listed else ():
            scheme = listed.item(name) if listed else None
            if scheme is not None:
                found[name] = scheme
    return found


def has_authorizer(document: View) -> bool:
    """Whether API Gateway asks anybody anything."""
    return any(_authorizes(scheme) for scheme in schemes(document).values()) or any(
        operation.text("x-amazon-apigateway-auth.type") == "AWS_IAM" for _, _, operation in operations(document)
    )


def asks_for_keys(document: View) -> bool:
    """Whether an operation asks for an API key: a scheme of that type without an authorizer."""
    keys = {name for name, scheme in schemes(document).items() if scheme.text("type") == "apiKey"}
    keys -= {name for name, scheme in schemes(document).items() if _authorizes(scheme)}
    return any(
        name in keys
        for _, _, operation in operations(document)
        for requirement in operation.children("security")
        for name in requirement.keys
    )


def turns_address_off(document: View) -> bool:
    """Whether the API has no address of its own: said at the top in Swagger 2, at a server in OpenAPI 3.

    https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-swagger-extensions-endpoint-configuration.html
    """
    return any(place.flag(_ENDPOINT) is True for place in (document, *document.children("servers")))


def open_operations(document: View, *, public: bool) -> Iterator[Violation]:
    """Operations that say nothing about who may call them, or name a scheme that is not there.

    What the document says for all of them does not count: API Gateway ignores it
    (https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-known-issues.html).
    public: accept an empty list, which says that everybody may.
    """
    known = schemes(document)
    for path, method, operation in operations(document):
        if operation.text("x-amazon-apigateway-auth.type") not in {None, "NONE"}:
            continue
        where = f"of `{method.removeprefix('x-amazon-apigateway-').removesuffix('-method').upper()} {path}`"
        if not operation.has("security"):
            yield operation.fails("security", f"{where} is not said, so everybody may call it")
        elif not public and _lets_everybody(operation):
            yield operation.fails("security", f"{where} is empty, so everybody may call it")
        else:
            yield from _unknown_schemes(operation, known, where)
    if document.has("security"):
        yield from _unknown_schemes(document, known, "of the document")


def _lets_everybody(operation: View) -> bool:
    """Whether no requirement is asked for, or an empty one is enough."""
    return operation.count("security") == 0 or any(not one.keys for one in operation.children("security"))


def _unknown_schemes(view: View, known: dict[str, View], where: str) -> Iterator[Violation]:
    for requirement in view.children("security"):
        for name in requirement.keys:
            if name not in known:
                yield view.fails("security", f"{where} names `{name}`, which is no security scheme of the document")


def weak_schemes(document: View) -> Iterator[Violation]:
    """Security schemes that hand over passwords, or that API Gateway does not enforce."""
    yield from password_schemes(document)
    for name, scheme in schemes(document).items():
        kind = scheme.text("type")
        if kind not in {None, "apiKey"} and not _weakness(scheme, name) and not _authorizes(scheme):
            yield scheme.lacks("type", f"of `{name}` is not enforced: it has no x-amazon-apigateway-authorizer")


def password_schemes(document: View) -> Iterator[Violation]:
    """Security schemes that hand over passwords."""
    for name, scheme in schemes(document).items():
        weakness = _weakness(scheme, name)
        if weakness:
            yield scheme.fails("type", weakness)


def _weakness(scheme: View, name: str) -> str:
    kind = scheme.text("type")
    flows: Sequence[str] = [flow for flow in _OPEN_FLOWS if scheme.has(f"flows.{flow}")]
    if scheme.text("flow") in _OPEN_FLOWS:
        flows = [*flows, "flow"]
    if kind == "basic" or (kind == "http" and str(scheme.text("scheme")).lower() == "basic"):
        return f"of `{name}` is basic: the password goes with each request"
    return f"of `{name}` has the flow `{flows[0]}`, which OAuth 2.1 has dropped" if flows else ""


def plain_servers(document: View) -> Iterator[Violation]:
    """Addresses without TLS, where keys go in the clear."""
    for server in document.children("servers"):
        url = server.text("url")
        if isinstance(url, str) and url.lower().startswith("http:"):
            yield server.fails("url", f"is {url}, where keys go in the clear")
    if "http" in document.texts("schemes"):
        yield document.fails("schemes", "have http, where keys go in the clear")


def _authorizes(scheme: View) -> bool:
    return scheme.has("x-amazon-apigateway-authorizer") or scheme.has("x-amazon-apigateway-authtype")
