"""Rules over REST APIs of Amazon API Gateway, their stages, methods and domains; and those over every kind of API."""

import json
import re
from collections.abc import Iterator, Sequence

from edgewright.policies import openapi
from edgewright.policies.aws.api_gateway import (
    API,
    API_DOMAIN,
    API_STAGE,
    AUTHORIZER,
    DEPLOYMENT,
    DOMAIN,
    LOGGING_LEVELS,
    METHOD,
    METHOD_SETTINGS,
    REST_API,
    REST_POLICY,
    REST_PUT,
    STAGE,
    USAGE_PLAN,
    access_logs,
    has_limit,
    switch,
)
from edgewright.policies.aws.load_balancer import DEFAULT_TAGS, DEFAULT_TAGS_INSTEAD, has_tags
from edgewright.policies.aws.waf import ASSOCIATION, missing_groups
from edgewright.policies.graph import Graph
from edgewright.policies.rule import ELSEWHERE, LINT_DOCUMENT, AnyRule, Rule, Setting, StackRule
from edgewright.policies.secrets import secret_in
from edgewright.policies.view import UNKNOWN, View, Violation

ALL_METHODS = "*/*"
_LEVEL = "settings.loggingLevel"
_LIMITS = ("settings.throttlingBurstLimit", "settings.throttlingRateLimit")

# https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-security-policies-list.html
_RECOMMENDED_DOMAIN_POLICIES = (
    "SecurityPolicy_TLS13_1_3_2025_09",
    "SecurityPolicy_TLS13_1_3_FIPS_2025_09",
    "SecurityPolicy_TLS13_1_2_PFS_PQ_2025_09",
    "SecurityPolicy_TLS13_2025_EDGE",
    "SecurityPolicy_TLS12_PFS_2025_EDGE",
)
_TLS12 = re.compile(r"TLS_1_2$|SecurityPolicy_TLS1[23]")
_STRINGS = {"type": "array", "items": {"type": "string"}}


# --- stages ---


def execution_logs(stack: Graph) -> Iterator[Violation]:
    """A REST stage has method settings for all methods with a logging level, and none that turn it off."""
    for stage in stack.of(STAGE):
        listed = list(settings_of(stack, stage, _LEVEL))
        if not any(is_for_all(settings) and settings.text(_LEVEL) in LOGGING_LEVELS for settings in listed):
            yield stage.lacks("", f"has no method settings for `{ALL_METHODS}` with loggingLevel ERROR or INFO")
        for settings in listed:
            if settings.text("methodPath") not in {ALL_METHODS, UNKNOWN} and settings.text(_LEVEL) == "OFF":
                yield settings.fails(_LEVEL, "is OFF, so this method logs no errors", "methodPath")


def is_for_all(settings: View) -> bool:
    """Whether method settings are for all methods of a stage."""
    return settings.text("methodPath") == ALL_METHODS


def settings_of(stack: Graph, stage: View, *keys: str) -> Iterator[View]:
    """The method settings of a stage. What they leave open, of the keys too, is noted at the stage: it is judged."""
    for settings in stack.of(METHOD_SETTINGS):
        meant = _meant(settings, "restApi", stage, "restApi")
        names = _meant(settings, "stageName", stage, "stageName")
        if meant and names:
            for key in ("methodPath", *keys):
                if settings.text(key) is UNKNOWN:
                    stage.note("", f"`{key}` of `{settings.subject.name}` is not known yet")
            yield settings
        elif meant is not False and names is not False:
            stage.note("", f"`{settings.subject.name}` may be for it")


def _meant(one: View, one_key: str, other: View, other_key: str) -> bool | None:
    """Whether two properties have the same value, by where it comes from or what it is; None where nobody can say.

    A value that comes from the other resource itself is the same.
    """
    here, there = one.subject.refs.get(one_key, frozenset()), other.subject.refs.get(other_key, frozenset())
    if here & there or other.subject.urn in here:
        return True
    mine, yours = View(one.subject).text(one_key), View(other.subject).text(other_key)
    if isinstance(mine, str) and isinstance(yours, str):
        return mine == yours
    return False if here and there else None


def structured_logs(stage: View) -> Iterator[Violation]:
    """Access logs are JSON, so that they can be queried."""
    written = stage.text("accessLogSettings.format")
    if isinstance(written, str) and not _is_json(written):
        yield stage.fails("accessLogSettings.format", "is no JSON object")


def _is_json(text: str) -> bool:
    # Variables may stand without quotes where they are numbers or JSON already.
    filled = re.sub(r'(?<!")\$context\.[\w.-]+', "0", text)
    try:
        return isinstance(json.loads(filled), dict)
    except (ValueError, RecursionError):
        return False


