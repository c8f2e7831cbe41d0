"""Custom domains of each kind, and certificates proven in a zone."""

import json
from typing import Any, cast

import pulumi
import pytest

from edgewright.aws.certificate import Certificate, CertificateArgs
from edgewright.aws.custom_domain import CustomDomain, CustomDomainArgs, endpoint_policy
from mocks.aws.api_recording import UNKNOWN, Recording, problems, record, resolved
from mocks.unknowns import unknown

ARN = "arn:aws:acm:eu-central-1:123456789012:certificate/0a1b"
HOST = "api.example.com"


def proof(name: str) -> dict[str, str]:
    host = name.removeprefix("*.")
    return {
        "domainName": name,
        "resourceRecordName": f"_x.{host}.",
        "resourceRecordType": "CNAME",
        "resourceRecordValue": f"_y.{host}.acm.",
    }


CLOUD = {
    "acm.Certificate": {
        "domainValidationOptions": [proof("*.shop.example.com"), proof("shop.example.com"), proof(HOST)]
    },
    "apigateway.DomainName": {"regionalDomainName": "d-1.execute-api", "regionalZoneId": "ZAPI"},
    "apigatewayv2.DomainName": {
        "domainNameConfiguration": {
            "certificateArn": ARN,
            "endpointType": "REGIONAL",
            "securityPolicy": "TLS_1_2",
            "targetDomainName": "d-2.execute-api",
            "hostedZoneId": "ZAPI2",
        }
    },
}
MAPPINGS = {"shop": {"api_id": "api1", "stage": "live"}}


def args(**more: Any) -> CustomDomainArgs:
    given = {"host": HOST, "region": "eu-central-1", "kind": "rest", "certificate_arn": ARN, **more}
    return cast(CustomDomainArgs, {key: value for key, value in given.items() if value is not None})


def place(**more: Any) -> Recording:
    return record(lambda: CustomDomain("edge", args(**more)), outputs=CLOUD)


def refused(**more: Any) -> str:
    return problems(lambda: CustomDomain("edge", args(**more)))


def alias(made: Recording, name: str) -> dict[str, Any]:
    return made.of("route53.Record")[name].inputs["aliases"][0]


def test_a_rest_domain_is_regional_with_tls_1_2_at_least_and_a_mapping() -> None:
    made = place(mappings=MAPPINGS)
    domain = made.inputs("apigateway.DomainName")
    assert domain["regionalCertificateArn"] == ARN
    assert domain["endpointConfiguration"] == {"types": "REGIONAL", "ipAddressType": "ipv4"}
    assert domain["securityPolicy"] == "SecurityPolicy_TLS13_1_2_PFS_PQ_2025_09"
    assert domain["endpointAccessMode"] == "STRICT"
    assert made.inputs("apigateway.BasePathMapping") == {"domainName": HOST, "restApi": "api1", "stageName": "live"}


def test_a_private_domain_has_its_policy_its_association_and_mappings_by_id() -> None:
    made = place(kind="private", vpc_endpoint_id="vpce-1", mappings=MAPPINGS)
    domain = made.inputs("apigateway.DomainName")
    assert domain["certificateArn"] == ARN
    assert "regionalCertificateArn" not in domain
    assert domain["endpointConfiguration"] == {"types": "PRIVATE", "ipAddressType": "dualstack"}
    assert domain["policy"] == endpoint_policy("vpce-1")
    assert made.inputs("apigateway.BasePathMapping")["domainNameId"] == "edge-domain-id"
    association = made.inputs("apigateway.DomainNameAccessAssociation")
    assert association["accessAssociationSource"] == "vpce-1"
    assert association["accessAssociationSourceType"] == "VPCE"
    assert association["domainNameArn"] == "arn:edge"


def test_the_policy_of_an_endpoint_denies_every_other_way() -> None:
    allow, deny = json.loads(cast(str, endpoint_policy("vpce-1")))["Statement"]
    assert allow["Effect"] == "Allow"
    assert deny["Effect"] == "Deny"
    assert deny["Condition"] == {"StringNotEquals": {"aws:SourceVpce": "vpce-1"}}
    assert allow["Resource"] == deny["Resource"] == ["execute-api:/*"]


