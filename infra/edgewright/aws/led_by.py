"""Which part of a spec, or of a stack's bindings, leads to resources of AWS; for the places that a plan names."""

from edgewright.plan.led_by import Led

_LISTENER = ("spec:listener", "spec:listeners")

LED_BY: tuple[Led, ...] = (
    Led("aws:lb/loadBalancer:", "enableDeletionProtection", ("stack:profile",)),
    Led("aws:lb/loadBalancer:", "accessLogs", ("spec:access_log",)),
    Led("aws:lb/loadBalancer:", "connectionLogs", ("spec:access_log",)),
    Led("aws:lb/loadBalancer:", "subnet", ("stack:network",)),
    Led("aws:lb/loadBalancer:", "", _LISTENER),
    Led("aws:lb/trustStore", "", ("stack:trust_bundles",)),
    Led("aws:lb/listener:", "certificate", ("stack:certificate",)),
    Led("aws:lb/listener:", "sslPolicy", ("spec:listener.tls", *_LISTENER)),
    Led("aws:lb/listener", "", _LISTENER),
    Led("aws:lb/targetGroup", "", ("spec:backends",)),
    Led("aws:autoscaling/", "", ("stack:backends",)),
    Led("aws:lambda/permission", "", ("stack:backends",)),
    Led("aws:lambda/", "", ("spec:authorizers",)),
    Led("aws:apigateway/domainName", "", ("stack:domain", *_LISTENER)),
    Led("aws:apigatewayv2/domainName", "", ("stack:domain", *_LISTENER)),
    Led("aws:apigateway/apiKey", "", ("spec:authorizers",)),
    Led("aws:apigateway/usagePlan", "", ("spec:authorizers",)),
    Led("aws:apigateway/methodSettings", "settings.throttl", ("spec:defaults.throttle",)),
    Led("aws:apigateway/methodSettings", "settings.cach", ("spec:defaults.cache",)),
    Led("aws:apigateway/stage", "accessLog", ("spec:access_log",)),
    Led("aws:apigatewayv2/stage", "accessLog", ("spec:access_log",)),
    Led("aws:apigateway/stage", "cacheCluster", ("stack:cache_size",)),
    Led("aws:apigateway/account", "", ("stack:log_role",)),
    Led("aws:apigateway/", "", ("stack:gateway", "stack:profile")),
    Led("aws:apigatewayv2/vpcLink", "", ("stack:network",)),
    Led("aws:apigatewayv2/", "", ("stack:gateway", "stack:profile")),
    Led("aws:wafv2/", "", ("spec:waf",)),
    Led("aws:shield/", "", ("spec:ddos",)),
    Led("aws:cloudwatch/logGroup", "kmsKeyId", ("stack:kms_key",)),
    Led("aws:cloudwatch/logGroup", "retentionInDays", ("spec:access_log.retention", "spec:access_log")),
    Led("aws:cloudwatch/logGroup", "", ("spec:access_log",)),
    Led("aws:cloudwatch/", "", ("spec:monitor",)),
    Led("aws:sns/", "", ("spec:monitor", "stack:notify")),
    Led("aws:s3/", "", ("spec:access_log", "stack:log_bucket")),
    Led("aws:acm/", "", ("stack:dns", "stack:certificate")),
    Led("aws:route53/", "", ("stack:dns",)),
    Led("aws:ec2/", "", ("stack:network",)),
    Led("aws:vpc/", "", ("stack:network",)),
    Led("aws:", "", ("stack:profile",)),
)
"""The first that fits; of its keys the first that is written somewhere, else the first."""
