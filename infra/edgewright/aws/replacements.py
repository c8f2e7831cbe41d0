"""What cannot be changed in place on AWS, and what a replacement costs.

Inputs: those that the provider's schema marks `ForceNew` (terraform-provider-aws, internal/service/*), by the names of
the Pulumi provider. Times and outages: AWS's documentation, a page each. Types without a row are never claimed.
"""

from collections.abc import Mapping

from edgewright.clouds.replacement import Replacement

_DOCS = "https://docs.aws.amazon.com"
_DELETE_BALANCER = f"{_DOCS}/elasticloadbalancing/latest/application/load-balancer-delete.html"
_DRAINING = f"{_DOCS}/elasticloadbalancing/latest/application/edit-target-group-attributes.html"
_VPC_LINK = f"{_DOCS}/apigateway/latest/developerguide/http-api-vpc-links.html"
_DOMAIN = f"{_DOCS}/apigateway/latest/developerguide/apigateway-private-custom-domains-tutorial.html"
_REGIONAL = f"{_DOCS}/apigateway/latest/developerguide/apigateway-regional-api-custom-domain-create.html"
_VALIDATION = f"{_DOCS}/acm/latest/userguide/dns-validation.html"
_API_ID = f"{_DOCS}/apigateway/latest/developerguide/how-to-call-api.html"
_KEYS = f"{_DOCS}/apigateway/latest/developerguide/api-gateway-setup-api-key-with-restapi.html"
_THROTTLING = f"{_DOCS}/apigateway/latest/developerguide/api-gateway-request-throttling.html"
_ENDPOINT = f"{_DOCS}/vpc/latest/privatelink/create-interface-endpoint.html"
_NAT = f"{_DOCS}/vpc/latest/userguide/vpc-nat-gateway.html"
_DEPLOYMENT = f"{_DOCS}/apigateway/latest/developerguide/how-to-deploy-api.html"
_RULES = f"{_DOCS}/elasticloadbalancing/latest/application/load-balancer-listeners.html"
_BUCKET = f"{_DOCS}/AmazonS3/latest/userguide/delete-bucket.html"
_VPC = f"{_DOCS}/vpc/latest/userguide/delete-vpc.html"
_LOGS = f"{_DOCS}/AmazonCloudWatch/latest/logs/Working-with-log-groups-and-streams.html"
_ACL = f"{_DOCS}/waf/latest/developerguide/web-acl-associating.html"
_GROUPS = f"{_DOCS}/vpc/latest/userguide/security-group-rules.html"


def _of(*inputs: str, time: str = "", outage: str = "", sources: tuple[str, ...] = ()) -> Replacement:
    return Replacement(frozenset(inputs), time, outage, sources)


