"""External caches, and the Managed Redis behind one: by TLS and privately only."""

from collections.abc import Mapping
from typing import Any, cast

import pytest

import arm_bodies
from azure_parts import GROUP, IN_SERVICE, named, of, only, recorded, refusal
from edgewright.azure.external_cache import ExternalCache, ExternalCacheArgs
from edgewright.azure.managed_redis import ManagedRedis, ManagedRedisArgs
from edgewright.plan.model import Resource
from edgewright.plan.sdk_types import validate

STRING = "shop.westeurope.redis.azure.net:10000,password=hush,ssl=True,abortConnect=False"
ENDPOINT = {
    "subnet_id": f"{GROUP}/subnets/endpoints",
    "private_dns_zone_id": f"{GROUP}/privateDnsZones/privatelink.redis.azure.net",
}


def cache_args(**more: Any) -> ExternalCacheArgs:
    return cast("ExternalCacheArgs", {**IN_SERVICE, "connection_string": STRING, **more})


def redis_args(**more: Any) -> ManagedRedisArgs:
    given = {"resource_group_name": "edge", "location": "westeurope", "private_endpoint": ENDPOINT, **more}
    return cast("ManagedRedisArgs", given)


def cache(**more: Any) -> Mapping[str, Any]:
    return only(recorded(lambda: ExternalCache("it", cache_args(**more))), "apimanagement:Cache")


def redis(**more: Any) -> tuple[Resource, ...]:
    return recorded(lambda: ManagedRedis("it", redis_args(**more)))


def both() -> tuple[Resource, ...]:
    def program() -> None:
        made = ManagedRedis("redis", redis_args())
        ExternalCache("cache", cast("ExternalCacheArgs", {**IN_SERVICE, "redis": made}))

    return recorded(program)


# -- the cache of a service --------------------------------------------------------------------------------------------


def test_a_connection_string_is_a_secret() -> None:
    assert cache()["connectionString"] == "[secret]"


def test_a_cache_is_for_all_gateways_unless_a_place_is_named() -> None:
    assert (cache()["cacheId"], cache()["useFromLocation"]) == ("default", "default")
    there = cache(use_from_location="shop-floor")
    assert (there["cacheId"], there["useFromLocation"]) == ("shop-floor", "shop-floor")


def test_a_cache_of_ours_gives_its_connection_string() -> None:
    resources = both()
    assert only(resources, "apimanagement:Cache")["connectionString"] == "[secret]"
    assert validate(resources) == []
    assert arm_bodies.problems(resources) == []


def test_a_cache_waits_until_gateways_can_find_the_redis() -> None:
    before = {urn.rpartition("::")[2] for urn in named(both(), "cache-cache", "apimanagement:Cache").dependencies}
    assert {"redis-endpoint", "redis-names"} <= before


def test_plaintext_has_to_be_asked_for() -> None:
    text = "redis:6379,password=hush"
    assert "no `ssl=True`" in refusal(lambda: ExternalCache("it", cache_args(connection_string=text)))[0]
    assert cache(connection_string=text, allow_plaintext=True)["connectionString"] == "[secret]"


# -- Managed Redis -----------------------------------------------------------------------------------------------------


def test_a_redis_is_private_and_takes_new_tls_only() -> None:
    resources = redis()
    cluster = only(resources, "redisenterprise:RedisEnterprise")
    assert (cluster["publicNetworkAccess"], cluster["minimumTlsVersion"]) == ("Disabled", "1.2")
    assert only(resources, "redisenterprise:Database")["clientProtocol"] == "Encrypted"


def test_a_redis_survives_the_loss_of_a_node_and_chooses_its_zones_itself() -> None:
    cluster = only(redis(), "redisenterprise:RedisEnterprise")
    assert cluster["highAvailability"] == "Enabled"
    assert "zones" not in cluster
    assert only(redis(high_availability=False), "redisenterprise:RedisEnterprise")["highAvailability"] == "Disabled"


def test_a_redis_has_keys_one_endpoint_and_forgets_what_is_old() -> None:
    database = only(redis(), "redisenterprise:Database")
    assert database["databaseName"] == "default"
    assert database["accessKeysAuthentication"] == "Enabled"
    assert (database["clusteringPolicy"], database["port"]) == ("EnterpriseCluster", 10000)
    assert database["evictionPolicy"] == "AllKeysLRU"


def test_a_redis_is_reached_by_its_private_endpoint() -> None:
    resources = redis()
    (connection,) = only(resources, "network:PrivateEndpoint")["privateLinkServiceConnections"]
    assert connection["groupIds"] == ["redisEnterprise"]
    (zone,) = only(resources, "network:PrivateDnsZoneGroup")["privateDnsZoneConfigs"]
    assert zone["privateDnsZoneId"] == ENDPOINT["private_dns_zone_id"]
    assert not of(redis(private_endpoint={**ENDPOINT, "private_dns_zone_id": None}), "network:PrivateDnsZoneGroup")


def test_its_connection_string_has_host_port_key_and_tls() -> None:
    found: list[str] = []
    recorded(lambda: ManagedRedis("it", redis_args()).connection_string.apply(found.append))
    (text,) = found
    assert (
        text
        == "${redisenterprise.RedisEnterprise it-cluster.hostName}:10000,password=redis-key,ssl=True,abortConnect=False"
    )


# -- refusals ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"connection_string": None}, "one of `connection_string` and `redis`"),
        ({"connection_string": f"{STRING},name={'x' * 300}"}, "it has 300 at most"),
        ({"connection_string": "password=hush,ssl=true"}, "does not begin with `HOST:PORT,`"),
        ({"use_from_location": "a*b"}, "`a*b` is no location"),
    ],
)
def test_a_cache_that_cannot_be_is_refused(more: Mapping[str, Any], said: str) -> None:
    problems = refusal(lambda: ExternalCache("it", cache_args(**more)))
    assert said in problems[0]
    assert "hush" not in "".join(problems)


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"cluster_name": "a--b"}, "`a--b` is no name of a cache"),
        ({"sku": "Enterprise_E10"}, "retired on 2027-03-31"),
        ({"sku": "Premium_P1"}, "there is no SKU `Premium_P1`"),
        ({"eviction_policy": "Oldest"}, "there is no eviction policy `Oldest`"),
        ({"private_endpoint": {"subnet_id": "s"}}, "needs `private_dns_zone_id`"),
        (
            {"private_endpoint": {**ENDPOINT, "private_dns_zone_id": "/z/privatelink.redis.cache.windows.net"}},
            "must be `privatelink.redis.azure.net`",
        ),
    ],
)
def test_a_redis_that_cannot_be_is_refused(more: Mapping[str, Any], said: str) -> None:
    assert said in refusal(lambda: ManagedRedis("it", redis_args(**more)))[0]
