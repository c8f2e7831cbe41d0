"""Type tokens as rules name them, whatever version of an API a program has chosen."""

import re
from functools import lru_cache

# `azure-native:network/v20230201:Subnet` is of version 2 of the provider; a package that `pulumi package add
# azure-native network v20230201` makes has `azure-native_network_v20230201:network/v20230201:Subnet`, or no version
# behind the slash: provider/pkg/provider/provider_parameterize.go of pulumi/pulumi-azure-native, and its guide
# https://www.pulumi.com/registry/packages/azure-native/version-guide/.
_VERSIONED = re.compile(r"azure-native(?:_\w+)?:(?P<module>[\w.-]+)(?:/v\w+)?:(?P<kind>\w+)")


# Names that version 6 of the AWS provider has dropped: "Migrating from v5 to v6" of pulumi/pulumi-aws.
_RENAMED = {
    "aws:applicationloadbalancing/": "aws:alb/",
    "aws:elasticloadbalancing/": "aws:elb/",
    "aws:elasticloadbalancingv2/": "aws:lb/",
}


@lru_cache(maxsize=1024)
def plain_type(token: str) -> str:
    """The type without a version of its API, as in ``azure-native:network:Subnet``, and by its name of today."""
    found = _VERSIONED.fullmatch(token) if token.startswith("azure-native") else None
    if found:
        return f"azure-native:{found['module']}:{found['kind']}"
    module, slash, name = token.partition("/")
    return _RENAMED.get(module + slash, module + slash) + name


def type_of(urn: str) -> str:
    """The plain type of a resource that is known by its urn, which has those of its parents before it."""
    return plain_type(urn.split("::")[2].rpartition("$")[2])
