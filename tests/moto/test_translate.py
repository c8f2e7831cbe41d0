"""Every AWS resource type that is used becomes calls that AWS's own models take, with nothing lost on the way."""

import json
from collections.abc import Mapping
from typing import Any

import pytest

from edgewright.plan.model import Resource

from .translate import NAMES, TRANSLATORS, WITHOUT_API, Call, calls, check

CERTIFICATE = "arn:aws:acm:eu-west-1:123456789012:certificate/0a1b2c3d-0000-1111-2222-333344445555"


def aws(kind: str, name: str, /, **inputs: Any) -> Resource:
    """A resource as a recording has it; kind: ``lb.ListenerRule``."""
    module, _, last = kind.partition(".")
    token = f"aws:{module}/{last[0].lower()}{last[1:]}:{last}"
    return Resource(f"urn:pulumi:dev::shop::{token}::{name}", token, name, None, inputs, (), custom=True)


BODY: Mapping[str, Any] = {
    "openapi": "3.0.1",
    "info": {"title": "shop", "version": "1"},
    "security": [{"tokens": ["orders"]}],
    "paths": {
        "/": {"get": {"security": [], "x-amazon-apigateway-integration": {"type": "mock"}}},
        "/orders/{id}": {
            "parameters": [{"name": "id", "in": "path", "required": True, "schema": {"type": "string"}}],
            "get": {
                "operationId": "getOrder",
                "parameters": [{"name": "full", "in": "query", "schema": {"type": "string"}}],
                "security": [{"tokens": []}, {"key": []}],
                "x-amazon-apigateway-request-validator": "all",
                "responses": {"200": {"description": "", "headers": {"Cache-Control": {"schema": {"type": "string"}}}}},
                "x-amazon-apigateway-integration": {
                    "type": "http_proxy",
                    "httpMethod": "GET",
                    "uri": "https://orders.example/orders/{id}",
                    "connectionType": "VPC_LINK",
                    "connectionId": "${apigatewayv2.VpcLink shop.id}",
                    "integrationTarget": "${lb.LoadBalancer shop.arn}",
                    "requestParameters": {"integration.request.path.id": "method.request.path.id"},
                    "cacheKeyParameters": ["method.request.path.id"],
                    "timeoutInMillis": 29000,
                    "passthroughBehavior": "when_no_match",
                },
            },
            "x-amazon-apigateway-any-method": {
                "x-amazon-apigateway-integration": {
                    "type": "http_proxy",
                    "httpMethod": "ANY",
                    "uri": "https://a.example",
                }
            },
        },
        "/{proxy+}": {
            "options": {
                "security": [],
                "responses": {"204": {"description": "", "headers": {"Access-Control-Allow-Origin": {}}}},
                "x-amazon-apigateway-integration": {
                    "type": "mock",
                    "requestTemplates": {"application/json": '{"statusCode": 204}'},
                    "responses": {
                        "default": {
                            "statusCode": "204",
                            "responseParameters": {"method.response.header.Access-Control-Allow-Origin": "'*'"},
                        }
                    },
                },
            }
        },
    },
    "components": {
        "schemas": {"Order": {"type": "object"}},
        "securitySchemes": {
            "key": {"type": "apiKey", "name": "x-api-key", "in": "header"},
            "tokens": {
                "type": "apiKey",
                "name": "Authorization",
                "in": "header",
                "x-amazon-apigateway-authtype": "custom",
                "x-amazon-apigateway-authorizer": {
                    "type": "request",
                    "identitySource": "method.request.header.Authorization",
                    "authorizerUri": "${lambda.Function authorizer.invokeArn}",
                    "authorizerResultTtlInSeconds": 300,
                },
            },
        },
    },
    "x-amazon-apigateway-request-validators": {"all": {"validateRequestBody": True, "validateRequestParameters": True}},
    "x-amazon-apigateway-gateway-responses": {
        "UNAUTHORIZED": {"statusCode": 401, "responseTemplates": {"application/json": "{}"}},
    },
}

HTTP_BODY: Mapping[str, Any] = {
    "openapi": "3.0.1",
    "info": {"title": "shop", "version": "1"},
    "paths": {
        "/orders": {
            "get": {
                "responses": {},
                "x-amazon-apigateway-integration": {
                    "type": "http_proxy",
                    "httpMethod": "GET",
                    "uri": "${lb.Listener shop-https.arn}",
                    "connectionType": "VPC_LINK",
                    "connectionId": "${apigatewayv2.VpcLink shop.id}",
                    "payloadFormatVersion": "1.0",
                },
            }
        }
    },
}

POLICY = json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "logs:*", "Resource": "*"}]})
TRUST = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
        ],
    }
)
SEEN = {"cloudwatchMetricsEnabled": True, "metricName": "shop", "sampledRequestsEnabled": True}
TAGS = {"Name": "shop", "team": "web"}