def deployed_by_a_stage(stack: Graph) -> Iterator[Violation]:
    """A deployment makes no stage itself, and has one beside it, which can have logs and tags."""
    for deployment in stack.of(DEPLOYMENT):
        if deployment.has("stageName"):
            yield deployment.fails("stageName", "makes a stage that cannot have access logs")
        elif not any(stack.referring(deployment, key, STAGE) for key in ("deployment", "canarySettings.deploymentId")):
            yield deployment.lacks("", "has no stage")


def client_certificate(stage: View) -> Iterator[Violation]:
    """The gateway shows services a certificate, so that they can refuse everybody else."""
    if not stage.has("clientCertificateId"):
        yield stage.fails("clientCertificateId", "is not said, so services cannot tell the gateway from others")


def traced(stage: View) -> Iterator[Violation]:
    """A stage sends traces to X-Ray."""
    if stage.flag("xrayTracingEnabled") is not True:
        yield stage.fails("xrayTracingEnabled", "is not true")


def stage_has_web_acl(stack: Graph) -> Iterator[Violation]:
    """A stage that is not private has a web ACL."""
    for stage in stack.of(STAGE):
        if not stack.referring(stage, "resourceArn", ASSOCIATION) and not is_private(stack, stage):
            yield stage.lacks("", "has no web ACL")


def is_private(stack: Graph, stage: View) -> bool:
    """Whether the API of a stage is private. Notes at the stage where nobody can say."""
    apis = stack.referred(stage, "restApi", REST_API)
    if not apis:
        stage.note("restApi", "is of an API outside of the stack")
    for api in apis:
        if api.has("endpointConfiguration.types") and not api.texts("endpointConfiguration.types"):
            stage.note("", f"the endpoint type of `{api.subject.name}` is not known yet")
    return any(has_private_endpoint(api) for api in apis)


def has_private_endpoint(api: View) -> bool:
    """Whether a REST API, or a domain of REST APIs, is reached through VPC endpoints only."""
    return "PRIVATE" in api.texts("endpointConfiguration.types")


def stage_has_log4j_groups(stack: Graph) -> Iterator[Violation]:
    """The web ACL of a stage has the managed rule groups that are asked for."""
    for stage in stack.of(STAGE):
        yield from missing_groups(stack, stage)


def cache_encrypted(settings: View) -> Iterator[Violation]:
    """Where answers are cached, the cache is encrypted."""
    if settings.flag("settings.cachingEnabled") is True and settings.flag("settings.cacheDataEncrypted") is not True:
        yield settings.fails("settings.cacheDataEncrypted", "is not true", "settings.cachingEnabled")


def stage_cache_encrypted(stack: Graph) -> Iterator[Violation]:
    """A stage with a cache has method settings that encrypt it."""
    for stage in stack.of(STAGE):
        if stage.flag("cacheClusterEnabled") is True and not _any_says(stack, stage, "settings.cacheDataEncrypted"):
            yield stage.lacks("cacheClusterEnabled", "is true, and no method settings have cacheDataEncrypted")


def _any_says(stack: Graph, stage: View, key: str) -> bool:
    return any(settings.flag(key) is True for settings in settings_of(stack, stage, key))


def caching(stack: Graph) -> Iterator[Violation]:
    """A stage caches answers."""
    for stage in stack.of(STAGE):
        if stage.flag("cacheClusterEnabled") is not True:
            yield stage.fails("cacheClusterEnabled", "is not true")
        elif not _any_says(stack, stage, "settings.cachingEnabled"):
            yield stage.lacks("cacheClusterEnabled", "is true, and no method settings have cachingEnabled")


def no_secrets(stage: View) -> Iterator[Violation]:
    """Variables of a stage hold no secrets: everybody who may look at the API sees them."""
    for key in ("variables", "canarySettings.stageVariableOverrides", "stageVariables"):
        variables = stage.child(key)
        for name in variables.keys if variables else ():
            found = secret_in(name, variables.text(name) if variables and "." not in name else None)
            if found and variables:
                yield variables.fails(name, f"looks like {found}")


def in_a_usage_plan(stack: Graph) -> Iterator[Violation]:
    """A stage is in a usage plan: without one, a key that a method asks for is no key of the API."""
    for stage in stack.of(STAGE):
        if any(_plans(plan, stage) for plan in stack.of(USAGE_PLAN)):
            continue
        if stack.setting("withoutKeys") or _takes_keys(stack, stage):
            yield stage.lacks("", "is in no usage plan")


def _takes_keys(stack: Graph, stage: View) -> bool:
    """Whether the API of a stage asks for keys. Notes at the stage where nobody can say."""
    apis = stack.referred(stage, "restApi", REST_API)
    if not apis:
        stage.note("restApi", "is of an API outside of the stack")
    for api in apis:
        asked = any(openapi.asks_for_keys(document) for document in _documents(stack, api))
        if asked or any(method.flag("apiKeyRequired") is True for method in stack.referring(api, "restApi", METHOD)):
            return True
        if api.unread:
            stage.note("", f"whether `{api.subject.name}` asks for keys is not known yet")
    return False