@pytest.mark.parametrize("kind", ["http", "websocket"])
def test_the_newer_kinds_are_mapped_by_the_newer_api(kind: str) -> None:
    made = place(kind=kind, mappings={"shop": {"api_id": "a", "stage": "$default", "base_path": "v1/shop"}})
    configuration = made.inputs("apigatewayv2.DomainName")["domainNameConfiguration"]
    assert configuration["securityPolicy"] == "TLS_1_2"
    assert configuration["endpointType"] == "REGIONAL"
    assert made.inputs("apigatewayv2.ApiMapping") == {
        "apiId": "a",
        "domainName": HOST,
        "stage": "$default",
        "apiMappingKey": "v1/shop",
    }


def test_a_record_points_to_the_domain() -> None:
    made = place(zone_id="Z1")
    assert list(made.of("route53.Record")) == ["edge-a"]
    assert alias(made, "edge-a") == {"name": "d-1.execute-api", "zoneId": "ZAPI", "evaluateTargetHealth": False}


def test_a_record_of_a_newer_domain_points_to_its_target() -> None:
    made = place(kind="http", zone_id="Z1", ip_address_type="dualstack")
    assert alias(made, "edge-a")["name"] == "d-2.execute-api"
    assert alias(made, "edge-aaaa")["zoneId"] == "ZAPI2"


def test_a_load_balancer_in_front_gets_the_records_instead() -> None:
    target = {"dns_name": "lb.example", "zone_id": "ZLB", "dualstack": True}
    made = place(kind="private", vpc_endpoint_id="vpce-1", zone_id="Z1", alias_target=target)
    assert sorted(made.of("route53.Record")) == ["edge-a", "edge-aaaa"]
    assert alias(made, "edge-aaaa")["name"] == "lb.example"


def test_a_private_domain_without_a_load_balancer_has_no_record() -> None:
    assert place(kind="private", vpc_endpoint_id="vpce-1", zone_id="Z1").of("route53.Record") == {}


def test_without_a_certificate_one_is_issued_and_waited_for() -> None:
    made = place(certificate_arn=None, zone_id="Z1", zone_name="example.com")
    record_made = made.of("route53.Record")["edge-certificate-api.example.com"].inputs
    assert made.inputs("acm.Certificate")["validationMethod"] == "DNS"
    assert (record_made["name"], record_made["type"]) == ("_x.api.example.com.", "CNAME")
    assert record_made["records"] == ["_y.api.example.com.acm."]
    validation = made.one("acm.CertificateValidation")
    assert validation.urn in made.one("apigateway.DomainName").dependencies


def test_a_wildcard_and_its_parent_share_one_proving_record() -> None:
    wanted: CertificateArgs = {
        "host": "shop.example.com",
        "alternative_hosts": ["*.shop.example.com", HOST],
        "zone_id": "Z1",
    }
    made = record(lambda: Certificate("tls", wanted), outputs=CLOUD)
    assert sorted(made.of("route53.Record")) == ["tls-api.example.com", "tls-shop.example.com"]
    assert made.inputs("acm.CertificateValidation")["validationRecordFqdns"] == [
        "tls-shop.example.com.fqdn",
        "tls-api.example.com.fqdn",
    ]


def test_whoever_uses_a_certificate_waits_for_its_validation() -> None:
    arns: list[str] = []
    wanted: CertificateArgs = {"host": HOST, "zone_id": "Z1"}
    record(lambda: resolved(Certificate("tls", wanted).arn, arns), outputs=CLOUD)
    assert arns == ["arn:tls"]


def test_a_certificate_can_be_planned_before_its_proof_is_known() -> None:
    made = record(lambda: Certificate("tls", {"host": HOST, "zone_id": unknown()}), preview=True)
    inputs = made.inputs("route53.Record")
    assert (inputs["name"], inputs["records"], inputs["zoneId"]) == (UNKNOWN, [UNKNOWN], UNKNOWN)


def test_a_domain_can_be_planned_with_nothing_known() -> None:
    made = record(
        lambda: CustomDomain(
            "edge",
            args(
                kind="private",
                certificate_arn=unknown(),
                vpc_endpoint_id=unknown(),
                mappings={"shop": {"api_id": unknown(), "stage": unknown()}},
            ),
        ),
        preview=True,
    )
    assert made.inputs("apigateway.DomainName")["policy"] == UNKNOWN
    assert made.inputs("apigateway.BasePathMapping")["restApi"] == UNKNOWN


def test_mutual_tls_names_the_truststore() -> None:
    tls = {"truststore_uri": "s3://trust/ca.pem", "truststore_version": "v1"}
    wanted = {"truststoreUri": "s3://trust/ca.pem", "truststoreVersion": "v1"}
    assert place(mutual_tls=tls).inputs("apigateway.DomainName")["mutualTlsAuthentication"] == wanted
    assert place(kind="http", mutual_tls=tls).inputs("apigatewayv2.DomainName")["mutualTlsAuthentication"] == wanted


