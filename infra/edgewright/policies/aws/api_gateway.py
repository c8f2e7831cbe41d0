"""What rules over Amazon API Gateway share: the types of its resources, access logs, limits, and one remediation."""

from collections.abc import Callable, Iterator, Mapping

from edgewright.policies.rule import Remediation
from edgewright.policies.view import UNKNOWN, View, Violation

REST_API = "aws:apigateway/restApi:RestApi"
REST_POLICY = "aws:apigateway/restApiPolicy:RestApiPolicy"
REST_PUT = "aws:apigateway/restApiPut:RestApiPut"
STAGE = "aws:apigateway/stage:Stage"
METHOD = "aws:apigateway/method:Method"
METHOD_SETTINGS = "aws:apigateway/methodSettings:MethodSettings"
DEPLOYMENT = "aws:apigateway/deployment:Deployment"
AUTHORIZER = "aws:apigateway/authorizer:Authorizer"
USAGE_PLAN = "aws:apigateway/usagePlan:UsagePlan"
DOMAIN = "aws:apigateway/domainName:DomainName"
INTEGRATION = "aws:apigateway/integration:Integration"
API = "aws:apigatewayv2/api:Api"
API_STAGE = "aws:apigatewayv2/stage:Stage"
ROUTE = "aws:apigatewayv2/route:Route"
API_INTEGRATION = "aws:apigatewayv2/integration:Integration"
API_DOMAIN = "aws:apigatewayv2/domainName:DomainName"
BASE_PATH_MAPPING = "aws:apigateway/basePathMapping:BasePathMapping"
API_MAPPING = "aws:apigatewayv2/apiMapping:ApiMapping"
ROUTING_RULE = "aws:apigatewayv2/routingRule:RoutingRule"
VPC_LINK = "aws:apigateway/vpcLink:VpcLink"

LOGGING_LEVELS = ("ERROR", "INFO")


def access_logs(stage: View) -> Iterator[Violation]:
    """A stage writes access logs."""
    for key in ("accessLogSettings.destinationArn", "accessLogSettings.format"):
        if not stage.has(key):
            yield stage.fails(key, "is not said")


def has_limit(view: View, key: str, *also: str) -> Iterator[Violation]:
    """A limit is said, and lets requests through."""
    limit = view.number(key)
    if limit is None or (isinstance(limit, float) and limit < 0):
        yield view.fails(key, "is not said, so only the account's limit holds, which all APIs share", *also)
    elif limit == 0:
        yield view.fails(key, "is 0, which refuses every request", *also)


def switch(key: str, value: bool, when: Callable[[View], bool]) -> Remediation:
    """Write a value where another is, but not over what is unknown."""

    def write(view: View) -> Mapping[str, bool]:
        here = view.flag(key)
        return {key: value} if here is not UNKNOWN and here is not value and when(view) else {}

    return write
