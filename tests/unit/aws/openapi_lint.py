"""Finds what API Gateway would refuse or ignore in an OpenAPI body, beyond what OpenAPI's own schema says.

Sources: "API Gateway extensions to OpenAPI", "Mapping request and response data", "Known issues"; read 2026-11.
"""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Literal

from openapi_spec_validator import OpenAPIV30SpecValidator

from edgewright.aws.compile_rest import body_text

Kind = Literal["rest", "http"]
Json = Mapping[str, Any]

LARGEST = 6 * 1024 * 1024
ANY = "x-amazon-apigateway-any-method"
INTEGRATION = "x-amazon-apigateway-integration"
VERBS = ("get", "head", "post", "put", "patch", "delete", "options", ANY)

_AT_ROOT = {
    "rest": (
        "x-amazon-apigateway-gateway-responses",
        "x-amazon-apigateway-policy",
        "x-amazon-apigateway-request-validators",
        "x-amazon-apigateway-binary-media-types",
        "x-amazon-apigateway-api-key-source",
        "x-amazon-apigateway-minimum-compression-size",
        "x-amazon-apigateway-endpoint-configuration",
    ),
    "http": ("x-amazon-apigateway-cors", "x-amazon-apigateway-importexport-version"),
}
_GATEWAY_RESPONSES = frozenset(
    [
        "ACCESS_DENIED",
        "API_CONFIGURATION_ERROR",
        "AUTHORIZER_CONFIGURATION_ERROR",
        "AUTHORIZER_FAILURE",
        "BAD_REQUEST_PARAMETERS",
        "BAD_REQUEST_BODY",
        "DEFAULT_4XX",
        "DEFAULT_5XX",
        "EXPIRED_TOKEN",
        "INTEGRATION_FAILURE",
        "INTEGRATION_TIMEOUT",
        "INVALID_API_KEY",
        "INVALID_SIGNATURE",
        "MISSING_AUTHENTICATION_TOKEN",
        "QUOTA_EXCEEDED",
        "REQUEST_TOO_LARGE",
        "RESOURCE_NOT_FOUND",
        "THROTTLED",
        "UNAUTHORIZED",
        "UNSUPPORTED_MEDIA_TYPE",
        "WAF_FILTERED",
    ]
)
_FIELDS = {
    "rest": frozenset(
        [
            "type",
            "httpMethod",
            "uri",
            "connectionType",
            "connectionId",
            "integrationTarget",
            "requestParameters",
            "requestTemplates",
            "responses",
            "passthroughBehavior",
            "timeoutInMillis",
            "cacheKeyParameters",
            "cacheNamespace",
            "contentHandling",
            "credentials",
            "tlsConfig",
            "responseTransferMode",
        ]
    ),
    "http": frozenset(
        [
            "type",
            "httpMethod",
            "uri",
            "connectionType",
            "connectionId",
            "payloadFormatVersion",
            "requestParameters",
            "responseParameters",
            "timeoutInMillis",
            "credentials",
            "integrationSubtype",
            "tlsConfig",
        ]
    ),
}
_TYPES = {"rest": ("http", "http_proxy", "aws", "aws_proxy", "mock"), "http": ("http_proxy", "aws_proxy")}
_TIMEOUTS = {"rest": (50, 300_000), "http": (50, 30_000)}
_AUTHORIZERS = {"rest": ("token", "request", "cognito_user_pools"), "http": ("jwt", "request")}
_PASSTHROUGH = ("when_no_match", "when_no_templates", "never")
_MARK = re.compile(r"\{\{[^{}]+\}\}")


def problems(body: Json, kind: Kind) -> list[str]:
    """Everything that is wrong with a body, a line each."""
    found = [*_of_openapi(body), *_at_root(body, kind), *_references(body)]
    if len(body_text(dict(body)).encode()) > LARGEST:
        found.append(f"the body is over {LARGEST} bytes")
    found += _paths(body["paths"])
    for path, operations in body["paths"].items():
        for verb, operation in operations.items():
            if verb in VERBS:
                found += _operation(f"{verb} {path}", path, operation, body, kind)
            else:
                found.append(f"{path}: there is no method {verb}")
    for name, scheme in body.get("components", {}).get("securitySchemes", {}).items():
        found += _scheme(f"scheme {name}", scheme, kind)
    return found