REPLACEMENTS: Mapping[str, Replacement] = {
    "aws:lb/loadBalancer:LoadBalancer": _of(
        "customerOwnedIpv4Pool",
        "internal",
        "loadBalancerType",
        "name",
        "namePrefix",
        time="until it is active",
        outage="a new DNS name: callers arrive at the old one until their DNS answers run out (60 s for an alias "
        "record, else the TTL), and connections to it are cut when it goes; CNAME records elsewhere have to follow",
        sources=(_DELETE_BALANCER,),
    ),
    "aws:lb/listener:Listener": _of(
        "loadBalancerArn",
        outage="its port answers nothing until the new listener and its rules are there",
        sources=(_RULES,),
    ),
    "aws:lb/listenerRule:ListenerRule": _of(
        "listenerArn",
        outage="requests of its routes get the listener's default answer until the new rule is there",
        sources=(_RULES,),
    ),
    "aws:lb/targetGroup:TargetGroup": _of(
        "ipAddressType",
        "name",
        "namePrefix",
        "port",
        "protocol",
        "protocolVersion",
        "targetType",
        "vpcId",
        time="until its targets are healthy; the old one drains for 300 s unless said otherwise",
        outage="a new ARN: what attaches itself from another stack has to do so again; requests that are still running "
        "when draining ends are cut",
        sources=(_DRAINING,),
    ),
    "aws:lb/targetGroupAttachment:TargetGroupAttachment": _of(
        "availabilityZone",
        "port",
        "targetGroupArn",
        "targetId",
        time="until the target is healthy; the old one drains for 300 s unless said otherwise",
        sources=(_DRAINING,),
    ),
    "aws:acm/certificate:Certificate": _of(
        "certificateAuthorityArn",
        "domainName",
        "keyAlgorithm",
        "subjectAlternativeNames",
        "validationMethod",
        time="until its names are validated; without records in DNS, 72 hours until it gives up",
        outage="nothing, if the names can be validated: the old certificate serves until then",
        sources=(_VALIDATION,),
    ),
    "aws:apigateway/restApi:RestApi": _of(
        outage="a new API id, and so another invoke URL: what calls the old one gets errors",
        sources=(_API_ID,),
    ),
    "aws:apigateway/stage:Stage": _of(
        "restApi",
        "stageName",
        outage="its URL answers nothing until the new stage is there, and its cache is empty",
        sources=(_API_ID,),
    ),
    "aws:apigateway/deployment:Deployment": _of("restApi", "triggers", sources=(_DEPLOYMENT,)),
    "aws:apigatewayv2/deployment:Deployment": _of("apiId", "triggers", sources=(_DEPLOYMENT,)),
    "aws:apigateway/methodSettings:MethodSettings": _of(
        "methodPath",
        "restApi",
        "stageName",
        outage="limits of the stage hold until the new settings are there",
        sources=(_THROTTLING,),
    ),
    "aws:apigateway/domainName:DomainName": _of(
        "domainName",
        time="of a private name, about 15 minutes until its association is ready",
        outage="the old name stops answering; a private one is out of reach until it is associated",
        sources=(_DOMAIN,),
    ),
    "aws:apigatewayv2/domainName:DomainName": _of(
        "domainName",
        outage="the old name stops answering; DNS has to point at the new one's target",
        sources=(_REGIONAL,),
    ),
    "aws:apigateway/apiKey:ApiKey": _of(
        "name",
        "value",
        outage="clients that come with the old key get 403 until they have the new one",
        sources=(_KEYS,),
    ),
    "aws:apigateway/usagePlanKey:UsagePlanKey": _of(
        "keyId",
        "keyType",
        "usagePlanId",
        outage="the client gets 403 in between",
        sources=(_KEYS,),
    ),
    "aws:apigatewayv2/api:Api": _of(
        "protocolType",
        outage="a new API id, and so another invoke URL: what calls the old one gets errors",
        sources=(_API_ID,),
    ),
    "aws:apigatewayv2/stage:Stage": _of(
        "apiId", "name", outage="its URL answers nothing until the new stage is there", sources=(_API_ID,)
    ),
    "aws:apigatewayv2/vpcLink:VpcLink": _of(
        "securityGroupIds",
        "subnetIds",
        time="a few minutes until it is available",
        outage="none, if integrations move to the new link before the old one goes",
        sources=(_VPC_LINK,),
    ),
    "aws:ec2/vpc:Vpc": _of(
        "cidrBlock", outage="everything in the network has to be made anew, so the edge is down", sources=(_VPC,)
    ),
    "aws:ec2/subnet:Subnet": _of(
        "availabilityZone",
        "cidrBlock",
        "vpcId",
        outage="it cannot go while anything is in it: balancers and endpoints have to leave it first",
        sources=(_VPC,),
    ),
    "aws:ec2/vpcEndpoint:VpcEndpoint": _of(
        "serviceName",
        "vpcEndpointType",
        "vpcId",
        time="until it is available",
        outage="new private addresses: what is behind it cannot be reached until targets follow",
        sources=(_ENDPOINT,),
    ),
    "aws:ec2/natGateway:NatGateway": _of(
        "allocationId",
        "connectivityType",
        "privateIp",
        "subnetId",
        time="until it is available",
        outage="connections to the outside are cut, and may come from another address afterwards",
        sources=(_NAT,),
    ),
    "aws:ec2/securityGroup:SecurityGroup": _of(
        "description",
        "name",
        "namePrefix",
        "vpcId",
        outage="it cannot go while anything uses it; its rules are made anew",
        sources=(_GROUPS,),
    ),
    "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule": _of(
        "securityGroupId", outage="new connections are refused until the new rule is there", sources=(_GROUPS,)
    ),
    "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule": _of(
        "securityGroupId", outage="new connections are refused until the new rule is there", sources=(_GROUPS,)
    ),
    "aws:cloudwatch/logGroup:LogGroup": _of(
        "name", "namePrefix", outage="the logs that are in it are deleted with it", sources=(_LOGS,)
    ),
    "aws:s3/bucket:Bucket": _of(
        "bucket",
        "bucketPrefix",
        outage="it cannot be deleted until it is empty, so the update stops; its logs go with it",
        sources=(_BUCKET,),
    ),
    "aws:wafv2/webAcl:WebAcl": _of(
        "name",
        "namePrefix",
        "scope",
        outage="requests are not inspected between the old association and the new one",
        sources=(_ACL,),
    ),
    "aws:wafv2/webAclAssociation:WebAclAssociation": _of(
        "resourceArn",
        "webAclArn",
        outage="requests are not inspected between the old association and the new one",
        sources=(_ACL,),
    ),
}

GUARDS: Mapping[str, str] = {
    "aws:wafv2/webAcl:WebAcl": "web application firewall",
    "aws:wafv2/webAclAssociation:WebAclAssociation": "association with the web application firewall",
    "aws:shield/protection:Protection": "protection against denial of service",
    "aws:apigateway/domainNameAccessAssociation:DomainNameAccessAssociation": "bound of who may reach its private name",
}
"""Types whose resources guard an edge: one that goes makes it weaker."""