def _plans(plan: View, stage: View) -> bool:
    """Whether a usage plan is for the stage: it refers to the stage, or to its API with the stage's name."""
    sources = plan.subject.refs.get("apiStages", frozenset())
    apis = stage.subject.refs.get("restApi", frozenset())
    if stage.subject.urn in sources:
        return True
    name, api = View(stage.subject).text("stageName"), View(stage.subject).text("restApi")
    for part in View(plan.subject).children("apiStages"):
        same_name, same_api = part.text("stage"), part.text("apiId")
        if UNKNOWN in {same_name, name} or (UNKNOWN in {same_api, api} and not sources & apis):
            stage.note("", f"`{plan.subject.name}` may be for it")
        elif same_name == name and (sources & apis or same_api == api):
            return True
    return False


def described(stage: View) -> Iterator[Violation]:
    """A stage says what it is for."""
    if not stage.has("description") or stage.text("description") == "":
        yield stage.fails("description", "is not said")


# --- method settings ---


def data_trace_off(settings: View) -> Iterator[Violation]:
    """Bodies and headers of requests stay out of logs."""
    if settings.flag("settings.dataTraceEnabled") is True:
        yield settings.fails("settings.dataTraceEnabled", "is true: tokens and bodies go to the logs")


def detailed_metrics(settings: View) -> Iterator[Violation]:
    """There are metrics for each method."""
    if settings.flag("settings.metricsEnabled") is not True:
        yield settings.fails("settings.metricsEnabled", "is not true")


def throttled(settings: View) -> Iterator[Violation]:
    """All methods together have a limit of their own, not just the account's."""
    if settings.text("methodPath") != ALL_METHODS:
        return
    for key in _LIMITS:
        yield from has_limit(settings, key, "methodPath")


def is_limited(stack: Graph, stage: View) -> bool:
    """Whether all methods of a stage together have a limit. Notes at the stage where nobody can say."""
    return any(
        is_for_all(settings) and not any(violation for key in _LIMITS for violation in has_limit(settings, key))
        for settings in settings_of(stack, stage, *_LIMITS)
    )


# --- methods and APIs ---


def method_authorized(stack: Graph) -> Iterator[Violation]:
    """A method asks who calls, or its API is for some only. OPTIONS does not ask: browsers send it without a token."""
    for method in stack.of(METHOD):
        if method.text("httpMethod") == "OPTIONS":
            continue
        kind = method.text("authorization")
        if kind in {None, "", "NONE"}:
            if method.flag("apiKeyRequired") is not True and not _is_of_a_restricted_api(stack, method):
                text = "is NONE, and no API key is asked for"
                yield method.fails("authorization", text, "apiKeyRequired", "httpMethod")
        elif kind in {"CUSTOM", "COGNITO_USER_POOLS"} and not method.has("authorizerId"):
            yield method.fails("authorizerId", f"is not said, but {kind} needs it", "httpMethod")


def _is_of_a_restricted_api(stack: Graph, method: View) -> bool:
    """Whether a method's API is for some only, by its policy. Notes at the method where nobody can say."""
    for api in stack.referred(method, "restApi", REST_API):
        if any(_restricts(policy) for policy in _policies(stack, api)):
            return True
        if api.unread:
            method.note("authorization", f"rests on who may call `{api.subject.name}`, which is not known yet")
    return False


def api_has_authorizer(stack: Graph) -> Iterator[Violation]:
    """A REST API asks who calls, or a policy lets nobody in but a VPC endpoint."""
    for api in stack.of(REST_API):
        documents = list(_documents(stack, api))
        if _shut(stack, api) or stack.referring(api, "restApi", AUTHORIZER):
            continue
        if any(
            openapi.has_authorizer(document) or (stack.setting("acceptKeys") and openapi.asks_for_keys(document))
            for document in documents
        ):
            continue
        methods = [one for one in stack.referring(api, "restApi", METHOD) if one.text("httpMethod") != "OPTIONS"]
        if not methods or not all(_asks(stack, api, method) for method in methods):
            yield api.lacks("", "has no authorizer")


def _documents(stack: Graph, api: View) -> Iterator[View]:
    """The OpenAPI documents of an API: its own, and those that are put beside it. Notes at it what is not known."""
    if document := api.document("body"):
        yield document
    for put in stack.referring(api, "restApiId", REST_PUT):
        if document := put.document("body"):
            yield document
        else:
            api.note("", f"the document of `{put.subject.name}` is not known yet")