SAMPLES: tuple[Resource, ...] = (
    aws("ec2.Vpc", "shop", cidrBlock="10.1.0.0/16", enableDnsHostnames=True, enableDnsSupport=True, tags=TAGS),
    aws(
        "ec2.Subnet",
        "shop-a",
        vpcId="${ec2.Vpc shop.id}",
        cidrBlock="10.1.0.0/24",
        availabilityZone="eu-west-1a",
        mapPublicIpOnLaunch=True,
        tags=TAGS,
    ),
    aws(
        "ec2.Subnet",
        "shop-b",
        vpcId="${ec2.Vpc shop.id}",
        cidrBlock="10.1.1.0/24",
        availabilityZone="eu-west-1b",
        privateDnsHostnameTypeOnLaunch="ip-name",
    ),
    aws("ec2.InternetGateway", "shop", vpcId="${ec2.Vpc shop.id}", tags=TAGS),
    aws(
        "ec2.RouteTable",
        "shop",
        vpcId="${ec2.Vpc shop.id}",
        routes=[{"cidrBlock": "192.168.0.0/16", "gatewayId": "${ec2.InternetGateway shop.id}"}],
    ),
    aws(
        "ec2.Route",
        "shop-out",
        routeTableId="${ec2.RouteTable shop.id}",
        destinationCidrBlock="0.0.0.0/0",
        natGatewayId="${ec2.NatGateway shop.id}",
    ),
    aws(
        "ec2.RouteTableAssociation",
        "shop-a",
        routeTableId="${ec2.RouteTable shop.id}",
        subnetId="${ec2.Subnet shop-a.id}",
    ),
    aws("ec2.Eip", "shop", domain="vpc", tags=TAGS),
    aws("ec2.NatGateway", "shop", allocationId="${ec2.Eip shop.id}", subnetId="${ec2.Subnet shop-a.id}", tags=TAGS),
    aws("ec2.SecurityGroup", "shop", description="The balancer", vpcId="${ec2.Vpc shop.id}", tags=TAGS),
    aws(
        "ec2.SecurityGroup",
        "old",
        vpcId="${ec2.Vpc shop.id}",
        ingress=[
            {
                "protocol": "tcp",
                "fromPort": 443,
                "toPort": 443,
                "cidrBlocks": ["10.0.0.0/8"],
                "self": True,
                "description": "inside",
            }
        ],
        egress=[{"protocol": "-1", "fromPort": 0, "toPort": 0, "securityGroups": ["${ec2.SecurityGroup shop.id}"]}],
    ),
    aws("ec2.DefaultSecurityGroup", "shop", vpcId="${ec2.Vpc shop.id}", tags=TAGS),
    aws(
        "vpc.SecurityGroupIngressRule",
        "shop-https",
        securityGroupId="${ec2.SecurityGroup shop.id}",
        ipProtocol="tcp",
        fromPort=443,
        toPort=443,
        cidrIpv4="0.0.0.0/0",
        description="HTTPS",
        tags=TAGS,
    ),
    aws(
        "vpc.SecurityGroupEgressRule",
        "shop-out",
        securityGroupId="${ec2.SecurityGroup shop.id}",
        ipProtocol="tcp",
        fromPort=80,
        toPort=80,
        referencedSecurityGroupId="${ec2.SecurityGroup old.id}",
    ),
    aws(
        "ec2.VpcEndpoint",
        "shop",
        vpcId="${ec2.Vpc shop.id}",
        serviceName="com.amazonaws.eu-west-1.execute-api",
        vpcEndpointType="Interface",
        privateDnsEnabled=False,
        subnetIds=["${ec2.Subnet shop-a.id}", "${ec2.Subnet shop-b.id}"],
        subnetConfigurations=[{"subnetId": "${ec2.Subnet shop-a.id}", "ipv4": "10.1.0.10"}],
        securityGroupIds=["${ec2.SecurityGroup shop.id}"],
        policy=POLICY,
        tags=TAGS,
    ),
    aws(
        "ec2.FlowLog",
        "shop",
        vpcId="${ec2.Vpc shop.id}",
        trafficType="ALL",
        logDestination="${cloudwatch.LogGroup shop.arn}",
        iamRoleArn="${iam.Role shop.arn}",
        maxAggregationInterval=60,
        tags=TAGS,
    ),
    aws(
        "lb.LoadBalancer",
        "shop",
        internal=False,
        loadBalancerType="application",
        ipAddressType="ipv4",
        subnets=["${ec2.Subnet shop-a.id}", "${ec2.Subnet shop-b.id}"],
        securityGroups=["${ec2.SecurityGroup shop.id}"],
        accessLogs={"bucket": "${s3.Bucket shop-logs.bucket}", "enabled": True, "prefix": "alb"},
        dropInvalidHeaderFields=True,
        enableDeletionProtection=True,
        idleTimeout=60,
        desyncMitigationMode="strictest",
        tags=TAGS,
    ),
    aws(
        "lb.Listener",
        "shop-https",
        loadBalancerArn="${lb.LoadBalancer shop.arn}",
        port=443,
        protocol="HTTPS",
        sslPolicy="ELBSecurityPolicy-TLS13-1-2-Res-PQ-2025-09",
        certificateArn="${acm.Certificate shop.arn}",
        defaultActions=[
            {
                "type": "fixed-response",
                "fixedResponse": {"contentType": "text/plain", "messageBody": "no", "statusCode": "404"},
            }
        ],
        routingHttpResponseStrictTransportSecurityHeaderValue="max-age=31536000",
        routingHttpResponseServerEnabled=False,
        tags=TAGS,
    ),
    aws(
        "lb.ListenerRule",
        "shop-orders",
        listenerArn="${lb.Listener shop-https.arn}",
        priority=1200,
        conditions=[
            {"hostHeader": {"values": ["shop.example"]}},
            {"pathPattern": {"values": ["/orders", "/orders/*"]}},
            {"queryStrings": [{"key": "v", "value": "2"}]},
        ],
        actions=[
            {
                "type": "forward",
                "order": 1,
                "forward": {
                    "targetGroups": [{"arn": "${lb.TargetGroup shop.arn}", "weight": 10}],
                    "stickiness": {"enabled": True, "duration": 60},
                },
            }
        ],
        tags=TAGS,
    ),
    aws(
        "lb.ListenerCertificate",
        "shop-other",
        listenerArn="${lb.Listener shop-https.arn}",
        certificateArn="${acm.Certificate shop.arn}",
    ),
    aws(
        "lb.TargetGroup",
        "shop",
        port=80,
        protocol="HTTP",
        protocolVersion="HTTP1",
        targetType="ip",
        vpcId="${ec2.Vpc shop.id}",
        deregistrationDelay=30,
        slowStart=30,
        healthCheck={
            "enabled": True,
            "path": "/healthz",
            "matcher": "200-299",
            "interval": 10,
            "timeout": 5,
            "healthyThreshold": 2,
            "unhealthyThreshold": 2,
            "protocol": "HTTP",
            "port": "traffic-port",
        },
        stickiness={"type": "lb_cookie", "enabled": True, "cookieDuration": 3600},
        targetGroupHealth={"dnsFailover": {"minimumHealthyTargetsCount": "1"}},
        tags=TAGS,
    ),
    aws(
        "lb.TargetGroupAttachment",
        "shop-1",
        targetGroupArn="${lb.TargetGroup shop.arn}",
        targetId="10.1.0.20",
        port=8080,
    ),
    aws("lb.TrustStore", "shop", caCertificatesBundleS3Bucket="bundles", caCertificatesBundleS3Key="ca.pem"),
    aws(
        "lb.TrustStoreRevocation",
        "shop",
        trustStoreArn="${lb.TrustStore shop.arn}",
        revocationsS3Bucket="bundles",
        revocationsS3Key="crl.pem",
    ),
    aws(
        "acm.Certificate",
        "shop",
        domainName="shop.example",
        subjectAlternativeNames=["*.shop.example"],
        validationMethod="DNS",
        keyAlgorithm="EC_prime256v1",
        tags=TAGS,
    ),
    aws(
        "acm.CertificateValidation",
        "shop",
        certificateArn="${acm.Certificate shop.arn}",
        validationRecordFqdns=["${route53.Record shop-validation.fqdn}"],
    ),
    aws("route53.Zone", "shop", name="shop.example", tags=TAGS),
    aws(
        "route53.Record",
        "shop-validation",
        zoneId="${route53.Zone shop.zoneId}",
        name="${acm.Certificate shop.domainValidationOptions[0].resourceRecordName}",
        type="${acm.Certificate shop.domainValidationOptions[0].resourceRecordType}",
        records=["${acm.Certificate shop.domainValidationOptions[0].resourceRecordValue}"],
        ttl=300,
        allowOverwrite=True,
    ),
    aws(
        "route53.Record",
        "shop",
        zoneId="${route53.Zone shop.zoneId}",
        name="shop.example",
        type="A",
        aliases=[
            {
                "name": "${lb.LoadBalancer shop.dnsName}",
                "zoneId": "${lb.LoadBalancer shop.zoneId}",
                "evaluateTargetHealth": True,
            }
        ],
    ),
    aws(
        "apigateway.RestApi",
        "shop",
        body=json.dumps(BODY),
        endpointConfiguration={"types": "REGIONAL"},
        apiKeySource="HEADER",
        disableExecuteApiEndpoint=True,
        minimumCompressionSize="1024",
        tags=TAGS,
    ),
    aws("apigateway.RestApiPolicy", "shop", restApiId="${apigateway.RestApi shop.id}", policy=POLICY),
    aws("apigateway.Deployment", "shop", restApi="${apigateway.RestApi shop.id}", triggers={"redeploy": "abc"}),
    aws(
        "apigateway.Stage",
        "shop",
        restApi="${apigateway.RestApi shop.id}",
        deployment="${apigateway.Deployment shop.id}",
        stageName="live",
        cacheClusterEnabled=True,
        cacheClusterSize="0.5",
        xrayTracingEnabled=True,
        accessLogSettings={
            "destinationArn": "${cloudwatch.LogGroup shop.arn}",
            "format": '{"id": "$context.requestId"}',
        },
        tags=TAGS,
    ),
    aws(
        "apigateway.MethodSettings",
        "shop-all",
        restApi="${apigateway.RestApi shop.id}",
        stageName="${apigateway.Stage shop.stageName}",
        methodPath="*/*",
        settings={"throttlingRateLimit": 100, "throttlingBurstLimit": 50, "metricsEnabled": True},
    ),
    aws(
        "apigateway.MethodSettings",
        "shop-orders",
        restApi="${apigateway.RestApi shop.id}",
        stageName="${apigateway.Stage shop.stageName}",
        methodPath="~1orders~1{id}/GET",
        settings={"cachingEnabled": True, "cacheTtlInSeconds": 60},
    ),
    aws(
        "apigateway.UsagePlan",
        "shop",
        apiStages=[
            {
                "apiId": "${apigateway.RestApi shop.id}",
                "stage": "${apigateway.Stage shop.stageName}",
                "throttles": [{"path": "/orders/{id}/GET", "rateLimit": 5, "burstLimit": 5}],
            }
        ],
        quotaSettings={"limit": 1000, "period": "DAY"},
        throttleSettings={"rateLimit": 10, "burstLimit": 20},
    ),
    aws("apigateway.ApiKey", "shop", value="[secret]", description="a shop"),
    aws(
        "apigateway.UsagePlanKey",
        "shop",
        keyId="${apigateway.ApiKey shop.id}",
        keyType="API_KEY",
        usagePlanId="${apigateway.UsagePlan shop.id}",
    ),
    aws(
        "apigateway.DomainName",
        "shop",
        domainName="api.shop.example",
        certificateArn="${acm.Certificate shop.arn}",
        endpointConfiguration={"types": "PRIVATE"},
        policy=POLICY,
        securityPolicy="TLS_1_2",
        tags=TAGS,
    ),
    aws(
        "apigateway.BasePathMapping",
        "shop",
        domainName="${apigateway.DomainName shop.domainName}",
        domainNameId="${apigateway.DomainName shop.domainNameId}",
        restApi="${apigateway.RestApi shop.id}",
        stageName="${apigateway.Stage shop.stageName}",
    ),
    aws(
        "apigateway.DomainNameAccessAssociation",
        "shop",
        accessAssociationSource="${ec2.VpcEndpoint shop.id}",
        accessAssociationSourceType="VPCE",
        domainNameArn="${apigateway.DomainName shop.arn}",
    ),
    aws("apigateway.Account", "shop", cloudwatchRoleArn="${iam.Role shop.arn}"),
    aws("apigateway.VpcLink", "shop", targetArn="${lb.LoadBalancer shop.arn}"),
    aws("apigateway.ClientCertificate", "shop", description="shown to the backend"),
    aws(
        "apigatewayv2.Api",
        "shop",
        protocolType="HTTP",
        body=json.dumps(HTTP_BODY),
        disableExecuteApiEndpoint=True,
        corsConfiguration={"allowOrigins": ["https://shop.example"], "maxAge": 60},
        tags=TAGS,
    ),
    aws(
        "apigatewayv2.Stage",
        "shop",
        apiId="${apigatewayv2.Api shop.id}",
        name="$default",
        autoDeploy=True,
        accessLogSettings={"destinationArn": "${cloudwatch.LogGroup shop.arn}", "format": "$context.requestId"},
        defaultRouteSettings={"throttlingRateLimit": 100, "throttlingBurstLimit": 50},
        routeSettings=[{"routeKey": "GET /orders", "throttlingRateLimit": 1.5, "throttlingBurstLimit": 1}],
    ),
    aws(
        "apigatewayv2.VpcLink",
        "shop",
        subnetIds=["${ec2.Subnet shop-a.id}"],
        securityGroupIds=["${ec2.SecurityGroup shop.id}"],
        tags=TAGS,
    ),
    aws(
        "apigatewayv2.DomainName",
        "shop",
        domainName="live.shop.example",
        domainNameConfiguration={
            "certificateArn": "${acm.Certificate shop.arn}",
            "endpointType": "REGIONAL",
            "securityPolicy": "TLS_1_2",
        },
    ),
    aws(
        "apigatewayv2.ApiMapping",
        "shop",
        apiId="${apigatewayv2.Api shop.id}",
        domainName="${apigatewayv2.DomainName shop.domainName}",
        stage="${apigatewayv2.Stage shop.name}",
    ),
    aws("apigatewayv2.Api", "talk", protocolType="WEBSOCKET", routeSelectionExpression="$request.body.action"),
    aws(
        "apigatewayv2.Integration",
        "talk",
        apiId="${apigatewayv2.Api talk.id}",
        integrationType="HTTP_PROXY",
        integrationMethod="POST",
        integrationUri="https://talk.example",
        timeoutMilliseconds=29000,
    ),
    aws(
        "apigatewayv2.IntegrationResponse",
        "talk",
        apiId="${apigatewayv2.Api talk.id}",
        integrationId="${apigatewayv2.Integration talk.id}",
        integrationResponseKey="$default",
    ),
    aws(
        "apigatewayv2.Authorizer",
        "talk",
        apiId="${apigatewayv2.Api talk.id}",
        authorizerType="REQUEST",
        authorizerUri="${lambda.Function authorizer.invokeArn}",
        identitySources=["route.request.header.Auth"],
    ),
    aws(
        "apigatewayv2.Route",
        "talk",
        apiId="${apigatewayv2.Api talk.id}",
        routeKey="$connect",
        target="integrations/${apigatewayv2.Integration talk.id}",
        authorizationType="CUSTOM",
        authorizerId="${apigatewayv2.Authorizer talk.id}",
    ),
    aws(
        "apigatewayv2.RouteResponse",
        "talk",
        apiId="${apigatewayv2.Api talk.id}",
        routeId="${apigatewayv2.Route talk.id}",
        routeResponseKey="$default",
    ),
    aws("apigatewayv2.Deployment", "talk", apiId="${apigatewayv2.Api talk.id}", triggers={"redeploy": "abc"}),
    aws(
        "wafv2.WebAcl",
        "shop",
        scope="REGIONAL",
        defaultAction={"allow": {}},
        visibilityConfig=SEEN,
        customResponseBodies=[{"key": "slow", "content": "{}", "contentType": "APPLICATION_JSON"}],
        rules=[
            {
                "name": "common",
                "priority": 0,
                "overrideAction": {"none": {}},
                "statement": {
                    "managedRuleGroupStatement": {
                        "vendorName": "AWS",
                        "name": "AWSManagedRulesCommonRuleSet",
                        "ruleActionOverrides": [{"name": "SizeRestrictions_BODY", "actionToUse": {"count": {}}}],
                    }
                },
                "visibilityConfig": SEEN,
            },
            {
                "name": "rate",
                "priority": 1,
                "action": {
                    "block": {
                        "customResponse": {
                            "responseCode": 429,
                            "customResponseBodyKey": "slow",
                            "responseHeaders": [{"name": "Retry-After", "value": "60"}],
                        }
                    }
                },
                "statement": {
                    "rateBasedStatement": {
                        "limit": 100,
                        "aggregateKeyType": "CUSTOM_KEYS",
                        "evaluationWindowSec": 60,
                        "customKeys": [
                            {"ip": {}},
                            {"header": {"name": "x-tenant", "textTransformations": [{"priority": 0, "type": "NONE"}]}},
                        ],
                        "scopeDownStatement": {
                            "byteMatchStatement": {
                                "fieldToMatch": {"uriPath": {}},
                                "positionalConstraint": "STARTS_WITH",
                                "searchString": "/orders",
                                "textTransformations": [{"priority": 0, "type": "NONE"}],
                            }
                        },
                    }
                },
                "visibilityConfig": SEEN,
            },
            {
                "name": "allowed",
                "priority": 2,
                "action": {"allow": {}},
                "statement": {"ipSetReferenceStatement": {"arn": "${wafv2.IpSet shop.arn}"}},
                "visibilityConfig": SEEN,
            },
        ],
    ),
    aws("wafv2.IpSet", "shop", scope="REGIONAL", ipAddressVersion="IPV4", addresses=["192.0.2.0/24"]),
    aws(
        "wafv2.WebAclAssociation",
        "shop",
        resourceArn="${lb.LoadBalancer shop.arn}",
        webAclArn="${wafv2.WebAcl shop.arn}",
    ),
    aws(
        "wafv2.WebAclAssociation",
        "shop-stage",
        resourceArn="${apigateway.Stage shop.arn}",
        webAclArn="${wafv2.WebAcl shop.arn}",
    ),
    aws(
        "wafv2.WebAclLoggingConfiguration",
        "shop",
        resourceArn="${wafv2.WebAcl shop.arn}",
        logDestinationConfigs=["${cloudwatch.LogGroup waf.arn}"],
        redactedFields=[{"singleHeader": {"name": "authorization"}}],
    ),
    aws("cloudwatch.LogGroup", "shop", retentionInDays=365, tags=TAGS),
    aws("cloudwatch.LogGroup", "waf", name="aws-waf-logs-shop", retentionInDays=30),
    aws(
        "cloudwatch.MetricAlarm",
        "shop",
        comparisonOperator="GreaterThanThreshold",
        evaluationPeriods=2,
        threshold=1,
        alarmActions=["${sns.Topic shop.arn}"],
        treatMissingData="notBreaching",
        metricQueries=[
            {"id": "rate", "expression": "errors / requests", "returnData": True},
            {
                "id": "errors",
                "metric": {
                    "metricName": "5XXError",
                    "namespace": "AWS/ApiGateway",
                    "period": 60,
                    "stat": "Sum",
                    "dimensions": {"ApiName": "shop"},
                },
            },
        ],
    ),
    aws(
        "cloudwatch.MetricAlarm",
        "shop-plain",
        comparisonOperator="GreaterThanThreshold",
        evaluationPeriods=2,
        threshold=1.5,
        metricName="5XXError",
        namespace="AWS/ApiGateway",
        period=60,
        statistic="Sum",
        dimensions={"ApiName": "shop"},
    ),
    aws("cloudwatch.Dashboard", "shop", dashboardName="shop", dashboardBody='{"widgets": []}'),
    aws("sns.Topic", "shop", kmsMasterKeyId="alias/aws/sns", tags=TAGS),
    aws(
        "sns.TopicSubscription",
        "shop",
        topic="${sns.Topic shop.arn}",
        protocol="https",
        endpoint="https://pager.example",
    ),
    aws("sns.TopicPolicy", "shop", arn="${sns.Topic shop.arn}", policy=POLICY),
    aws("s3.Bucket", "shop-logs", forceDestroy=False, tags=TAGS),
    aws("s3.BucketPolicy", "shop-logs", bucket="${s3.Bucket shop-logs.id}", policy=POLICY),
    aws(
        "s3.BucketPublicAccessBlock",
        "shop-logs",
        bucket="${s3.Bucket shop-logs.id}",
        blockPublicAcls=True,
        blockPublicPolicy=True,
        ignorePublicAcls=True,
        restrictPublicBuckets=True,
    ),
    aws(
        "s3.BucketOwnershipControls",
        "shop-logs",
        bucket="${s3.Bucket shop-logs.id}",
        rule={"objectOwnership": "BucketOwnerEnforced"},
    ),
    aws(
        "s3.BucketServerSideEncryptionConfiguration",
        "shop-logs",
        bucket="${s3.Bucket shop-logs.id}",
        rules=[{"applyServerSideEncryptionByDefault": {"sseAlgorithm": "AES256"}}],
    ),
    aws(
        "s3.BucketLifecycleConfiguration",
        "shop-logs",
        bucket="${s3.Bucket shop-logs.id}",
        rules=[
            {
                "id": "old",
                "status": "Enabled",
                "filter": {"prefix": ""},
                "expiration": {"days": 365},
                "abortIncompleteMultipartUpload": {"daysAfterInitiation": 7},
            }
        ],
    ),
    aws(
        "s3.BucketVersioning",
        "shop-logs",
        bucket="${s3.Bucket shop-logs.id}",
        versioningConfiguration={"status": "Enabled"},
    ),
    aws("iam.Role", "shop", assumeRolePolicy=TRUST, inlinePolicies=[{"name": "more", "policy": POLICY}], tags=TAGS),
    aws("iam.RolePolicy", "shop", role="${iam.Role shop.id}", policy=POLICY),
    aws(
        "iam.RolePolicyAttachment",
        "shop",
        role="${iam.Role shop.name}",
        policyArn="arn:aws:iam::aws:policy/service-role/AmazonAPIGatewayPushToCloudWatchLogs",
    ),
    aws(
        "lambda.Function",
        "authorizer",
        role="${iam.Role shop.arn}",
        runtime="nodejs22.x",
        handler="index.handler",
        code={"archive": {"index.mjs": "0" * 64}},
        environment={"variables": {"ISSUER": "https://issuer.example"}},
        memorySize=256,
        timeout=5,
        reservedConcurrentExecutions=10,
        tags=TAGS,
    ),
    aws(
        "lambda.Permission",
        "authorizer",
        action="lambda:InvokeFunction",
        function="${lambda.Function authorizer.name}",
        principal="apigateway.amazonaws.com",
        sourceArn="${apigateway.RestApi shop.executionArn}/authorizers/*",
    ),
    aws(
        "autoscaling.Attachment",
        "shop",
        autoscalingGroupName="shop-workers",
        lbTargetGroupArn="${lb.TargetGroup shop.arn}",
    ),
    aws(
        "cloudwatch.LogMetricFilter",
        "throttled",
        logGroupName="${cloudwatch.LogGroup shop.name}",
        pattern='{ $.status = "429" }',
        metricTransformation={"name": "Throttled", "namespace": "edge", "value": "1", "defaultValue": "0"},
    ),
    aws("shield.Protection", "shop", resourceArn="${lb.LoadBalancer shop.arn}"),
    aws("kms.Key", "shop", description="logs", enableKeyRotation=True, deletionWindowInDays=30, tags=TAGS),
)
"""At least one of each type that has a translator; together a stack that could be."""


