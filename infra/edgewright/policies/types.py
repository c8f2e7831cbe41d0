"""Type tokens as rules name them, whatever version of an API a program has chosen."""

import re
from functools import lru_cache

# `azure-native:network/v20230201:Subnet` is of version 2 of the provider; a package that `pulumi package add
# azure-native network v20230201` makes has `azure-native_network_v20230201:network/v20230201:Subnet`, or no version
# behind the slash: provider/pkg/provider/provider_parameterize.go of pulumi/pulumi-azure-native, and its guide
# https://www.pulumi.com/registry/packages/azure-native/version-guide/.
_VERSIONED = re.compile(r"azure-native(?:_\w+)?:(?P<module>[\w.-]+)(?:/v\w+)?:(?P<kind>\w+)")


@lru_cache(maxsize=1024)
def plain_type(token: str) -> str:
    """The type without a version of its API, as in ``azure-native:network:Subnet``; other providers' as they are."""
    found = _VERSIONED.fullmatch(token) if token.startswith("azure-native") else None
    return f"azure-native:{found['module']}:{found['kind']}" if found else token
