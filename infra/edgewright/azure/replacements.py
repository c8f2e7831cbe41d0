"""What cannot be changed in place on Azure, and what a replacement costs.

Inputs: the parts of a resource's address, which the provider never changes in place (pulumi-azure-native issue 77), and
those that it lists (provider/pkg/gen/replacement.go). Of others nothing is claimed: Azure may refuse them instead.
Times and outages: Microsoft's documentation, a page each.
"""

from collections.abc import Mapping

from edgewright.clouds.replacement import Replacement

_DOCS = "https://learn.microsoft.com/azure"
_SERVICE = f"{_DOCS}/api-management/powershell-create-service-instance"
_SERVICE_V2 = f"{_DOCS}/api-management/v2-service-tiers-overview"
_DELETED = f"{_DOCS}/api-management/soft-delete"
_GATEWAY_TOKEN = f"{_DOCS}/api-management/self-hosted-gateway-default-authentication"
_GATEWAY = f"{_DOCS}/application-gateway/application-gateway-faq"
_FRONT_DOOR = f"{_DOCS}/frontdoor/front-door-faq"
_ADDRESS = f"{_DOCS}/virtual-network/ip-services/public-ip-addresses"
_BALANCER = f"{_DOCS}/load-balancer/components"
_NETWORK = f"{_DOCS}/virtual-network/manage-virtual-network"
_NAT = f"{_DOCS}/nat-gateway/nat-overview"
_ENDPOINT = f"{_DOCS}/private-link/private-endpoint-overview"
_CLUSTER = f"{_DOCS}/aks/learn/quick-kubernetes-deploy-cli"
_SCALE_SET = f"{_DOCS}/virtual-machine-scale-sets/overview"
_POOL = f"{_DOCS}/aks/manage-node-pools"
_SUBSCRIPTIONS = f"{_DOCS}/api-management/api-management-subscriptions"
_APIS = f"{_DOCS}/api-management/api-management-key-concepts"
_WORKSPACE = f"{_DOCS}/azure-monitor/logs/delete-workspace"
_IDENTITY = "https://learn.microsoft.com/entra/identity/managed-identities-azure-resources/managed-identity-best-practice-recommendations"
_FIREWALL = f"{_DOCS}/web-application-firewall/ag/policy-overview"
_REDIS = f"{_DOCS}/redis/overview"


def _of(*inputs: str, time: str = "", outage: str = "", sources: tuple[str, ...] = ()) -> Replacement:
    return Replacement(frozenset({"resourceGroupName", *inputs}), time, outage, sources)


def _in_service(name: str, outage: str, source: str = _APIS) -> Replacement:
    """A part of an API Management service, whose address has the service's name in it."""
    return _of("serviceName", name, outage=outage, sources=(source,))