def sample(short: str) -> Resource:
    return next(item for item in SAMPLES if item.short == short)


def made(resource: Resource) -> list[tuple[str, Mapping[str, Any]]]:
    return [(call.operation, call.params) for call in calls(resource)]


def changed(short: str, **inputs: Any) -> Resource:
    """A sample with other inputs; None takes one away."""
    given = sample(short)
    return aws(
        short.partition(" ")[0],
        given.name,
        **{key: value for key, value in {**given.inputs, **inputs}.items() if value is not None},
    )


def test_every_type_with_a_translator_has_a_sample() -> None:
    assert {*TRANSLATORS, *WITHOUT_API} == {item.type for item in SAMPLES}


@pytest.mark.parametrize("resource", SAMPLES, ids=[item.short for item in SAMPLES])
def test_a_valid_resource_has_no_problems(resource: Resource) -> None:
    assert check([resource]) == []


@pytest.mark.parametrize(
    "resource", [item for item in SAMPLES if item.type in TRANSLATORS], ids=lambda item: item.short
)
def test_an_input_that_no_call_carries_is_a_problem(resource: Resource) -> None:
    short = resource.short
    found = check([aws(short.split()[0], resource.name, **resource.inputs, brandNew="x")])
    assert len(found) >= 1
    assert found[0].startswith(f"{short}: ")
    assert "brandNew" in found[0]


