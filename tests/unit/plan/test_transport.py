"""Older TLS, none at all, and clients without a certificate are weaker security: it is told first."""

from dataclasses import replace
from typing import Any

import pytest

from edgewright.plan.changes import compare
from edgewright.plan.model import Resource
from edgewright.plan.transport import asks_for_certificates, least_tls
from unit.plan.sample_plans import EMPTY

LISTENER = "aws:lb/listener:Listener"
DOMAIN, NEWER_DOMAIN = "aws:apigateway/domainName:DomainName", "aws:apigatewayv2/domainName:DomainName"
GATEWAY = "azure-native:network:ApplicationGateway"


def https(policy: str | None, **more: Any) -> dict[str, Any]:
    return {"protocol": "HTTPS", "sslPolicy": policy, **more}


@pytest.mark.parametrize(
    ("type_", "inputs", "least"),
    [
        (LISTENER, https("ELBSecurityPolicy-TLS13-1-3-2021-06"), "TLS 1.3"),
        (LISTENER, https("ELBSecurityPolicy-TLS13-1-2-Res-PQ-2025-09"), "TLS 1.2"),
        (LISTENER, {**https("ELBSecurityPolicy-FS-1-1-2019-08"), "protocol": "TLS"}, "TLS 1.1"),
        (LISTENER, https("ELBSecurityPolicy-TLS-1-2-Ext-2018-06"), "TLS 1.2"),
        (LISTENER, https("ELBSecurityPolicy-FS-2018-06"), "TLS 1.0"),
        (LISTENER, https("ELBSecurityPolicy-2016-08"), "TLS 1.0"),
        (LISTENER, https(None), "TLS 1.0"),
        (LISTENER, https("${config.policy}"), None),
        (LISTENER, {"protocol": "HTTP"}, ""),
        (DOMAIN, {"securityPolicy": "TLS_1_2"}, "TLS 1.2"),
        (DOMAIN, {"securityPolicy": "SecurityPolicy_TLS13_1_3_2025_09"}, "TLS 1.3"),
        (NEWER_DOMAIN, {"domainNameConfiguration": {"securityPolicy": "TLS_1_2"}}, "TLS 1.2"),
        (GATEWAY, {"sslPolicy": {"policyType": "Predefined", "policyName": "AppGwSslPolicy20220101S"}}, "TLS 1.2"),
        (GATEWAY, {"sslPolicy": {"policyType": "CustomV2", "minProtocolVersion": "TLSv1_3"}}, "TLS 1.3"),
        (GATEWAY, {}, None),
        ("aws:lb/targetGroup:TargetGroup", {"protocol": "HTTP"}, None),
    ],
)
def test_the_least_version_is_that_of_the_policy(type_: str, inputs: dict[str, Any], least: str | None) -> None:
    assert least_tls(type_, inputs) == least


VERIFY = {"mutualAuthentication": {"mode": "verify", "trustStoreArn": "${lb.TrustStore clients.arn}"}}


def test_only_what_refuses_clients_without_a_certificate_asks_for_one() -> None:
    assert asks_for_certificates(LISTENER, https("x", **VERIFY))
    assert not asks_for_certificates(LISTENER, https("x", mutualAuthentication={"mode": "passthrough"}))
    assert asks_for_certificates(NEWER_DOMAIN, {"mutualTlsAuthentication": {"truststoreUri": "s3://a/b"}})
    assert not asks_for_certificates(DOMAIN, {"securityPolicy": "TLS_1_2"})


OLDER, NEWER = https("ELBSecurityPolicy-TLS13-1-2-Res-2021-06"), https("ELBSecurityPolicy-TLS13-1-3-2021-06")


@pytest.mark.parametrize(
    ("before", "after", "weaker", "stronger"),
    [
        (NEWER, OLDER, "takes TLS 1.2 and newer now; before: TLS 1.3", "takes TLS 1.3 and newer now; before: TLS 1.2"),
        (
            OLDER,
            {"protocol": "HTTP"},
            "speaks without TLS now; before: TLS 1.2",
            "takes TLS 1.2 and newer now; before: without TLS",
        ),
        (
            https("x", **VERIFY),
            https("x"),
            "asks clients for no certificate any more",
            "now asks every client for a certificate",
        ),
    ],
)
def test_what_clients_have_to_speak_and_to_show_is_told(
    before: dict[str, Any], after: dict[str, Any], weaker: str, stronger: str
) -> None:
    old = Resource("urn::web", LISTENER, "web", None, before, (), custom=True)
    one, other = (replace(EMPTY, resources=(replace(old, inputs=inputs),)) for inputs in (before, after))
    assert [(point.where, point.what) for point in compare(one, other).weaker] == [("lb.Listener web", weaker)]
    assert not compare(one, other).stronger
    assert [(point.where, point.what) for point in compare(other, one).stronger] == [("lb.Listener web", stronger)]
    assert not compare(other, one).weaker
