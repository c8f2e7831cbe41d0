"""Types of resources, whatever version of an API a program has chosen."""

import pytest

from edgewright.policies.types import plain_type
from edgewright.policies.view import Subject


@pytest.mark.parametrize(
    ("token", "plain"),
    [
        ("azure-native:apimanagement:Api", "azure-native:apimanagement:Api"),
        ("azure-native:apimanagement/v20240501:Api", "azure-native:apimanagement:Api"),
        ("azure-native:apimanagement/v20250301preview:Api", "azure-native:apimanagement:Api"),
        ("azure-native_apimanagement_v20240501:apimanagement:Api", "azure-native:apimanagement:Api"),
        ("azure-native_apimanagement_v20240501:apimanagement/v20240501:Api", "azure-native:apimanagement:Api"),
        ("aws:lb/loadBalancer:LoadBalancer", "aws:lb/loadBalancer:LoadBalancer"),
        ("aws:applicationloadbalancing/loadBalancer:LoadBalancer", "aws:alb/loadBalancer:LoadBalancer"),
        ("aws:elasticloadbalancingv2/loadBalancer:LoadBalancer", "aws:lb/loadBalancer:LoadBalancer"),
        ("aws:elasticloadbalancing/loadBalancer:LoadBalancer", "aws:elb/loadBalancer:LoadBalancer"),
        ("azure:apimanagement/api:Api", "azure:apimanagement/api:Api"),
        ("kubernetes:core/v1:Service", "kubernetes:core/v1:Service"),
        ("pulumi:providers:azure-native", "pulumi:providers:azure-native"),
        ("azure-native:apimanagement", "azure-native:apimanagement"),
    ],
)
def test_a_type_has_no_version_of_an_api_and_its_name_of_today(token: str, plain: str) -> None:
    assert plain_type(token) == plain
    assert Subject("urn", token, "it", {}).type == plain