def _of_openapi(body: Json) -> Iterator[str]:
    """OpenAPI's own; it knows nothing of greedy variables, and fails where a reference leads nowhere."""
    plain = {**body, "paths": {path.replace("+}", "}"): item for path, item in body["paths"].items()}}
    try:
        for error in OpenAPIV30SpecValidator(plain).iter_errors():
            yield f"OpenAPI: {error.message}"
    except Exception as error:
        yield f"OpenAPI: {error}"


def _at_root(body: Json, kind: Kind) -> Iterator[str]:
    if not str(body.get("openapi", "")).startswith("3.0."):
        yield f"openapi is {body.get('openapi')}; API Gateway imports 3.0"
    if "security" in body:
        yield "security at the root is ignored by API Gateway: it must stand at each operation"
    for key in body:
        if key.startswith("x-amazon-") and key not in _AT_ROOT[kind]:
            yield f"`{key}` means nothing at the root of a {kind} API"
    for name, item in body.get("x-amazon-apigateway-gateway-responses", {}).items():
        yield from _gateway_response(name, item)
    cors = body.get("x-amazon-apigateway-cors", {})
    if cors.get("allowCredentials") and "*" in cors.get("allowOrigins", ()):
        yield "cors: credentials and every origin go together nowhere"


def _gateway_response(name: str, item: Json) -> Iterator[str]:
    at = f"gateway response {name}"
    if name not in _GATEWAY_RESPONSES:
        yield f"{at}: there is no such response"
    if name.startswith("DEFAULT_") and "statusCode" in item:
        yield f"{at}: a status on it would change that of all"
    for key in item:
        if key not in ("statusCode", "responseParameters", "responseTemplates"):
            yield f"{at}: it has no `{key}`"
    for key, value in item.get("responseParameters", {}).items():
        if not key.startswith("gatewayresponse.header."):
            yield f"{at}: `{key}` is no header of a gateway response"
        if not _static(value) and not value.startswith(("method.", "context.")):
            yield f"{at}: `{value}` is no value"


def _references(body: Json) -> Iterator[str]:
    for reference in _all(body, "$ref"):
        at: Any = body
        for step in str(reference).removeprefix("#/").split("/"):
            at = at.get(step.replace("~1", "/").replace("~0", "~")) if isinstance(at, Mapping) else None
        if at is None or not str(reference).startswith("#/"):
            yield f"`{reference}` leads nowhere"


def _all(value: Any, key: str) -> Iterator[Any]:
    if isinstance(value, Mapping):
        if key in value:
            yield value[key]
        for item in value.values():
            yield from _all(item, key)
    elif isinstance(value, list):
        for item in value:
            yield from _all(item, key)


# -- paths -------------------------------------------------------------------------------------------------------------


def _paths(paths: Json) -> Iterator[str]:
    variables: dict[tuple[str, ...], set[str]] = {}
    shapes: dict[str, str] = {}
    for path in paths:
        parts = path.strip("/").split("/") if path != "/" else []
        if not path.startswith("/") or "" in parts:
            yield f"{path}: it has an empty segment"
        for index, segment in enumerate(parts):
            if not segment.startswith("{"):
                continue
            if segment.endswith("+}") and index < len(parts) - 1:
                yield f"{path}: `{segment}` may stand last only"
            variables.setdefault(tuple(parts[:index]), set()).add(segment.strip("{}+"))
        shape = re.sub(r"\{[^}]*\}", "{}", path)
        other = shapes.setdefault(shape, path)
        if other != path:
            yield f"{path}: to API Gateway it is `{other}`"
        if path in ("/ping", "/sping"):
            yield f"{path} is API Gateway's own"
    for above, names in variables.items():
        if len(names - {"proxy"}) > 1:
            yield f"/{'/'.join(above)}: variables {sorted(names)} stand beside each other; a level has one name"


# -- operations ----------------------------------------------------------------------------------------------------------


def _operation(at: str, path: str, operation: Json, body: Json, kind: Kind) -> Iterator[str]:
    for key in operation:
        if key.startswith("x-amazon-") and key not in (INTEGRATION, "x-amazon-apigateway-request-validator"):
            yield f"{at}: `{key}` means nothing here"
    declared = {(item["in"], item["name"]) for item in operation.get("parameters", ())}
    named = {name.strip("{}+") for name in re.findall(r"\{[^}]+\}", path)}
    for name in named - {name for where, name in declared if where == "path"}:
        yield f"{at}: the variable `{name}` is not declared"
    for name in {name for where, name in declared if where == "path"} - named:
        yield f"{at}: the parameter `{name}` is not in the path"
    schemes = body.get("components", {}).get("securitySchemes", {})
    for need in operation.get("security", ()):
        for scheme in need:
            if scheme not in schemes:
                yield f"{at}: there is no security scheme `{scheme}`"
    validators = body.get("x-amazon-apigateway-request-validators", {})
    validator = operation.get("x-amazon-apigateway-request-validator")
    if validator is not None and validator not in validators:
        yield f"{at}: there is no request validator `{validator}`"
    integration = _resolved(operation.get(INTEGRATION), body)
    if not isinstance(integration, Mapping):
        yield f"{at}: it has no integration"
        return
    yield from _integration(at, integration, declared, operation, kind)