def test_a_type_without_a_translator_is_a_problem() -> None:
    found = check([aws("memorydb.Cluster", "shop")])
    assert found == ["memorydb.Cluster shop: aws:memorydb/cluster:Cluster has no translator"]


def test_components_and_providers_call_nothing() -> None:
    component = Resource("urn:a", "edgewright:aws:RestApi", "shop", None, {}, (), custom=False)
    provider = Resource("urn:b", "pulumi:providers:aws", "eu", None, {"region": "eu-west-1"}, (), custom=True)
    assert check([component, provider]) == []
    assert calls(component) == calls(provider) == ()


BAD: tuple[tuple[str, Resource, str], ...] = (
    ("priority", changed("lb.ListenerRule shop-orders", priority=50001), "Priority: 50001 is above 50000"),
    (
        "weight",
        changed(
            "lb.ListenerRule shop-orders",
            actions=[{"type": "forward", "forward": {"targetGroups": [{"arn": "a", "wait": 1}]}}],
        ),
        "`wait` is not known",
    ),
    (
        "condition",
        changed("lb.ListenerRule shop-orders", conditions=[{"path": {"values": ["/"]}}]),
        "`path` is not known",
    ),
    ("action", changed("lb.ListenerRule shop-orders", actions=[{"type": "jwt"}]), "'jwt' is none of"),
    (
        "listener attribute",
        changed("lb.Listener shop-https", routingHttpResponseNonsense="x"),
        "routingHttpResponseNonsense is in no call",
    ),
    ("group", changed("lb.TargetGroup shop", healthCheck={"intervall": 3}), "`intervall` is not known"),
    ("protocol", changed("lb.TargetGroup shop", protocol="HTTP2"), "'HTTP2' is none of"),
    ("zone", changed("route53.Record shop", type="ALIAS"), "'ALIAS' is none of"),
    ("key", changed("acm.Certificate shop", keyAlgorithm="EC_P256"), "'EC_P256' is none of"),
    ("path with slashes", changed("apigateway.MethodSettings shop-orders", methodPath="orders/{id}/GET"), "is neither"),
    (
        "path with a slash in front",
        changed("apigateway.MethodSettings shop-orders", methodPath="/~1orders/GET"),
        "is neither",
    ),
    ("setting", changed("apigateway.MethodSettings shop-all", settings={"ttl": 3}), "settings.ttl is in no call"),
    (
        "throttle",
        changed(
            "apigateway.UsagePlan shop", apiStages=[{"apiId": "a", "stage": "b", "throttles": [{"path": "orders/GET"}]}]
        ),
        "leading slash",
    ),
    ("period", changed("apigateway.UsagePlan shop", quotaSettings={"limit": 1, "period": "HOUR"}), "'HOUR' is none of"),
    ("cache", changed("apigateway.Stage shop", cacheClusterSize="1"), "'1' is none of"),
    ("endpoint", changed("apigateway.RestApi shop", endpointConfiguration={"types": "PUBLIC"}), "'PUBLIC' is none of"),
    ("body", changed("apigateway.RestApi shop", body="openapi: 3.0.1"), "body is no JSON"),
    (
        "scheme",
        changed("apigateway.RestApi shop", body=json.dumps({**BODY, "security": [{"nobody": []}]})),
        "`nobody`, which is not there",
    ),
    (
        "statement",
        changed(
            "wafv2.WebAcl shop",
            rules=[{"name": "a", "priority": 1, "statement": {"rateStatement": {}}, "visibilityConfig": SEEN}],
        ),
        "`rateStatement` is not known",
    ),
    (
        "days",
        changed("s3.BucketLifecycleConfiguration shop-logs", rules=[{"id": "a", "status": "On"}]),
        "'On' is none of",
    ),
    ("rule", changed("vpc.SecurityGroupIngressRule shop-https", ipProtocol=6.5), "IpProtocol: "),
    ("endpoint kind", changed("ec2.VpcEndpoint shop", vpcEndpointType="Private"), "'Private' is none of"),
    ("operator", changed("cloudwatch.MetricAlarm shop", comparisonOperator=">"), "'>' is none of"),
    ("runtime", changed("lambda.Function authorizer", runtime="node22"), "'node22' is none of"),
)


