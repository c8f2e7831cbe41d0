"""A REST API from one OpenAPI body: deployment, stage, cache, throttle, access log, WAF."""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, Required, TypedDict

import pulumi
import pulumi_aws as aws

from edgewright.clouds import digests, part

from . import log_group as logs

TYPE = "edgewright:aws:RestApi"

# Sizes of a stage's cache in GB (CacheClusterSize of the service model).
CACHE_SIZES = ("0.5", "1.6", "6.1", "13.5", "28.4", "58.2", "118", "237")
CACHE_TTL_LIMIT = 3600  # seconds
BODY_LIMIT = 6 * 1024 * 1024  # bytes of an imported definition (API Gateway quotas)
POLICY_LIMIT = 8192  # characters of a resource policy (API Gateway quotas)
COMPRESSION_LIMIT = 10 * 1024 * 1024  # bytes

# The account's defaults in most regions. A stage of an HTTP API with route settings but without these numbers has them
# as 0, and every request is answered 429 (pulumi/pulumi#12150): so they are always written.
# https://docs.aws.amazon.com/apigateway/latest/developerguide/limits.html
DEFAULT_RATE = 10000
DEFAULT_BURST = 5000

ENDPOINT_TYPES = ("REGIONAL", "PRIVATE", "EDGE")
KEY_SOURCES = ("HEADER", "AUTHORIZER")
ACCESS_MODES = ("BASIC", "STRICT")
LOGGING_LEVELS = ("OFF", "ERROR", "INFO")
STRATEGIES = ("FAIL_WITH_403", "SUCCEED_WITH_RESPONSE_HEADER", "SUCCEED_WITHOUT_RESPONSE_HEADER")

# A method setting needs one of these: `ANY`, or a wildcard for the verb alone, is refused when the stage is updated.
VERBS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
_METHOD_KEY = re.compile(rf"(?P<path>([^/\s][^\s]*)?)/(?P<verb>{'|'.join(VERBS)})")
_STAGE_NAME = re.compile(r"[A-Za-z0-9_-]{1,128}")

# Inputs of the API that reach clients only through a new deployment. Everything else (tags, throttles, cache, stage
# variables, logs) is the stage's and takes effect at once, so it must not cause one.
DEPLOYED = (
    "body",
    "policy",
    "endpoint_configuration",
    "api_key_source",
    "binary_media_types",
    "minimum_compression_size",
)


class ThrottleArgs(TypedDict, total=False):
    """A token bucket; API Gateway takes it as a target, not as a ceiling."""

    rate: pulumi.Input[float]
    """Requests per second that fill the bucket; 0 refuses all."""

    burst: pulumi.Input[float]
    """Requests that the bucket holds; 0 refuses all."""


class RestCacheArgs(TypedDict, total=False):
    """The stage's cache: billed by the hour, whether or not a method uses it."""

    size: Required[str]
    """GB, one of `CACHE_SIZES`; a change drops all that is cached."""

    encrypted: pulumi.Input[bool]
    """Whether what is cached is encrypted. Default: True."""

    unauthorized_strategy: pulumi.Input[str]
    """What a client gets that asks to bypass the cache and may not: one of `STRATEGIES`. Default:
    SUCCEED_WITHOUT_RESPONSE_HEADER, which ignores the wish. FAIL_WITH_403 would answer a browser's reload with 403."""


class MethodArgs(TypedDict, total=False):
    """What one method has otherwise than its stage."""

    cache: bool
    """Whether its answers are cached; needs ``stage.cache``. Default: False."""

    cache_ttl: pulumi.Input[float]
    """Seconds to keep an answer, 0 to 3600. Default: 300, the service's."""

    throttle_rate: pulumi.Input[float]
    """Requests per second. Default: the stage's."""

    throttle_burst: pulumi.Input[float]
    """Requests at once. Default: the stage's."""

    require_authorization: pulumi.Input[bool]
    """Whether a client needs a permission to bypass the cache. Default: True; without it anybody can empty it."""

    unauthorized_strategy: pulumi.Input[str]
    """As in ``stage.cache``, which gives the default."""