def _asks(stack: Graph, api: View, method: View) -> bool:
    """Whether a method asks who calls. Notes at the API where nobody can say."""
    kind, key = method.text("authorization"), method.flag("apiKeyRequired")
    if UNKNOWN in {kind, key}:
        api.note("", f"what `{method.subject.name}` asks for is not known yet")
    return kind == "AWS_IAM" or (stack.setting("acceptKeys") and key is True)


def _shut(stack: Graph, api: View) -> bool:
    """Whether an API is private, with a policy about its endpoint. Notes at the API where nobody can say."""
    return has_private_endpoint(api) and _names_endpoint(stack, api)


def _names_endpoint(stack: Graph, api: View) -> bool:
    return any(_about_endpoint(policy) for policy in _policies(stack, api))


def _policies(stack: Graph, api: View) -> Sequence[View]:
    """The resource policies of an API: its own, one beside it, its documents'. Notes at it what is not known."""
    policies = [api.document("policy")]
    for other in stack.referring(api, "restApiId", REST_POLICY):
        policies.append(other.document("policy"))
        if policies[-1] is None:
            api.note("", f"the policy of `{other.subject.name}` is not known yet")
    policies += [document.child("x-amazon-apigateway-policy") for document in _documents(stack, api)]
    return [policy for policy in policies if policy is not None]


def _restricts(policy: View) -> bool:
    """Whether a policy is for some only: it keeps out all but some, or lets in nobody without a condition."""
    statements = policy.children("Statement")
    keeps_out = any(one.text("Effect") == "Deny" and _is_for_everybody(one) and _narrows(one) for one in statements)
    return keeps_out or (bool(statements) and not any(_is_open(one) for one in statements))


def _about_endpoint(policy: View) -> bool:
    """Whether a policy tests the endpoint, and lets in nobody untested: a Deny is for all, an Allow only adds."""
    tested = {str(one.text("Effect")) for one in policy.children("Statement") if _tests_endpoint(one)}
    return bool(tested) and ("Deny" in tested or not any(_is_open(one) for one in policy.children("Statement")))


def _tests_endpoint(statement: View) -> bool:
    conditions = statement.child("Condition")
    for operator in conditions.keys if conditions else ():
        tested = conditions.item(operator) if conditions else None
        if tested and {key.lower() for key in tested.keys} & {"aws:sourcevpce", "aws:sourcevpc"}:
            return True
    return False


def _is_open(statement: View) -> bool:
    """Whether a statement allows something to everybody without a condition."""
    return statement.text("Effect") == "Allow" and _is_for_everybody(statement) and not _narrows(statement)


def _narrows(statement: View) -> bool:
    """Whether a statement has a condition that not every address meets."""
    conditions = statement.child("Condition")
    for operator in conditions.keys if conditions else ():
        tested = conditions.item(operator) if conditions else None
        for key in tested.keys if tested else ():
            if tested and not any(address.endswith("/0") for address in tested.texts(key)):
                return True
    return False


def asks_for_key(method: View) -> Iterator[Violation]:
    """A method asks for an API key."""
    if method.text("httpMethod") != "OPTIONS" and method.flag("apiKeyRequired") is not True:
        yield method.fails("apiKeyRequired", "is not true", "httpMethod")


def endpoint_type(api: View) -> Iterator[Violation]:
    """An API has an endpoint of an allowed type."""
    allowed: list[str] = api.setting("allowed")
    found = api.texts("endpointConfiguration.types")
    if not api.has("endpointConfiguration.types"):
        yield api.fails("endpointConfiguration.types", "is not said, which means EDGE")
    for kind in found:
        if kind not in allowed:
            yield api.fails("endpointConfiguration.types", f"is {kind}, which is not allowed ({', '.join(allowed)})")


def policy_without_wildcard(view: View) -> Iterator[Violation]:
    """A resource policy does not let everybody do everything. That of a document counts where there is no other."""
    policy = view.document("policy")
    if not view.has("policy") and (document := view.document("body")):
        policy = document.child("x-amazon-apigateway-policy")
    for statement in policy.children("Statement") if policy else ():
        if not _is_open(statement):
            continue
        wide = [action for action in statement.texts("Action") if action.lower() in {"*", "execute-api:*"}]
        if wide:
            yield statement.fails("Action", f"is `{wide[0]}` for everybody", "Effect", "Principal", "Condition")
        elif statement.has("NotAction"):
            yield statement.fails("NotAction", "leaves the rest to everybody", "Effect", "Principal", "Condition")


def _is_for_everybody(statement: View) -> bool:
    """Whether a statement is about everybody, or everybody but a few."""
    if statement.has("NotPrincipal") or "*" in statement.texts("Principal"):
        return True
    principal = statement.child("Principal")
    return principal is not None and any("*" in principal.texts(key) for key in principal.keys)


def private_names_endpoint(stack: Graph) -> Iterator[Violation]:
    """A private API has a policy that names its endpoint or VPC: without one, nobody or every endpoint gets in."""
    for api in stack.of(REST_API):
        if has_private_endpoint(api) and not _names_endpoint(stack, api):
            yield api.lacks("policy", "has no statement with aws:SourceVpce or aws:SourceVpc")


