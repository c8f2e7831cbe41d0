"""Rules over resources of AWS."""

from collections.abc import Mapping

from edgewright.policies.aws import api_gateway, exposure, load_balancer, network, surroundings, waf
from edgewright.policies.rule import AnyRule

RULES: tuple[AnyRule, ...] = (
    *load_balancer.RULES,
    *api_gateway.RULES,
    *waf.RULES,
    *network.RULES,
    *surroundings.RULES,
    *exposure.RULES,
)

UNSEEN: Mapping[str, tuple[str, str]] = {}
