"""The shape of AWS bindings, as pydantic models; values may be Outputs of the engine."""

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints

from edgewright.aws.arn import arn_problem

REGION = r"^[a-z]{2}(-[a-z]+)+-\d$"


def _text(value: Any) -> Any:
    """A text, or something of the engine's that becomes one."""
    if isinstance(value, str):
        if not value:
            raise ValueError("it must not be empty")
        return value
    if hasattr(value, "apply"):
        return value
    raise ValueError("it should be a text")


Value = Annotated[Any, AfterValidator(_text)]


def _is_arn_of(service: str) -> AfterValidator:
    def check(value: Any) -> Any:
        problem = arn_problem(value, service) if isinstance(value, str) else ""
        if problem:
            raise ValueError(problem)
        return value

    return AfterValidator(check)


Function = Annotated[Any, AfterValidator(_text), _is_arn_of("lambda")]
TargetGroup = Annotated[Any, AfterValidator(_text), _is_arn_of("elasticloadbalancing")]
UserPool = Annotated[Any, AfterValidator(_text), _is_arn_of("cognito-idp")]
Certificate = Annotated[Any, AfterValidator(_text), _is_arn_of("acm")]


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True, defer_build=True)


class CreateNetwork(_Model):
    """A network to create."""

    cidr: str = "10.0.0.0/16"
    zones: list[str] | Annotated[int, Field(ge=1, le=6)] = 2
    nat: Annotated[str, StringConstraints(pattern="^(none|single|per_zone)$")] = "none"


class NetworkModel(_Model):
    """See `NetworkBinding`."""

    create: CreateNetwork | None = None
    vpc: Value | None = None
    cidr: str | None = None
    public_subnets: list[Value] = []
    private_subnets: list[Value] = []
    zones: list[str] = []
    endpoint: dict[str, Any] | None = None
    endpoint_addresses: list[str] = []


class DnsModel(_Model):
    """The public zone that holds the host."""

    zone: str
    zone_id: Value


class BackendModel(_Model):
    """Where a backend is."""

    ips: list[Value] = []
    instances: list[Value] = []
    autoscaling_group: Value | None = None
    function: Function | None = None
    target_group: TargetGroup | None = None
    url: str | None = None
    security_group: Value | None = None
    protocol: Literal["http", "https"] | None = None
    port: Annotated[int, Field(ge=1, le=65535)] | None = None


class AuthorizerModel(_Model):
    """What AWS must know of an authorizer beside the spec."""

    jwks_uri: Value | None = None
    user_pool: UserPool | None = None
    audience_format: Annotated[str, StringConstraints(pattern="^(single-string|string-array)$")] = "single-string"
    authorization_endpoint: Value | None = None
    token_endpoint: Value | None = None
    user_info_endpoint: Value | None = None


class BundleModel(_Model):
    """Certificates of authorities in a bucket."""

    bucket: Value
    key: str
    version: str | None = None


class AcceptModel(_Model):
    """An unsupported field that is taken as it is."""

    field: str
    routes: list[str] = []
    reason: Annotated[str, Field(min_length=10)]


class BindingsModel(_Model):
    """See `edgewright.aws.bindings.AwsBindings`."""

    region: Annotated[str, StringConstraints(pattern=REGION)] | None = None
    profile: Annotated[str, StringConstraints(pattern="^(production|development)$")] = "production"
    network: NetworkModel | None = None
    dns: DnsModel | None = None
    certificate: Certificate | None = None
    certificate_hosts: list[str] = []
    domain: Annotated[str, StringConstraints(pattern="^(private|regional|rewrite)$")] = "private"
    websocket_host: str | None = None
    log_role: Annotated[str, StringConstraints(pattern="^(create|existing)$")] | None = None
    gateway: Annotated[str, StringConstraints(pattern="^(http|rest)$")] | None = None
    backends: dict[str, BackendModel] = {}
    authorizers: dict[str, AuthorizerModel] = {}
    trust_bundles: dict[str, BundleModel] = {}
    notify: dict[str, Value] = {}
    cache_size: Annotated[str, StringConstraints(pattern=r"^(0\.5|1\.6|6\.1|13\.5|28\.4|58\.2|118|237)$")] = "0.5"
    log_bucket: Value | None = None
    kms_key: Value | None = None
    limits: dict[str, Annotated[int, Field(ge=1)]] = {}
    shield_subscribed: bool = False
    accept: list[AcceptModel] = []
    tags: dict[str, Value] = {}