def _resolved(value: Any, body: Json) -> Any:
    if isinstance(value, Mapping) and "$ref" in value:
        name = str(value["$ref"]).rpartition("/")[2]
        return body.get("components", {}).get("x-amazon-apigateway-integrations", {}).get(name)
    return value


def _integration(at: str, item: Json, declared: set[tuple[str, str]], operation: Json, kind: Kind) -> Iterator[str]:
    for key in sorted(set(item) - _FIELDS[kind]):
        yield f"{at}: an integration of a {kind} API has no `{key}`"
    if item.get("type") not in _TYPES[kind]:
        yield f"{at}: `{item.get('type')}` is no type of integration of a {kind} API"
    low, high = _TIMEOUTS[kind]
    if not low <= item.get("timeoutInMillis", low) <= high:
        yield f"{at}: timeoutInMillis is {item['timeoutInMillis']}; it may be {low} to {high}"
    if item.get("type") == "mock":
        yield from _mock(at, item, operation)
        return
    if not item.get("uri") or not item.get("httpMethod"):
        yield f"{at}: an integration needs `uri` and `httpMethod`"
    if item.get("connectionType") == "VPC_LINK":
        needed = ("connectionId", "integrationTarget") if kind == "rest" else ("connectionId", "payloadFormatVersion")
        yield from (f"{at}: a VPC link needs `{key}`" for key in needed if not item.get(key))
    elif item.get("connectionType", "INTERNET") != "INTERNET":
        yield f"{at}: `{item['connectionType']}` is no type of connection"
    if item.get("passthroughBehavior", "never") not in _PASSTHROUGH:
        yield f"{at}: `{item['passthroughBehavior']}` is no passthroughBehavior"
    yield from (_rest_mappings if kind == "rest" else _http_mappings)(at, item, declared)
    if kind == "rest":
        yield from _uri(at, item)
        yield from _cache(at, item, declared)


def _mock(at: str, item: Json, operation: Json) -> Iterator[str]:
    if "application/json" not in item.get("requestTemplates", {}):
        yield f"{at}: a mock needs a request template that says the status"
    for answer in item.get("responses", {}).values():
        status = answer.get("statusCode")
        described = operation.get("responses", {}).get(status)
        if described is None:
            yield f"{at}: the mock answers {status}, which the operation does not describe"
            continue
        for name in answer.get("responseParameters", {}):
            header = name.removeprefix("method.response.header.")
            if header == name or header not in described.get("headers", {}):
                yield f"{at}: the answer {status} does not describe the header of `{name}`"


def _static(value: str) -> bool:
    return len(value) >= 2 and value.startswith("'") and value.endswith("'") and not re.search(r"(?<!\\)'", value[1:-1])


_WHERE = {"querystring": "query", "header": "header", "path": "path"}


def _rest_mappings(at: str, item: Json, declared: set[tuple[str, str]]) -> Iterator[str]:
    for target, source in item.get("requestParameters", {}).items():
        if not re.fullmatch(r"integration\.request\.(path|querystring|header)\.[A-Za-z0-9._$-]+", target):
            yield f"{at}: `{target}` is nothing that can be mapped to"
        found = re.fullmatch(r"method\.request\.(path|querystring|header)\.(.+)", source)
        if found is not None and (_WHERE[found[1]], found[2]) not in declared:
            yield f"{at}: `{source}` is not declared as a parameter"
        if found is None and not _static(source) and not source.startswith(("context.", "stageVariables.")):
            yield f"{at}: `{source}` is nothing that can be mapped from"