def validated(method: View) -> Iterator[Violation]:
    """Requests are checked before they reach a service."""
    if method.text("httpMethod") != "OPTIONS" and not method.has("requestValidatorId"):
        yield method.fails("requestValidatorId", "is not said", "httpMethod")


def compressed(api: View) -> Iterator[Violation]:
    """Long answers are compressed."""
    size = api.number("minimumCompressionSize")
    if size is None and (document := api.document("body")):
        size = document.number("x-amazon-apigateway-minimum-compression-size")
    if size is None or (isinstance(size, float) and not 0 <= size <= 10_485_760):
        yield api.fails("minimumCompressionSize", "is not said" if size is None else "is not from 0 to 10485760")


def created_before_destroyed(view: View) -> Iterator[Violation]:
    """The old one stays until the new one is there, which is what the engine does unless it is told otherwise."""
    if view.subject.delete_before_replace:
        yield view.fails("", "has deleteBeforeReplace, so a replacement is an outage")


def document_secured(api: View) -> Iterator[Violation]:
    """An OpenAPI document says for each operation who may call it, with schemes that API Gateway enforces."""
    document = api.document("body")
    if document is None:
        return
    policy = api.document("policy")
    shut = has_private_endpoint(api) and policy is not None and _about_endpoint(policy)
    if not shut:
        yield from openapi.open_operations(document, public=api.setting("acceptEmpty"))
    yield from openapi.weak_schemes(document)
    yield from openapi.plain_servers(document)


def put_document_secured(stack: Graph) -> Iterator[Violation]:
    """An OpenAPI document that is put into an API says who may call each operation, as the API's own does."""
    for put in stack.of(REST_PUT):
        document = put.document("body")
        if document is None:
            continue
        if _is_for_an_open_api(stack, put):
            yield from openapi.open_operations(document, public=stack.setting("acceptEmpty"))
        yield from openapi.weak_schemes(document)
        yield from openapi.plain_servers(document)


def _is_for_an_open_api(stack: Graph, put: View) -> bool:
    """Whether a document is put into an API that is not shut. Notes at it where nobody can say."""
    apis = stack.referred(put, "restApiId", REST_API)
    if not apis:
        put.note("restApiId", "is of an API outside of the stack, which may be shut or not")
    unsure = False
    for api in apis:
        if _shut(stack, api):
            return False
        if api.unread:
            put.note("restApiId", f"is of `{api.subject.name}`, and who gets in there is not known yet")
            unsure = True
    return bool(apis) and not unsure


# --- domains ---


def domain_tls12(domain: View) -> Iterator[Violation]:
    """A domain refuses TLS 1.0 and 1.1."""
    policy = domain.text("securityPolicy")
    if not policy:
        yield domain.fails("securityPolicy", "is not said, and may be TLS_1_0")
    elif isinstance(policy, str) and not _TLS12.match(policy):
        yield domain.fails("securityPolicy", f"is {policy}")


def tls12_for(domain: View) -> dict[str, str]:
    """TLS 1.2 where nothing or TLS 1.0 is said: every kind of domain takes it."""
    return {"securityPolicy": "TLS_1_2"} if domain.text("securityPolicy") in {None, "", "TLS_1_0"} else {}


def domain_recommended(domain: View) -> Iterator[Violation]:
    """A domain has a security policy of 2025. Those that `domain_tls12` refuses are left to it.

    A private domain takes none, nor does one with mutual TLS:
    https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-custom-domain-tls-version.html
    """
    policy = domain.text("securityPolicy")
    if not isinstance(policy, str) or not _TLS12.match(policy) or policy in _RECOMMENDED_DOMAIN_POLICIES:
        return
    if not has_private_endpoint(domain) and not domain.has("mutualTlsAuthentication"):
        also = ("endpointConfiguration", "mutualTlsAuthentication")
        yield domain.fails("securityPolicy", f"is {policy}, which is not among those of 2025", *also)


def domain_post_quantum(domain: View) -> Iterator[Violation]:
    """A domain offers post-quantum key exchange."""
    policy = domain.text("securityPolicy")
    if policy is None or (isinstance(policy, str) and "_PQ_" not in policy):
        yield domain.fails("securityPolicy", "has no post-quantum key exchange")


def domain_mutual(domain: View) -> Iterator[Violation]:
    """Clients show a certificate."""
    if not domain.has("mutualTlsAuthentication.truststoreUri"):
        yield domain.fails("mutualTlsAuthentication.truststoreUri", "is not said")


