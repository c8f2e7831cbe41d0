"""All rules there are, by cloud."""

from edgewright.policies import aws_api_gateway, aws_load_balancer, aws_network, aws_surroundings, aws_waf
from edgewright.policies.rule import AnyRule

AWS: tuple[AnyRule, ...] = (
    *aws_load_balancer.RULES,
    *aws_api_gateway.RULES,
    *aws_waf.RULES,
    *aws_network.RULES,
    *aws_surroundings.RULES,
)

ALL: tuple[AnyRule, ...] = AWS