@pytest.mark.parametrize(("resource", "problem"), [item[1:] for item in BAD], ids=[item[0] for item in BAD])
def test_a_bad_input_is_found_through_the_call(resource: Resource, problem: str) -> None:
    found = check([resource])
    assert any(problem in item for item in found), found


def test_an_integration_in_a_body_is_checked_as_its_own_call() -> None:
    body = json.loads(json.dumps(BODY))
    body["paths"]["/orders/{id}"]["get"]["x-amazon-apigateway-integration"]["connectionType"] = "PRIVATE"
    found = check([changed("apigateway.RestApi shop", body=json.dumps(body))])
    assert found == [
        "apigateway.RestApi shop: apigateway PutIntegration: connectionType: 'PRIVATE' is none of INTERNET, VPC_LINK"
    ]


def test_a_body_becomes_calls_for_each_resource_method_and_authorizer() -> None:
    found = made(sample("apigateway.RestApi shop"))
    operations = [operation for operation, _ in found]
    assert operations[:2] == ["CreateRestApi", "PutRestApi"]
    assert [params["pathPart"] for operation, params in found if operation == "CreateResource"] == [
        "orders",
        "{proxy+}",
        "{id}",
    ]
    assert operations.count("PutMethod") == operations.count("PutIntegration") == 4
    methods = {params["httpMethod"]: params for operation, params in found if operation == "PutMethod"}
    assert methods["OPTIONS"]["authorizationType"] == "NONE"
    assert methods["ANY"]["authorizationScopes"] == ["orders"]
    integration = next(
        params for operation, params in found if operation == "PutIntegration" and "integrationTarget" in params
    )
    assert integration["type"] == "HTTP_PROXY"
    assert integration["integrationHttpMethod"] == "GET"
    assert integration["passthroughBehavior"] == "WHEN_NO_MATCH"