class RestStageArgs(TypedDict, total=False):
    """The one stage of the API."""

    name: str
    """Letters, digits, `_` and `-`, up to 128; part of the default address. Default: live."""

    cache: RestCacheArgs
    """Default: no cache."""

    throttle: ThrottleArgs
    """For each method that has none of its own. Default: 10000 a second, 5000 at once: the account's in most regions,
    said here so that it is seen."""

    methods: dict[str, MethodArgs]
    """By method, as ``orders/{id}/GET``: the path without its leading slash, then the verb; ``/GET`` is the root's."""

    variables: Mapping[str, pulumi.Input[str]]
    """Stage variables. Default: none."""

    xray: pulumi.Input[bool]
    """Whether requests are traced in X-Ray: one a second, and one in twenty; billed by traces. Default: True."""

    description: str
    """What the stage is for. Default: that it is the one of this API."""

    access_log: logs.AccessLogArgs
    """Default: on, JSON, kept for a year."""

    logging_level: str
    """Of the execution log: OFF, ERROR or INFO. Default: ERROR. Like the access log it needs the account's log role."""

    log_role_arn: pulumi.Input[str]
    """The account's log role, as `ApiGatewayAccount.role_arn` gives it. Only waited for: a stage that logs before the
    account has a role is refused."""

    client_certificate: pulumi.Input[str]
    """Id of the certificate that API Gateway shows to its backends, so that they can refuse everybody else. Default:
    one that is made; it is good for a year, and `pulumi up --replace` renews it."""


class RestApiArgs(TypedDict, total=False):
    """Arguments of `RestApi`."""

    region: Required[str]
    """Region of the provider, such as eu-central-1; part of the default host name."""

    body: Required[pulumi.Input[str]]
    """OpenAPI 3.0 as JSON text, with `x-amazon-apigateway-*`; under 6 MB."""

    endpoint_type: str
    """REGIONAL, PRIVATE or EDGE. Default: REGIONAL."""

    vpc_endpoint_ids: list[pulumi.Input[str]]
    """Interface endpoints of a PRIVATE API, for which names are made. Default: none."""

    policy: pulumi.Input[str]
    """Resource policy as JSON text; up to 8192 characters; name the API as ``execute-api:/*``. Required for PRIVATE."""

    api_key_source: str
    """Where a request's key comes from: HEADER (`x-api-key`) or AUTHORIZER. Default: HEADER."""

    binary_media_types: list[pulumi.Input[str]]
    """Media types that pass as bytes. Default: none."""

    minimum_compression_size: pulumi.Input[float]
    """Bytes from which answers are compressed, 0 to 10485760. Default: never."""

    disable_execute_api_endpoint: pulumi.Input[bool]
    """Whether the default address is off, so that nothing goes round the custom domain. Default: True, and False for
    PRIVATE, whose default address only its endpoints reach. An API without a custom domain needs False."""

    security_policy: str
    """TLS of the default address: TLS_1_2 or one of ``SecurityPolicy_*``. Default: the service's."""

    endpoint_access_mode: str
    """BASIC or STRICT, with a ``SecurityPolicy_*`` only. Default then: STRICT; behind a load balancer BASIC."""

    stage: RestStageArgs
    """Default: a stage ``live`` with its access log."""

    web_acl_arn: pulumi.Input[str]
    """Web ACL (REGIONAL) that guards the stage. Default: none."""

    redeploy: Mapping[str, pulumi.Input[str]]
    """Further texts that make a new deployment when they change. Default: none."""

    tags: Mapping[str, pulumi.Input[str]]
    """For all that has tags. Default: none."""

    overrides: Mapping[str, Mapping[str, Any]]
    """Raw inputs by attribute: api, deployment, log_group, stage, default_settings, method_settings.KEY,
    client_certificate, web_acl_association."""


