"""Azure Managed Redis: a cache that only a network reaches, by TLS, for API Management's external cache.

Why not Azure Cache for Redis: Microsoft retires its Enterprise tiers on 2027-03-31 and its Basic, Standard and Premium
tiers on 2028-09-30, and tenants that had none before 2026-04-01 cannot make one (Microsoft's retirement page, read
2026-11). Managed Redis takes its place, and has the type of its Enterprise tiers with SKUs of its own.
"""

import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Required, TypedDict

import pulumi
from pulumi_azure_native import redisenterprise

from edgewright.azure.arguments import key_problems
from edgewright.azure.private_link import PrivateEndpointArgs, endpoint_problems, place_endpoint, place_zone_group
from edgewright.clouds.part import place, refuse

if TYPE_CHECKING:
    from pulumi_azure_native import network

PORT = 10_000
ZONE = "privatelink.redis.azure.net"
"""Not ``privatelink.redis.cache.windows.net``, which is of Azure Cache for Redis."""
_NAME = re.compile(r"(?=.{1,60}$)[A-Za-z0-9]+(-[A-Za-z0-9]+)*")
_SKU = re.compile(r"(Balanced_B|MemoryOptimized_M|ComputeOptimized_X|FlashOptimized_A)\d+")
EVICTIONS = (
    "AllKeysLFU",
    "AllKeysLRU",
    "AllKeysRandom",
    "VolatileLRU",
    "VolatileLFU",
    "VolatileTTL",
    "VolatileRandom",
    "NoEviction",
)


class ManagedRedisArgs(TypedDict, total=False):
    """Arguments of `ManagedRedis`."""

    resource_group_name: Required[pulumi.Input[str]]
    """Where it is."""
    location: Required[pulumi.Input[str]]
    """Such as ``westeurope``; of the gateways that use it."""
    cluster_name: str
    """1 to 60 letters, digits and single hyphens, unique in its region; default: chosen by the engine."""
    sku: str
    """Such as ``Balanced_B1``; default ``Balanced_B0``, 0.5 GB."""
    high_availability: bool
    """Two nodes, in two zones where the region has zones; default True. Zones cannot be chosen: Azure takes them for
    the retired SKUs only."""
    private_endpoint: Required[PrivateEndpointArgs]
    """Where it is reached: there is no public access."""
    eviction_policy: str
    """What goes when it is full; default ``AllKeysLRU``, as of a cache."""
    tags: Mapping[str, pulumi.Input[str]]
    """On everything that takes tags."""
    overrides: Mapping[str, Mapping[str, Any]]
    """Raw inputs by attribute: ``cluster``, ``database``, ``private_endpoint``, ``zone_group``."""


class ManagedRedis(pulumi.ComponentResource):
    """A cache.

    Attributes: cluster, database, private_endpoint, zone_group (or None); ``id``; ``host``; ``connection_string``, a
    secret, as `ExternalCache` takes it.

    Keys are on, since API Management connects by a connection string with one and by Entra not at all (Microsoft's page
    of the external cache, read 2026-11). An administrator who renews a key has to run the stack again.
    """

    def __init__(self, name: str, args: ManagedRedisArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        refuse("ManagedRedis", name, _problems(args))
        super().__init__("edgewright:azure:ManagedRedis", name, None, opts)
        self.cluster = _cluster(self, name, args)
        self.database = _database(self, name, args)
        self.private_endpoint: network.PrivateEndpoint = place_endpoint(
            self,
            name,
            self.cluster.id,
            "redisEnterprise",
            args["private_endpoint"],
            _common(args),
            args.get("overrides"),
        )
        self.zone_group = place_zone_group(
            self, name, self.private_endpoint, args["private_endpoint"], _common(args), args.get("overrides")
        )
        self.id = self.cluster.id
        self.host = self.cluster.host_name
        self.connection_string = _connection_string(self, args)
        self.register_outputs({"id": self.id, "host": self.host, "connectionString": self.connection_string})


def _problems(args: ManagedRedisArgs) -> Iterator[str]:
    endpoint: Any = args.get("private_endpoint")
    zoned = ["zone_group"] if endpoint and endpoint.get("private_dns_zone_id") is not None else []
    yield from key_problems(args, ManagedRedisArgs, ["cluster", "database", "private_endpoint", *zoned], "a cache")
    if "cluster_name" in args and _NAME.fullmatch(args["cluster_name"]) is None:
        yield f"`{args['cluster_name']}` is no name of a cache: 1 to 60 letters, digits and single hyphens"
    sku = args.get("sku", "Balanced_B0")
    if sku.startswith("Enterprise"):
        yield f"the SKU {sku} is retired on 2027-03-31: take one of Managed Redis, such as Balanced_B1"
    elif _SKU.fullmatch(sku) is None:
        kinds = "Balanced_B, MemoryOptimized_M, ComputeOptimized_X and FlashOptimized_A"
        yield f"there is no SKU `{sku}`; there are {kinds}, each with a size"
    if args.get("eviction_policy", EVICTIONS[0]) not in EVICTIONS:
        yield f"there is no eviction policy `{args.get('eviction_policy')}`; there are {', '.join(EVICTIONS)}"
    if endpoint is not None:
        yield from endpoint_problems(endpoint, "private_endpoint", ZONE)


def _common(args: ManagedRedisArgs) -> dict[str, Any]:
    return {
        "resource_group_name": args["resource_group_name"],
        "location": args["location"],
        "tags": dict(args.get("tags", {})),
    }


def _cluster(parent: ManagedRedis, name: str, args: ManagedRedisArgs) -> redisenterprise.RedisEnterprise:
    props: dict[str, Any] = {
        **_common(args),
        "cluster_name": args.get("cluster_name"),
        "sku": {"name": args.get("sku", "Balanced_B0")},
        "high_availability": "Enabled" if args.get("high_availability", True) else "Disabled",
        "minimum_tls_version": "1.2",
        "public_network_access": "Disabled",
    }
    overrides = args.get("overrides")
    return place(
        redisenterprise.RedisEnterprise, f"{name}-cluster", props, parent=parent, overrides=overrides, key="cluster"
    )


def _database(parent: ManagedRedis, name: str, args: ManagedRedisArgs) -> redisenterprise.Database:
    props: dict[str, Any] = {
        "resource_group_name": args["resource_group_name"],
        "cluster_name": parent.cluster.name,
        "database_name": "default",
        "client_protocol": "Encrypted",
        "port": PORT,
        # One endpoint for all: whether API Management's client follows a cluster's redirections is *unverified*.
        "clustering_policy": "EnterpriseCluster",
        "eviction_policy": args.get("eviction_policy", "AllKeysLRU"),
        "access_keys_authentication": "Enabled",
    }
    overrides = args.get("overrides")
    return place(
        redisenterprise.Database, f"{name}-database", props, parent=parent, overrides=overrides, key="database"
    )


def _connection_string(parent: ManagedRedis, args: ManagedRedisArgs) -> pulumi.Output[str]:
    """As Microsoft's page of the external cache has it."""
    keys = redisenterprise.list_database_keys_output(
        resource_group_name=args["resource_group_name"],
        cluster_name=parent.cluster.name,
        database_name=parent.database.name,
        opts=pulumi.InvokeOutputOptions(parent=parent),
    )
    key = keys.apply(lambda found: found.primary_key or "")
    text = pulumi.Output.concat(parent.host, f":{PORT},password=", key, ",ssl=True,abortConnect=False")
    return pulumi.Output.secret(text)