def _uri(at: str, item: Json) -> Iterator[str]:
    text = _MARK.sub("mark", str(item["uri"]))
    if not re.fullmatch(r"https?://[^/\s]+(/[^\s]*)?", text):
        yield f"{at}: `{item['uri']}` is no address"
    mapped = {key.rpartition(".")[2] for key in item.get("requestParameters", {}) if ".path." in key}
    for name in re.findall(r"\{([^}]+)\}", text):
        if name not in mapped:
            yield f"{at}: `{{{name}}}` of the address is mapped from nothing"


def _cache(at: str, item: Json, declared: set[tuple[str, str]]) -> Iterator[str]:
    for key in item.get("cacheKeyParameters", ()):
        found = re.fullmatch(r"method\.request\.(path|querystring|header)\.(.+)", key)
        if found is None or (_WHERE[found[1]], found[2]) not in declared:
            yield f"{at}: the cache key `{key}` is not declared as a parameter"


_RESERVED = re.compile(
    r"(authorization|x-forwarded-.*|x-amzn-.*|x-amz-.*|apigw-.*|forwarded|origin|via|host)$", re.IGNORECASE
)


def _http_mappings(at: str, item: Json, declared: set[tuple[str, str]]) -> Iterator[str]:
    changes: Sequence[Json] = (item.get("requestParameters", {}), *item.get("responseParameters", {}).values())
    for change in changes:
        for target, source in change.items():
            found = re.fullmatch(r"(overwrite|append|remove):(header|querystring)\.([A-Za-z0-9._-]+)", target)
            if found is None and target not in ("overwrite:path", "overwrite:statuscode"):
                yield f"{at}: `{target}` is nothing that can be mapped to"
            if found is not None and found[2] == "header" and _RESERVED.match(found[3]):
                yield f"{at}: the header `{found[3]}` is API Gateway's own"
            for name in re.findall(r"\$request\.path\.(\w+)", str(source)):
                if ("path", name) not in declared:
                    yield f"{at}: `$request.path.{name}` is not in the path"
    for status in item.get("responseParameters", {}):
        if not re.fullmatch(r"[2-5]\d\d", status):
            yield f"{at}: `{status}` is no status"


# -- schemes -------------------------------------------------------------------------------------------------------------


def _scheme(at: str, item: Json, kind: Kind) -> Iterator[str]:
    authorizer = item.get("x-amazon-apigateway-authorizer")
    if authorizer is None:
        if kind == "rest" and (item.get("type"), item.get("name"), item.get("in")) != ("apiKey", "x-api-key", "header"):
            yield f"{at}: without an authorizer it must be the API key in x-api-key"
        return
    form = authorizer.get("type")
    if form not in _AUTHORIZERS[kind]:
        yield f"{at}: `{form}` is no authorizer of a {kind} API"
        return
    yield from _CHECKS.get(form, _nothing)(at, authorizer)
    if kind == "rest" and item.get("x-amazon-apigateway-authtype") is None:
        yield f"{at}: it lacks x-amazon-apigateway-authtype"


def _nothing(_at: str, _authorizer: Json) -> Iterator[str]:
    return iter(())


def _jwt(at: str, item: Json) -> Iterator[str]:
    found = item.get("jwtConfiguration", {})
    if not found.get("issuer") or not found.get("audience"):
        yield f"{at}: a jwt authorizer needs an issuer and an audience"
    if not re.fullmatch(r"\$request\.(header|querystring)\.[A-Za-z0-9_-]+", str(item.get("identitySource"))):
        yield f"{at}: `{item.get('identitySource')}` is no identity source"


def _request(at: str, item: Json) -> Iterator[str]:
    ttl, sources = item.get("authorizerResultTtlInSeconds", 300), item.get("identitySource", "")
    if not item.get("authorizerUri"):
        yield f"{at}: it lacks authorizerUri"
    if not 0 <= ttl <= 3600:
        yield f"{at}: authorizerResultTtlInSeconds is {ttl}; it may be 0 to 3600"
    if ttl and not sources:
        yield f"{at}: answers are remembered by nothing: without an identity source the time must be 0"
    for source in sources.split(",") if sources else ():
        if not re.fullmatch(r"method\.request\.(header|querystring)\.[A-Za-z0-9_-]+|context\.\w+", source.strip()):
            yield f"{at}: `{source}` is no identity source"


def _cognito(at: str, item: Json) -> Iterator[str]:
    if not item.get("providerARNs"):
        yield f"{at}: it names no user pool"


_CHECKS: Mapping[str, Callable[[str, Json], Iterator[str]]] = {
    "jwt": _jwt,
    "request": _request,
    "cognito_user_pools": _cognito,
}