_GROUPS = {
    "groups": Setting(
        _STRINGS,
        ["AWSManagedRulesKnownBadInputsRuleSet"],
        "managed rule groups that must be there; AWSManagedRulesAnonymousIpList refuses clients in data centres too",
    )
}
_TAGS = {"required": Setting(_STRINGS, [], "tags that must be there")}
_EMPTY = {
    "acceptEmpty": Setting(
        {"type": "boolean"},
        True,
        "accept an empty list, which says that everybody may call the operation",
    )
}
_STAGES = (STAGE, API_STAGE)

RULES: tuple[AnyRule, ...] = (
    StackRule(
        name="apigw-execution-logging",
        controls=("apigw-execution-logging",),
        title="A REST stage logs errors of all methods",
        severity="medium",
        types=(STAGE,),
        check=execution_logs,
        remedy='MethodSettings of the stage: {methodPath: "*/*", settings: {loggingLevel: ERROR}}',
        blind="The account's role for logs, which the Region needs once (aws:apigateway/account:Account).",
        instead="An alarm on a log group that stays empty; `edgewright` makes the role with `log_role: create`.",
    ),
    Rule(
        name="apigw-stage-access-logging",
        controls=("apigw-stage-access-logging",),
        title="A REST stage writes access logs",
        severity="medium",
        types=(STAGE,),
        check=access_logs,
        remedy="accessLogSettings: {destinationArn: ..., format: ...}",
    ),
    StackRule(
        name="apigw-deployment-stage-access-log",
        controls=("apigw-deployment-stage-access-log",),
        title="A deployment has a stage of its own beside it",
        severity="low",
        types=(DEPLOYMENT,),
        check=deployed_by_a_stage,
        remedy="An aws:apigateway/stage:Stage with deployment, and no stageName in the deployment.",
        blind="Stages in other stacks.",
        instead=ELSEWHERE,
    ),
    Rule(
        name="apigw-stage-client-certificate",
        controls=("apigw-stage-client-certificate",),
        title="A REST stage shows services a client certificate",
        severity="medium",
        types=(STAGE,),
        check=client_certificate,
        remedy="clientCertificateId: that of an aws:apigateway/clientCertificate:ClientCertificate.",
        blind="Whether services check it.",
        instead="Let the service refuse requests without it, and test that it does.",
    ),
    Rule(
        name="apigw-stage-xray",
        controls=("apigw-stage-xray",),
        title="A REST stage sends traces to X-Ray",
        severity="low",
        types=(STAGE,),
        check=traced,
        remedy="xrayTracingEnabled: true",
        remediation=switch("xrayTracingEnabled", True, lambda _: True),
    ),
    StackRule(
        name="apigw-stage-waf",
        controls=("apigw-stage-waf",),
        title="A REST stage that is not private has a web ACL",
        severity="medium",
        types=(STAGE,),
        check=stage_has_web_acl,
        remedy="An aws:wafv2/webAclAssociation:WebAclAssociation with the stage's ARN as resourceArn.",
        blind="Associations in other stacks, and those that Firewall Manager makes.",
        instead="Security Hub APIGateway.4 sees the account.",
    ),
    StackRule(
        name="apigw-waf-log4j-rules",
        controls=("apigw-waf-log4j-rules",),
        title="The web ACL of a REST stage has the rule group for known bad inputs",
        severity="medium",
        types=(STAGE,),
        check=stage_has_log4j_groups,
        remedy="A rule of the web ACL with managedRuleGroupStatement: {vendorName: AWS, name: ...}.",
        blind="Web ACLs of other stacks.",
        instead="Run the pack over the stack that has the web ACL: waf-log4j-rule.",
        settings=_GROUPS,
    ),
    Rule(
        name="apigw-cache-encrypted",
        controls=("apigw-cache-encrypted",),
        title="Answers that are cached are encrypted",
        severity="medium",
        types=(METHOD_SETTINGS,),
        check=cache_encrypted,
        remedy="settings: {cacheDataEncrypted: true}",
        remediation=switch(
            "settings.cacheDataEncrypted",
            True,
            lambda view: view.flag("settings.cachingEnabled") is True,
        ),
    ),
    StackRule(
        name="apigw-stage-cache-encrypted",
        controls=("apigw-cache-encrypted",),
        title="A stage with a cache has method settings that encrypt it",
        severity="medium",
        types=(STAGE,),
        check=stage_cache_encrypted,
        remedy='MethodSettings of the stage: {methodPath: "*/*", settings: {cacheDataEncrypted: true}}',
    ),
    StackRule(
        name="apigw-stage-caching-enabled",
        controls=("apigw-stage-caching-enabled",),
        title="A REST stage caches answers",
        severity="low",
        types=(STAGE,),
        check=caching,
        remedy="cacheClusterEnabled: true, and MethodSettings with cachingEnabled for what may be cached.",
        optional="A cache is billed by the hour, and is wrong for answers that differ by caller.",
    ),
    StackRule(
        name="apigw-method-authorization",
        controls=("apigw-method-authorization",),
        title="A REST method asks who calls, or a policy makes its API one for some only",
        severity="high",
        types=(METHOD,),
        check=method_authorized,
        remedy="authorization: AWS_IAM, CUSTOM or COGNITO_USER_POOLS with authorizerId; or apiKeyRequired: true.",
    ),
    StackRule(
        name="apigw-api-has-authorizer",
        controls=("apigw-api-has-authorizer",),
        title="A REST API has an authorizer, asks for keys, or is shut but for a VPC endpoint",
        severity="medium",
        types=(REST_API,),
        check=api_has_authorizer,
        remedy="An aws:apigateway/authorizer:Authorizer, or x-amazon-apigateway-authorizer in the document.",
        settings={
            "acceptKeys": Setting(
                {"type": "boolean"}, True, "accept an API that asks for keys; AWS does not call that authentication"
            )
        },
    ),
    Rule(
        name="apigw-method-api-key",
        controls=("apigw-method-api-key",),
        title="A REST method asks for an API key",
        severity="low",
        types=(METHOD,),
        check=asks_for_key,
        remedy="apiKeyRequired: true",
        optional="A key tells clients apart for quotas; it does not authenticate anybody.",
    ),
    StackRule(
        name="apigw-stage-usage-plan",
        controls=("apigw-stage-usage-plan",),
        title="A REST stage whose API asks for keys is in a usage plan",
        severity="low",
        types=(STAGE,),
        check=in_a_usage_plan,
        remedy="An aws:apigateway/usagePlan:UsagePlan with the stage in apiStages.",
        blind="Usage plans in other stacks.",
        instead=ELSEWHERE,
        settings={
            "withoutKeys": Setting(
                {"type": "boolean"}, False, "also stages of APIs that ask for no key, where a plan limits nobody"
            )
        },
    ),
    Rule(
        name="apigw-private-endpoint",
        controls=("apigw-private-endpoint",),
        title="A REST API has an endpoint of an allowed type",
        severity="medium",
        types=(REST_API,),
        check=endpoint_type,
        remedy="endpointConfiguration: {types: PRIVATE} or REGIONAL.",
        settings={
            "allowed": Setting(
                {"type": "array", "items": {"enum": ["PRIVATE", "REGIONAL", "EDGE"]}},
                ["PRIVATE", "REGIONAL"],
                "types that are allowed; EDGE has a CloudFront in front that nobody can configure",
            )
        },
    ),
    Rule(
        name="apigw-resource-policy-no-wildcard",
        controls=("apigw-resource-policy-no-wildcard",),
        title="A resource policy does not let everybody do everything",
        severity="high",
        types=(REST_POLICY, REST_API, REST_PUT),
        check=policy_without_wildcard,
        remedy="Action: execute-api:Invoke, and a Condition or a Principal.",
    ),
    StackRule(
        name="apigw-private-names-endpoint",
        controls=("apigw-resource-policy-no-wildcard",),
        title="A private REST API has a policy that names its VPC endpoint",
        severity="high",
        types=(REST_API,),
        check=private_names_endpoint,
        remedy="A Deny with StringNotEquals on aws:SourceVpce, and an Allow.",
    ),
    Rule(
        name="apigw-request-validation",
        controls=("apigw-request-validation",),
        title="A REST method checks requests",
        severity="low",
        types=(METHOD,),
        check=validated,
        remedy="requestValidatorId: that of an aws:apigateway/requestValidator:RequestValidator.",
        blind="Methods that an OpenAPI document defines.",
        instead=LINT_DOCUMENT,
    ),
    Rule(
        name="apigw-data-trace-disabled",
        controls=("apigw-data-trace-disabled",),
        title="A REST API keeps requests and answers out of logs",
        severity="high",
        types=(METHOD_SETTINGS,),
        check=data_trace_off,
        remedy="settings: {dataTraceEnabled: false}",
        remediation=switch(
            "settings.dataTraceEnabled",
            False,
            lambda view: view.flag("settings.dataTraceEnabled") is True,
        ),
    ),
    Rule(
        name="apigw-detailed-metrics",
        controls=("apigw-detailed-metrics",),
        title="A REST API has metrics for each method",
        severity="low",
        types=(METHOD_SETTINGS,),
        check=detailed_metrics,
        remedy="settings: {metricsEnabled: true}; metrics are billed.",
    ),
    Rule(
        name="apigw-minimum-compression",
        controls=("apigw-minimum-compression",),
        title="A REST API compresses long answers",
        severity="low",
        types=(REST_API,),
        check=compressed,
        remedy='minimumCompressionSize: "1024"',
        optional="Services may compress themselves; and where a caller's words are compressed beside a secret, the length tells it (BREACH).",  # noqa: E501
    ),
    Rule(
        name="apigw-domain-tls12",
        controls=("apigw-domain-tls12",),
        title="A REST domain refuses TLS 1.0 and 1.1",
        severity="high",
        types=(DOMAIN,),
        check=domain_tls12,
        remedy="securityPolicy: SecurityPolicy_TLS13_1_2_PFS_PQ_2025_09, or TLS_1_2.",
        remediation=tls12_for,
    ),
    Rule(
        name="apigw-domain-recommended-policy",
        controls=("apigw-domain-recommended-policy",),
        title="A REST domain has a security policy of 2025",
        severity="medium",
        types=(DOMAIN,),
        check=domain_recommended,
        remedy="securityPolicy: SecurityPolicy_TLS13_1_2_PFS_PQ_2025_09 (scanners that know TLS_1_2 only complain).",
        blind="Whether HTTP APIs are mapped to the domain, which takes TLS_1_2 only then.",
        instead="An aws:apigatewayv2/domainName:DomainName for those.",
    ),
    Rule(
        name="apigw-domain-post-quantum",
        controls=("apigw-domain-post-quantum",),
        title="A REST domain offers post-quantum key exchange",
        severity="low",
        types=(DOMAIN,),
        check=domain_post_quantum,
        remedy="securityPolicy: SecurityPolicy_TLS13_1_2_PFS_PQ_2025_09",
        optional="Whether what is read today must stay secret for decades is for its owner to say.",
    ),
    Rule(
        name="apigw-domain-mtls",
        controls=("apigw-domain-mtls",),
        title="A domain asks clients for a certificate",
        severity="low",
        types=(DOMAIN, API_DOMAIN),
        check=domain_mutual,
        remedy="mutualTlsAuthentication: {truststoreUri: s3://...}",
        optional="Browsers and partners without certificates could not call any more.",
    ),
    Rule(
        name="apigw-throttling-configured",
        controls=("apigw-throttling-configured",),
        title="A REST stage has a limit of its own",
        severity="medium",
        types=(METHOD_SETTINGS,),
        check=throttled,
        remedy='MethodSettings for "*/*": settings: {throttlingRateLimit: ..., throttlingBurstLimit: ...}',
    ),
    Rule(
        name="apigw-structured-logging",
        controls=("apigw-structured-logging",),
        title="Access logs of a stage are JSON",
        severity="low",
        types=_STAGES,
        check=structured_logs,
        remedy='accessLogSettings: {format: \'{"requestId":"$context.requestId",...}\'}',
    ),
    Rule(
        name="apigw-stage-variables-no-secrets",
        controls=("apigw-stage-variables-no-secrets",),
        title="Stage variables hold no secrets",
        severity="high",
        types=_STAGES,
        check=no_secrets,
        remedy="Secrets Manager or the Parameter Store, read by the service that needs it.",
        blind="Secrets that look like nothing in particular.",
        instead="A scanner of secrets over the repository.",
    ),
    Rule(
        name="apigw-tagged",
        controls=("apigw-tagged",),
        title="A REST API and its stages have tags",
        severity="low",
        types=(REST_API, STAGE),
        check=has_tags,
        remedy="tags: whose it is, at least.",
        blind=DEFAULT_TAGS,
        instead=DEFAULT_TAGS_INSTEAD,
        settings=_TAGS,
    ),
    Rule(
        name="apigw-stage-description",
        controls=("apigw-stage-description",),
        title="A stage says what it is for",
        severity="low",
        types=_STAGES,
        check=described,
        remedy="description: ...",
    ),
    Rule(
        name="apigw-replace-create-before-destroy",
        controls=("apigw-replace-create-before-destroy",),
        title="A REST API is replaced without an outage",
        severity="low",
        types=(REST_API, DEPLOYMENT),
        check=created_before_destroyed,
        remedy="No deleteBeforeReplace among the resource's options.",
    ),
    Rule(
        name="apigw-openapi-security",
        controls=("apigw-openapi-security",),
        title="An OpenAPI document says who may call each operation",
        severity="high",
        types=(REST_API, API),
        check=document_secured,
        remedy="security for each operation (an empty list where everybody may call it), with schemes of the document.",
        blind="Documents that are no JSON, or not known before the deployment; policies in a RestApiPolicy.",
        instead=LINT_DOCUMENT,
        settings=_EMPTY,
    ),
    StackRule(
        name="apigw-put-openapi-security",
        controls=("apigw-openapi-security",),
        title="An OpenAPI document that is put into a REST API says who may call each operation",
        severity="high",
        types=(REST_PUT,),
        check=put_document_secured,
        remedy="security for each operation (an empty list where everybody may call it), with schemes of the document.",
        blind="Documents that are no JSON, or not known before the deployment; whether APIs of other stacks are shut.",
        instead=LINT_DOCUMENT,
        settings=_EMPTY,
    ),
)