def test_a_method_of_a_body_takes_key_validator_and_parameters_along() -> None:
    order = next(
        params
        for operation, params in made(sample("apigateway.RestApi shop"))
        if operation == "PutMethod" and params.get("operationName")
    )
    assert order["apiKeyRequired"] is True
    assert order["authorizationType"] == "CUSTOM"
    assert order["requestParameters"] == {"method.request.path.id": True, "method.request.querystring.full": False}
    assert order["requestValidatorId"].startswith("${apigateway.RestApi shop.validator")


def test_an_unknown_body_is_not_looked_into() -> None:
    found = made(changed("apigateway.RestApi shop", body="[unknown]"))
    assert [operation for operation, _ in found] == ["CreateRestApi", "PutRestApi"]


def test_inputs_of_a_load_balancer_are_split_over_its_two_calls() -> None:
    create, modify = (params for _, params in made(sample("lb.LoadBalancer shop")))
    assert create["Scheme"] == "internet-facing"
    assert create["Tags"] == [{"Key": "Name", "Value": "shop"}, {"Key": "team", "Value": "web"}]
    assert modify["LoadBalancerArn"] == "${lb.LoadBalancer shop.arn}"
    assert {"Key": "access_logs.s3.bucket", "Value": "${s3.Bucket shop-logs.bucket}"} in modify["Attributes"]
    assert {"Key": "routing.http.drop_invalid_header_fields.enabled", "Value": "true"} in modify["Attributes"]


