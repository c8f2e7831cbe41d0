"""Rules over resources of AWS."""

from collections.abc import Mapping

from edgewright.policies.aws import cloudfront, exposure, http_api, load_balancer, network, rest_api, surroundings, waf
from edgewright.policies.rule import AnyRule

RULES: tuple[AnyRule, ...] = (
    *load_balancer.RULES,
    *rest_api.RULES,
    *http_api.RULES,
    *waf.RULES,
    *network.RULES,
    *surroundings.RULES,
    *cloudfront.RULES,
    *exposure.RULES,
)

UNSEEN: Mapping[str, tuple[str, str]] = {}