class RestApi(pulumi.ComponentResource):
    """A REST API with its stage; nothing is a resource per route, except settings of methods that differ.

    ``id``, ``execution_arn``, ``invoke_url``, ``host`` (of the default address), ``stage_name``, and the raw
    resources ``api``, ``deployment``, ``log_group`` (None without), ``client_certificate`` (None where it is given),
    ``stage``, ``default_settings``, ``method_settings`` (by key), ``web_acl_association`` (None without).
    """

    def __init__(self, name: str, args: RestApiArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(TYPE, name, None, opts)
        part.refuse("RestApi", name, _problems(args))
        stage = args.get("stage", {})
        overrides = args.get("overrides")

        self.api = _api(self, name, args)
        self.deployment = _deployment(self, name, args)
        self.log_group = _log_group(self, name, args)
        self.client_certificate = _client_certificate(self, name, args)
        self.stage = _stage(self, name, args)
        self.default_settings = _settings(self, f"{name}-settings", "*/*", _default_settings(stage), overrides)
        self.method_settings = {
            key: _settings(self, f"{name}-settings-{key}", key, settings, overrides)
            for key, settings in _differing(stage)
        }
        self.web_acl_association = _web_acl(self, name, args)

        self.id = self.api.id
        self.execution_arn = self.api.execution_arn
        self.invoke_url = self.stage.invoke_url
        self.stage_name = self.stage.stage_name
        self.host = execute_api_host(self.api.id, args["region"])
        self.register_outputs(
            {
                "apiId": self.id,
                "executionArn": self.execution_arn,
                "invokeUrl": self.invoke_url,
                "stageName": self.stage_name,
                "host": self.host,
            }
        )


def execute_api_host(api_id: pulumi.Input[str], region: str) -> pulumi.Output[str]:
    """The host of an API's default address, which a private endpoint also takes in `Host`."""
    suffix = "amazonaws.com.cn" if region.startswith("cn-") else "amazonaws.com"
    return pulumi.Output.concat(api_id, f".execute-api.{region}.{suffix}")


def method_path(key: str) -> str:
    """`orders/{id}/GET` as API Gateway keeps it: `~1orders~1{id}/GET`; `*/*` stays.

    The provider puts it into a JSON pointer as it is. AWS writes the resource's path there with its slashes as `~1`
    ("Cache settings for REST APIs", `/~1pets/GET/caching/enabled`) and gives the same key back. Paths that are not
    escaped are stored and have no effect (hashicorp/terraform-provider-aws#9738).
    """
    if key == "*/*":
        return key
    path, _, verb = key.rpartition("/")
    return f"~1{path.replace('/', '~1')}/{verb}"


def described(name: str) -> str:
    """What a stage says that it is for, where nothing else is said."""
    return f"The stage of {name}"


def route_throttle(own: ThrottleArgs, default: ThrottleArgs | None = None) -> dict[str, Any]:
    """Both numbers of a throttle, as a stage takes them: one that is missing would be 0, and answer 429."""
    base = default or {}
    return {
        "throttling_rate_limit": own.get("rate", base.get("rate", DEFAULT_RATE)),
        "throttling_burst_limit": logs.whole(own.get("burst", base.get("burst", DEFAULT_BURST))),
    }


def digest(values: Any) -> pulumi.Input[str]:
    """One SHA-256 over values, nested and plain or known later; the same values give the same text everywhere."""
    if _is_plain(values):
        return _sha256(values)
    return pulumi.Output.from_input(values).apply(_sha256)


def _sha256(values: Any) -> str:
    text = json.dumps(values, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return digests.digest(text)


def _is_plain(value: Any) -> bool:
    if isinstance(value, dict):
        return all(_is_plain(item) for item in value.values())  # pyright: ignore[reportUnknownVariableType]
    if isinstance(value, list):
        return all(_is_plain(item) for item in value)  # pyright: ignore[reportUnknownVariableType]
    return value is None or isinstance(value, str | int | float)


# ---- resources, in the order of a request's path ----


def _api_props(args: RestApiArgs) -> dict[str, Any]:
    kind = args.get("endpoint_type", "REGIONAL")
    private = kind == "PRIVATE"
    return {
        "body": args["body"],
        # Overwriting a private API takes its endpoints and their names away for a moment (provider's documentation).
        "put_rest_api_mode": "merge" if private else "overwrite",
        "fail_on_warnings": True,
        "endpoint_configuration": {"types": kind, **_given(vpc_endpoint_ids=args.get("vpc_endpoint_ids") or None)},
        "policy": args.get("policy"),
        "api_key_source": args.get("api_key_source", "HEADER"),
        "binary_media_types": args.get("binary_media_types") or None,
        "minimum_compression_size": _as_text(args.get("minimum_compression_size")),
        "disable_execute_api_endpoint": args.get("disable_execute_api_endpoint", not private),
        "security_policy": args.get("security_policy"),
        "endpoint_access_mode": _access_mode(args),
    }


def _access_mode(args: RestApiArgs) -> str | None:
    if args.get("security_policy", "TLS_1_2") == "TLS_1_2":
        return None
    return args.get("endpoint_access_mode", "STRICT")


def _as_text(size: Any) -> Any:
    if size is None or isinstance(size, int | float):
        return None if size is None else str(int(size))
    return pulumi.Output.from_input(size).apply(lambda value: str(int(value)))


def _api(self: RestApi, name: str, args: RestApiArgs) -> aws.apigateway.RestApi:
    props = {**_api_props(args), "tags": part.tagged(args.get("tags"), name)}
    return part.place(aws.apigateway.RestApi, name, props, parent=self, overrides=args.get("overrides"), key="api")


def _deployment(self: RestApi, name: str, args: RestApiArgs) -> aws.apigateway.Deployment:
    """A new one whenever something of `DEPLOYED` changes.

    It is made before the old one goes, which is the engine's order: a deployment that a stage uses cannot be deleted.
    """
    props = {**_api_props(args), **(args.get("overrides") or {}).get("api", {})}
    deployed = {key: props.get(key) for key in DEPLOYED}
    triggers = {"redeploy": digest({**deployed, "redeploy": dict(args.get("redeploy", {}))})}
    return part.place(
        aws.apigateway.Deployment,
        f"{name}-deployment",
        {"rest_api": self.api.id, "triggers": triggers},
        parent=self,
        overrides=args.get("overrides"),
        key="deployment",
    )


def _log_group(self: RestApi, name: str, args: RestApiArgs) -> aws.cloudwatch.LogGroup | None:
    access_log = args.get("stage", {}).get("access_log", {})
    return logs.access_log_group(self, name, access_log, args.get("tags"), args.get("overrides"))


def _client_certificate(self: RestApi, name: str, args: RestApiArgs) -> aws.apigateway.ClientCertificate | None:
    if not _makes_certificate(args):
        return None
    return part.place(
        aws.apigateway.ClientCertificate,
        f"{name}-certificate",
        {"description": f"Shows services that {name} calls", "tags": part.tagged(args.get("tags"), name)},
        parent=self,
        overrides=args.get("overrides"),
        key="client_certificate",
    )


def _makes_certificate(args: RestApiArgs) -> bool:
    return args.get("stage", {}).get("client_certificate") is None


def _stage(self: RestApi, name: str, args: RestApiArgs) -> aws.apigateway.Stage:
    stage = args.get("stage", {})
    cache = stage.get("cache")
    props: dict[str, Any] = {
        "rest_api": self.api.id,
        "deployment": self.deployment.id,
        "stage_name": stage.get("name", "live"),
        "cache_cluster_enabled": True if cache else None,
        "cache_cluster_size": cache["size"] if cache else None,
        "variables": stage.get("variables"),
        "description": stage.get("description", described(name)),
        "xray_tracing_enabled": stage.get("xray", True),
        "client_certificate_id": self.client_certificate.id
        if self.client_certificate
        else stage.get("client_certificate"),
        "access_log_settings": logs.access_log_settings(
            stage.get("access_log", {}), "rest", self.log_group, [stage.get("log_role_arn")]
        ),
        "tags": part.tagged(args.get("tags"), name),
    }
    return part.place(
        aws.apigateway.Stage, f"{name}-stage", props, parent=self, overrides=args.get("overrides"), key="stage"
    )


def _default_settings(stage: RestStageArgs) -> dict[str, Any]:
    """Settings of every method that has none of its own; `*/*`."""
    throttle = stage.get("throttle", {})
    cache: RestCacheArgs | dict[str, Any] = stage.get("cache", {})
    return _given(
        caching_enabled=False,
        cache_data_encrypted=cache.get("encrypted", True),
        require_authorization_for_cache_control=True,
        unauthorized_cache_control_header_strategy=cache.get(
            "unauthorized_strategy", "SUCCEED_WITHOUT_RESPONSE_HEADER"
        ),
        **route_throttle(throttle),
        metrics_enabled=True,
        data_trace_enabled=False,  # it writes whole requests, tokens included
        logging_level=logs.after(stage.get("logging_level", "ERROR"), [stage.get("log_role_arn")]),
    )


def _differing(stage: RestStageArgs) -> Iterator[tuple[str, dict[str, Any]]]:
    """Methods whose settings are not the stage's, with all their settings: a method inherits nothing from `*/*`."""
    default = _default_settings(stage)
    for key, method in sorted(stage.get("methods", {}).items()):
        own = _given(
            caching_enabled=method.get("cache"),
            cache_ttl_in_seconds=logs.whole(method.get("cache_ttl")),
            throttling_rate_limit=method.get("throttle_rate"),
            throttling_burst_limit=logs.whole(method.get("throttle_burst")),
            require_authorization_for_cache_control=method.get("require_authorization"),
            unauthorized_cache_control_header_strategy=method.get("unauthorized_strategy"),
        )
        if any(default.get(item) != value for item, value in own.items()):
            yield key, {**default, **own}


def _settings(
    self: RestApi, name: str, key: str, settings: Mapping[str, Any], overrides: Mapping[str, Mapping[str, Any]] | None
) -> aws.apigateway.MethodSettings:
    every = key == "*/*"
    return part.place(
        aws.apigateway.MethodSettings,
        name,
        {
            "rest_api": self.api.id,
            "stage_name": self.stage.stage_name,
            "method_path": method_path(key),
            "settings": settings,
        },
        parent=self,
        overrides=overrides,
        key="default_settings" if every else f"method_settings.{key}",
        # Side by side with `*/*` the settings of a method get lost (hashicorp/terraform-provider-aws#41104).
        depends_on=None if every else [self.default_settings],
    )


def _web_acl(self: RestApi, name: str, args: RestApiArgs) -> "aws.wafv2.WebAclAssociation | None":
    acl = args.get("web_acl_arn")
    if acl is None:
        return None
    # `aws.wafv2` is imported by this line alone: its types cost 0.7 s, which an API without a web ACL should not pay.
    return part.place(
        aws.wafv2.WebAclAssociation,
        f"{name}-web-acl",
        {"resource_arn": self.stage.arn, "web_acl_arn": acl},
        parent=self,
        overrides=args.get("overrides"),
        key="web_acl_association",
    )


def _given(**values: Any) -> dict[str, Any]:
    return {key: value for key, value in values.items() if value is not None}


# ---- checks ----


def _problems(args: RestApiArgs) -> list[str]:
    stage = args.get("stage", {})
    return [
        *part.unknown_keys(args, RestApiArgs.__annotations__, "the API"),
        *[f"`{key}` is missing" for key in ("region", "body") if args.get(key) is None],
        *body_problems(args.get("body")),
        *_endpoint_problems(args),
        *_stage_problems(stage),
        *_method_problems(stage),
        *part.unknown_keys(args.get("overrides") or {}, _attributes(args), "overrides"),
    ]


def _attributes(args: RestApiArgs) -> list[str]:
    stage = args.get("stage", {})
    differing = [f"method_settings.{key}" for key, _ in _differing(stage)]
    log = ["log_group"] if logs.owns_log_group(stage.get("access_log", {})) else []
    acl = ["web_acl_association"] if args.get("web_acl_arn") is not None else []
    shown = ["client_certificate"] if _makes_certificate(args) else []
    return ["api", "deployment", "stage", "default_settings", *differing, *log, *shown, *acl]


def body_problems(body: Any) -> list[str]:
    """What is wrong with an OpenAPI body; none when its text is only known later."""
    if not isinstance(body, str):
        return []
    size = len(body.encode())
    if size > BODY_LIMIT:
        return [f"body has {size} bytes; API Gateway imports up to {BODY_LIMIT}: split the API"]
    try:
        document: Any = json.loads(body)
    except ValueError as error:
        return [f"body is not JSON: {error}"]
    version = str(document.get("openapi", "")) if isinstance(document, dict) else ""  # pyright: ignore[reportUnknownMemberType, reportUnknownArgumentType]
    return [] if version.startswith("3.0") else [f"body is no OpenAPI 3.0 (`openapi` is `{version}`)"]


def choice_problems(value: Any, allowed: tuple[str, ...], what: str) -> list[str]:
    """A problem when a plain value is none of those allowed."""
    if not isinstance(value, str) or value in allowed:
        return []
    return [f"{what} is `{value}`; write one of {', '.join(allowed)}"]


def range_problems(value: Any, low: float, high: float | None, what: str) -> list[str]:
    """A problem when a plain number is out of a range; ``high`` None is no upper end."""
    if not logs.is_number(value) or (value >= low and (high is None or value <= high)):
        return []
    return [f"{what} is {value:g}; it must be {f'{low:g} to {high:g}' if high is not None else f'{low:g} or more'}"]


def throttle_problems(throttle: ThrottleArgs, what: str) -> list[str]:
    """What is wrong with a throttle: unknown keys, numbers below 0, a burst that is not whole."""
    burst = throttle.get("burst")
    problems = part.unknown_keys(throttle, ThrottleArgs.__annotations__, what)
    problems += range_problems(throttle.get("rate"), 0, None, f"{what}.rate")
    problems += range_problems(burst, 0, None, f"{what}.burst")
    if isinstance(burst, float) and not burst.is_integer():
        problems.append(f"{what}.burst is {burst:g}; write whole requests")
    return problems


def _endpoint_problems(args: RestApiArgs) -> list[str]:
    kind = args.get("endpoint_type", "REGIONAL")
    policy = args.get("policy")
    mode = args.get("endpoint_access_mode")
    tls = args.get("security_policy", "TLS_1_2")
    problems = choice_problems(kind, ENDPOINT_TYPES, "endpoint_type")
    problems += choice_problems(args.get("api_key_source"), KEY_SOURCES, "api_key_source")
    problems += choice_problems(mode, ACCESS_MODES, "endpoint_access_mode")
    problems += range_problems(args.get("minimum_compression_size"), 0, COMPRESSION_LIMIT, "minimum_compression_size")
    problems += policy_problems(policy)
    if kind == "PRIVATE" and policy is None:
        problems.append("a PRIVATE API needs `policy`: without one it cannot be deployed")
    if kind != "PRIVATE" and args.get("vpc_endpoint_ids"):
        problems.append(f"vpc_endpoint_ids are for PRIVATE APIs; endpoint_type is {kind}")
    if not tls.startswith(("TLS_1_2", "SecurityPolicy_")):
        problems.append(f"security_policy is `{tls}`; write TLS_1_2 or one of SecurityPolicy_*")
    if mode is not None and not tls.startswith("SecurityPolicy_"):
        problems.append("endpoint_access_mode needs a `security_policy` that begins with SecurityPolicy_")
    return problems


def policy_problems(policy: Any) -> list[str]:
    """What is wrong with a resource policy; none when its text is only known later."""
    if not isinstance(policy, str):
        return []
    if len(policy) > POLICY_LIMIT:
        return [f"policy has {len(policy)} characters; API Gateway takes up to {POLICY_LIMIT}"]
    try:
        json.loads(policy)
    except ValueError as error:
        return [f"policy is not JSON: {error}"]
    return []


def stage_name_problems(name: str, also: tuple[str, ...] = ()) -> list[str]:
    """A problem when a stage cannot have this name."""
    if name in also or _STAGE_NAME.fullmatch(name):
        return []
    return [f"stage.name is `{name}`; letters, digits, `_` and `-` only, 1 to 128 of them"]


def _stage_problems(stage: RestStageArgs) -> list[str]:
    cache: RestCacheArgs | dict[str, Any] = stage.get("cache", {})
    problems = part.unknown_keys(stage, RestStageArgs.__annotations__, "stage")
    problems += stage_name_problems(stage.get("name", "live"))
    problems += throttle_problems(stage.get("throttle", {}), "stage.throttle")
    problems += logs.access_log_problems(stage.get("access_log", {}))
    problems += choice_problems(stage.get("logging_level"), LOGGING_LEVELS, "stage.logging_level")
    if "cache" in stage:
        problems += part.unknown_keys(cache, RestCacheArgs.__annotations__, "stage.cache")
        problems += choice_problems(cache.get("size", ""), CACHE_SIZES, "stage.cache.size")
        problems += choice_problems(cache.get("unauthorized_strategy"), STRATEGIES, "stage.cache.unauthorized_strategy")
    return problems


def _method_problems(stage: RestStageArgs) -> list[str]:
    problems: list[str] = []
    for key, method in stage.get("methods", {}).items():
        what = f"stage.methods[{key}]"
        problems += part.unknown_keys(method, MethodArgs.__annotations__, what)
        if not _METHOD_KEY.fullmatch(key):
            problems.append(
                f"{what}: write the path without its leading slash and one verb, such as `orders/{{id}}/GET`, or "
                "`/GET` for the root; `ANY` and wildcards cannot have settings of their own"
            )
        problems += range_problems(method.get("cache_ttl"), 0, CACHE_TTL_LIMIT, f"{what}.cache_ttl")
        problems += range_problems(method.get("throttle_rate"), 0, None, f"{what}.throttle_rate")
        problems += range_problems(method.get("throttle_burst"), 0, None, f"{what}.throttle_burst")
        problems += choice_problems(method.get("unauthorized_strategy"), STRATEGIES, f"{what}.unauthorized_strategy")
        if method.get("cache") and "cache" not in stage:
            problems.append(f"{what} caches, but the stage has no cache: write stage.cache with a size")
    return problems