@pytest.mark.parametrize(
    ("wire", "key"),
    [
        ("routingHttpResponseXFrameOptionsHeaderValue", "routing.http.response.x_frame_options.header_value"),
        ("routingHttpResponseServerEnabled", "routing.http.response.server.enabled"),
        ("routingHttpRequestXAmznTlsCipherSuiteHeaderName", "routing.http.request.x_amzn_tls_cipher_suite.header_name"),
        (
            "routingHttpRequestXAmznMtlsClientcertSerialNumberHeaderName",
            "routing.http.request.x_amzn_mtls_clientcert_serial_number.header_name",
        ),
        (
            "routingHttpResponseAccessControlMaxAgeHeaderValue",
            "routing.http.response.access_control_max_age.header_value",
        ),
    ],
)
def test_attributes_of_a_listener_are_named_as_the_api_names_them(wire: str, key: str) -> None:
    modify = dict(made(changed("lb.Listener shop-https", **{wire: "x"})))["ModifyListenerAttributes"]
    assert {"Key": key, "Value": "x"} in modify["Attributes"]


def test_conditions_actions_and_transforms_of_a_rule_are_the_api_s() -> None:
    rule = changed(
        "lb.ListenerRule shop-orders",
        conditions=[{"pathPattern": {"regexValues": ["^/a$"]}}, {"queryStrings": [{"key": "v", "value": "2"}]}],
        actions=[
            {
                "type": "jwt-validation",
                "order": 1,
                "jwtValidation": {"issuer": "https://i", "jwksEndpoint": "https://i/k"},
            }
        ],
        transforms=[{"type": "url-rewrite", "urlRewriteConfig": {"rewrite": {"regex": "a", "replace": "b"}}}],
    )
    ((_, params),) = made(rule)
    assert params["Conditions"] == [
        {"Field": "path-pattern", "PathPatternConfig": {"RegexValues": ["^/a$"]}},
        {"Field": "query-string", "QueryStringConfig": {"Values": [{"Key": "v", "Value": "2"}]}},
    ]
    assert params["Actions"][0]["JwtValidationConfig"] == {"Issuer": "https://i", "JwksEndpoint": "https://i/k"}
    assert params["Transforms"] == [
        {"Type": "url-rewrite", "UrlRewriteConfig": {"Rewrites": [{"Regex": "a", "Replace": "b"}]}}
    ]
    assert check([rule]) == []


