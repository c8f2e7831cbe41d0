"""Which part of a spec, or of a stack's bindings, leads to resources of Azure; for the places that a plan names."""

from edgewright.plan.led_by import Led

_LISTENER = ("spec:listener", "spec:listeners")

LED_BY: tuple[Led, ...] = (
    Led("azure-native:apimanagement:ApiManagementService", "sku", ("stack:tier",)),
    Led("azure-native:apimanagement:ApiManagementService", "zones", ("stack:capacity", "stack:zones")),
    Led("azure-native:apimanagement:ApiManagementService", "hostnameConfigurations", _LISTENER),
    Led("azure-native:apimanagement:ApiManagementService", "customProperties", ("spec:listener.tls", *_LISTENER)),
    Led("azure-native:apimanagement:ApiManagementService", "virtualNetwork", ("stack:network",)),
    Led("azure-native:apimanagement:ApiManagementService", "publicNetworkAccess", ("stack:network",)),
    Led("azure-native:apimanagement:ApiManagementService", "", ("stack:tier",)),
    Led("azure-native:apimanagement:Backend", "", ("spec:backends",)),
    Led("azure-native:apimanagement:Cache", "", ("stack:cache",)),
    Led("azure-native:apimanagement:Certificate", "", ("stack:certificate",)),
    Led("azure-native:apimanagement:Diagnostic", "", ("spec:access_log",)),
    Led("azure-native:apimanagement:Gateway", "", ("stack:gateways",)),
    Led("azure-native:apimanagement:Logger", "", ("spec:access_log",)),
    Led("azure-native:apimanagement:NamedValue", "", ("spec:authorizers",)),
    Led("azure-native:apimanagement:Product", "", ("spec:authorizers",)),
    Led("azure-native:apimanagement:Subscription", "", ("spec:authorizers",)),
    Led("azure-native:apimanagement:", "", ("spec:defaults", "spec:routes")),
    Led("azure-native:applicationinsights:", "", ("spec:access_log",)),
    Led("azure-native:operationalinsights:", "", ("stack:workspace", "spec:access_log")),
    Led("azure-native:monitor:AutoscaleSetting", "", ("stack:gateways",)),
    Led("azure-native:monitor:DiagnosticSetting", "", ("spec:access_log",)),
    Led("azure-native:monitor:", "", ("spec:monitor",)),
    Led("azure-native:network:ApplicationGateway", "ssl", ("spec:listener.tls", *_LISTENER)),
    Led("azure-native:network:ApplicationGateway", "", _LISTENER),
    Led("azure-native:network:WebApplicationFirewallPolicy", "", ("spec:waf",)),
    Led("azure-native:network:LoadBalancer", "", _LISTENER),
    Led("azure-native:network:", "", ("stack:network",)),
    Led("azure-native:frontdoor:", "", ("spec:waf",)),
    Led("azure-native:cdn:", "", ("stack:front_door", *_LISTENER)),
    Led("azure-native:dns:", "", ("stack:dns",)),
    Led("azure-native:privatedns:", "", ("stack:private_dns", "stack:network")),
    Led("azure-native:keyvault:", "", ("stack:certificate",)),
    Led("azure-native:compute:", "", ("stack:gateways",)),
    Led("azure-native:containerservice:", "", ("stack:gateways",)),
    Led("kubernetes:", "", ("stack:gateways",)),
    Led("azure-native:redisenterprise:", "", ("stack:cache",)),
    Led("azure-native:", "", ("stack:profile",)),
)
"""The first that fits; of its keys the first that is written somewhere, else the first."""