REPLACEMENTS: Mapping[str, Replacement] = {
    "azure-native:apimanagement:ApiManagementService": _of(
        "serviceName",
        time="30 to 40 minutes in the Developer tier, minutes in v2 tiers",
        outage="everything behind it is down meanwhile, and it gets other addresses; a deleted service keeps its name "
        "for 48 hours, unless it is purged",
        sources=(_SERVICE, _SERVICE_V2, _DELETED),
    ),
    "azure-native:apimanagement:Api": _in_service("apiId", "its routes answer 404 until the new API is there"),
    "azure-native:apimanagement:ApiPolicy": _of(
        "apiId", "policyId", "serviceName", outage="the API is without its policy in between", sources=(_APIS,)
    ),
    "azure-native:apimanagement:ApiOperationPolicy": _of(
        "apiId",
        "operationId",
        "policyId",
        "serviceName",
        outage="the operation is without its policy in between",
        sources=(_APIS,),
    ),
    "azure-native:apimanagement:Backend": _in_service(
        "backendId", "its routes answer 500 until policies name the new one"
    ),
    "azure-native:apimanagement:NamedValue": _in_service("namedValueId", ""),
    "azure-native:apimanagement:Product": _in_service("productId", "its subscriptions go with it", _SUBSCRIPTIONS),
    "azure-native:apimanagement:Subscription": _in_service(
        "sid", "clients that come with the old keys get 401 until they have the new ones", _SUBSCRIPTIONS
    ),
    "azure-native:apimanagement:Certificate": _in_service("certificateId", ""),
    "azure-native:apimanagement:Gateway": _in_service(
        "gatewayId", "its machines and pods get no configuration until they have the new one's token", _GATEWAY_TOKEN
    ),
    "azure-native:network:ApplicationGateway": _of(
        "applicationGatewayName",
        time="around 6 minutes, more across zones",
        outage="everything behind it is down meanwhile",
        sources=(_GATEWAY,),
    ),
    "azure-native:network:WebApplicationFirewallPolicy": _of(
        "policyName", outage="requests are not inspected until the new policy is linked", sources=(_FIREWALL,)
    ),
    "azure-native:frontdoor:Policy": _of(
        "policyName",
        time="up to 20 minutes until it holds everywhere",
        outage="requests are not inspected until the new policy is linked",
        sources=(_FRONT_DOOR,),
    ),
    "azure-native:cdn:Profile": _of(
        "location",
        "profileName",
        "sku.name",
        time="up to 20 minutes for each change, 40 for some in a row",
        outage="everything behind it is down meanwhile, and its endpoints get other host names",
        sources=(_FRONT_DOOR,),
    ),
    "azure-native:cdn:AFDEndpoint": _of(
        "endpointName",
        "profileName",
        time="up to 20 minutes",
        outage="another host name: DNS has to point at it",
        sources=(_FRONT_DOOR,),
    ),
    "azure-native:cdn:AFDCustomDomain": _of(
        "customDomainName",
        "profileName",
        time="up to 20 minutes, after the name is validated",
        outage="the host name answers nothing meanwhile",
        sources=(_FRONT_DOOR,),
    ),
    "azure-native:network:LoadBalancer": _of(
        "loadBalancerName",
        outage="connections through it are cut, and none are taken until the new one is there",
        sources=(_BALANCER,),
    ),
    "azure-native:network:PublicIPAddress": _of(
        "location",
        "publicIPAddressVersion",
        "publicIPPrefix",
        "publicIpAddressName",
        "sku",
        outage="another address: DNS records and allow lists elsewhere have to follow",
        sources=(_ADDRESS,),
    ),
    "azure-native:network:VirtualNetwork": _of(
        "location",
        "virtualNetworkName",
        outage="everything in the network has to be made anew, so the edge is down",
        sources=(_NETWORK,),
    ),
    "azure-native:network:NatGateway": _of(
        "natGatewayName", outage="connections to the outside are cut in between", sources=(_NAT,)
    ),
    "azure-native:network:PrivateEndpoint": _of(
        "privateEndpointName",
        "subnet",
        outage="what is behind it cannot be reached until names point at its new address",
        sources=(_ENDPOINT,),
    ),
    "azure-native:containerservice:ManagedCluster": _of(
        "diskEncryptionSetID",
        "dnsPrefix",
        "fqdnSubdomain",
        "linuxProfile",
        "location",
        "networkProfile.dnsServiceIP",
        "networkProfile.networkDataplane",
        "networkProfile.networkMode",
        "networkProfile.networkPlugin",
        "networkProfile.networkPluginMode",
        "networkProfile.networkPolicy",
        "networkProfile.outboundType",
        "networkProfile.podCidr",
        "networkProfile.serviceCidr",
        "networkProfile.serviceCidrs",
        "nodeResourceGroup",
        "resourceName",
        time="a few minutes",
        outage="all that runs on it goes with it, the edge's gateways too",
        sources=(_CLUSTER,),
    ),
    "azure-native:containerservice:AgentPool": _of(
        "agentPoolName",
        "gpuInstanceProfile",
        "resourceName",
        "vmSize",
        outage="its pods are moved to other nodes",
        sources=(_POOL,),
    ),
    "azure-native:compute:VirtualMachineScaleSet": _of(
        "vmScaleSetName", outage="its machines go, and the gateways on them", sources=(_SCALE_SET,)
    ),
    "azure-native:redisenterprise:RedisEnterprise": _of(
        "clusterName", outage="what is cached and counted in it is gone", sources=(_REDIS,)
    ),
    "azure-native:redisenterprise:Database": _of(
        "clusterName", "databaseName", outage="what is cached and counted in it is gone", sources=(_REDIS,)
    ),
    "azure-native:operationalinsights:Workspace": _of(
        "workspaceName",
        outage="the logs that are in it go with it; they can be recovered for 14 days",
        sources=(_WORKSPACE,),
    ),
    "azure-native:managedidentity:UserAssignedIdentity": _of(
        "resourceName",
        outage="another principal: its roles have to be assigned anew before anything works",
        sources=(_IDENTITY,),
    ),
    "azure-native:authorization:RoleAssignment": Replacement(
        frozenset({"principalId", "roleAssignmentName", "scope"}),
        outage="the identity may do nothing in between",
        sources=(_IDENTITY,),
    ),
}

GUARDS: Mapping[str, str] = {
    "azure-native:network:WebApplicationFirewallPolicy": "web application firewall",
    "azure-native:frontdoor:Policy": "web application firewall",
    "azure-native:cdn:SecurityPolicy": "association with the web application firewall",
    "azure-native:network:DdosProtectionPlan": "protection against denial of service",
    "azure-native:network:NetworkSecurityGroup": "set of network rules",
}
"""Types whose resources guard an edge: one that goes makes it weaker."""