def test_a_security_group_loses_the_rule_that_lets_all_out() -> None:
    operations = [operation for operation, _ in made(sample("ec2.SecurityGroup shop"))]
    assert operations == ["CreateSecurityGroup", "RevokeSecurityGroupEgress"]


def test_a_policy_that_is_an_object_becomes_text() -> None:
    ((_, params), *_) = made(changed("iam.Role shop", assumeRolePolicy={"Version": "2012-10-17"}))
    assert params["AssumeRolePolicyDocument"] == '{"Version": "2012-10-17"}'


@pytest.mark.parametrize("name", ["shop-of-the-northern-warehouse", "internal-shop", "shop_a"])
def test_a_name_that_the_engine_completes_must_fit_too(name: str) -> None:
    found = check([aws("lb.LoadBalancer", name, subnets=["subnet-1"])])
    assert len(found) == 1
    assert "does not match" in found[0]


def test_every_rule_for_names_is_of_a_type_with_a_translator() -> None:
    assert set(NAMES) <= set(TRANSLATORS)


def test_secrets_and_references_are_passed_on_as_they_are() -> None:
    ((_, params),) = made(sample("apigateway.ApiKey shop"))
    assert params["value"] == "[secret]"
    assert Call("apigateway", "CreateApiKey", params).offline is False