def test_behind_a_load_balancer_the_access_mode_is_basic() -> None:
    policy = {"security_policy": "SecurityPolicy_TLS13_1_2_2021_06"}
    target = {"dns_name": "lb.example", "zone_id": "ZLB"}
    behind = place(**policy, zone_id="Z1", alias_target=target)
    assert place(**policy).inputs("apigateway.DomainName")["endpointAccessMode"] == "STRICT"
    assert behind.inputs("apigateway.DomainName")["endpointAccessMode"] == "BASIC"


def test_all_is_below_the_component_tagged_and_protected() -> None:
    made = record(
        lambda: CustomDomain(
            "edge",
            args(certificate_arn=None, zone_id="Z1", mappings=MAPPINGS, tags={"team": "shop"}),
            pulumi.ResourceOptions(protect=True),
        ),
        outputs=CLOUD,
    )
    components = {resource.urn for resource in made.resources if resource.type.startswith("edgewright:")}
    assert all(resource.parent in components for resource in made.custom)
    assert all(resource.protect for resource in made.resources)
    assert made.inputs("acm.Certificate")["tags"]["team"] == "shop"
    assert made.inputs("apigateway.DomainName")["tags"]["team"] == "shop"


def test_an_override_reaches_the_certificate_inside() -> None:
    overrides = {"certificate.certificate": {"key_algorithm": "EC_prime256v1"}, "records.a": {"set_identifier": "x"}}
    made = place(certificate_arn=None, zone_id="Z1", overrides=overrides)
    assert made.inputs("acm.Certificate")["keyAlgorithm"] == "EC_prime256v1"
    assert made.of("route53.Record")["edge-a"].inputs["setIdentifier"] == "x"


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"host": "API.example.com"}, "lower case"),
        ({"host": "example"}, "DNS name"),
        ({"zone_name": "example.org"}, "does not lie in the zone `example.org`"),
        ({"zone_name": "ample.com"}, "does not lie"),
        ({"certificate_arn": None}, "zone_id"),
        ({"certificate_arn": "arn:aws:iam::123456789012:server-certificate/x"}, "ACM"),
        ({"certificate_arn": ARN.replace("eu-central-1", "us-east-1")}, "us-east-1"),
        ({"kind": "edge"}, "rest, private, http, websocket"),
        ({"security_policy": "TLS_1_0"}, "TLS_1_2"),
        ({"kind": "http", "security_policy": "SecurityPolicy_TLS13_1_2_2021_06"}, "http domain takes TLS_1_2"),
        ({"kind": "private", "vpc_endpoint_id": "v", "mutual_tls": {"truststore_uri": "s3://a/b"}}, "private domain"),
        ({"kind": "websocket", "mutual_tls": {"truststore_uri": "s3://a/b"}}, "websocket domain"),
        ({"mutual_tls": {"truststore_uri": "https://a/b"}}, "s3://"),
        ({"mutual_tls": {}}, "s3://"),
        ({"policy": "{}"}, "private domains"),
        ({"vpc_endpoint_id": "vpce-1"}, "private domains"),
        ({"kind": "private"}, "vpc_endpoint_id"),
        ({"mappings": {"a": {"api_id": "x", "stage": "y", "base_path": "v1/a"}}}, "one level"),
        ({"mappings": {"a": {"api_id": "x", "stage": "y", "base_path": "/v1"}}}, "base_path"),
        ({"mappings": {"a": {"api_id": "x", "stage": "y"}, "b": {"api_id": "x", "stage": "y"}}}, "one base_path"),
        ({"mappings": {"a": {"api_id": "x"}}}, "mappings.a.stage"),
        ({"alias_target": {"dns_name": "lb", "zone_id": "Z"}}, "zone_id"),
        ({"overrides": {"association": {}}}, "`association`"),
    ],
    ids=lambda value: str(value)[:60],
)
def test_a_domain_that_cannot_be_is_refused(change: dict[str, Any], said: str) -> None:
    assert said in refused(**change)


def test_a_certificate_for_a_host_outside_the_zone_is_refused() -> None:
    wanted: CertificateArgs = {
        "host": HOST,
        "alternative_hosts": ["api.example.org"],
        "zone_id": "Z1",
        "zone_name": "example.com",
    }
    assert "`api.example.org` does not lie" in problems(lambda: Certificate("tls", wanted))
