"""An external cache of API Management: a Redis that gateways use in place of, or for want of, their own."""

import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Required, TypedDict

import pulumi
from pulumi_azure_native import apimanagement

from edgewright.azure.arguments import key_problems
from edgewright.clouds.part import place, refuse

if TYPE_CHECKING:
    from edgewright.azure.managed_redis import ManagedRedis

MAX_CONNECTION_STRING = 300
_TLS = re.compile(r",\s*ssl\s*=\s*true\s*(,|$)", re.IGNORECASE)
_LOCATION = re.compile(r"[^*#&+:<>?]{1,80}")


class ExternalCacheArgs(TypedDict, total=False):
    """Arguments of `ExternalCache`: one of connection_string and redis."""

    resource_group_name: Required[pulumi.Input[str]]
    """Of the service."""
    service_name: Required[pulumi.Input[str]]
    """The service; of any tier. Consumption and self-hosted gateways have no cache of their own."""
    connection_string: pulumi.Input[str]
    """A secret, 300 characters at most, such as ``HOST:10000,password=KEY,ssl=True,abortConnect=False``."""
    redis: "ManagedRedis"
    """A cache of ours, in place of a connection string."""
    use_from_location: str
    """Whose gateways use it: ``default``, those without a cache for their own place (the default); a region of the
    service such as ``westeurope``; or the name in a self-hosted gateway's location. Shared by several services:
    ``default`` only. Also the cache's id: a change replaces it."""
    allow_plaintext: bool
    """Takes a connection without TLS, to a cache in the same cluster as a self-hosted gateway; default False."""
    description: pulumi.Input[str]
    """2,000 characters at most. Default: none."""
    resource_id: pulumi.Input[str]
    """Where the portal finds the cache. Default: none."""
    overrides: Mapping[str, Mapping[str, Any]]
    """Raw inputs of ``cache``."""


class ExternalCache(pulumi.ComponentResource):
    """An external cache. It must be there before a policy that says ``caching-type="external"``.

    Attributes: cache; ``id``. A gateway has to reach it: a private one from a network of the service.
    """

    def __init__(self, name: str, args: ExternalCacheArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        refuse("ExternalCache", name, _problems(args))
        super().__init__("edgewright:azure:ExternalCache", name, None, opts)
        self.cache = _cache(self, name, args)
        self.id = self.cache.id
        self.register_outputs({"id": self.id})


def _problems(args: ExternalCacheArgs) -> Iterator[str]:
    yield from key_problems(args, ExternalCacheArgs, ("cache",), "an external cache")
    if (args.get("connection_string") is None) == (args.get("redis") is None):
        yield "an external cache has one of `connection_string` and `redis`"
    location = args.get("use_from_location", "default")
    if _LOCATION.fullmatch(location) is None:
        yield f"`{location}` is no location: `default`, a region, or the name in a self-hosted gateway's location"
    text: Any = args.get("connection_string")
    if not isinstance(text, str):
        return
    # What is wrong is said without the text, which has a key in it.
    if len(text) > MAX_CONNECTION_STRING:
        yield f"the connection string has {len(text)} characters; it has {MAX_CONNECTION_STRING} at most"
    if re.match(r"[^,:=]+:\d+(,|$)", text) is None:
        yield "the connection string does not begin with `HOST:PORT,`"
    if _TLS.search(text) is None and not args.get("allow_plaintext"):
        yield "the connection string has no `ssl=True`: keys and answers would go in plain; or say `allow_plaintext`"


def _cache(parent: ExternalCache, name: str, args: ExternalCacheArgs) -> apimanagement.Cache:
    redis = args.get("redis")
    location = args.get("use_from_location", "default")
    text = redis.connection_string if redis is not None else args.get("connection_string", "")
    props: dict[str, Any] = {
        "resource_group_name": args["resource_group_name"],
        "service_name": args["service_name"],
        "cache_id": location,
        "use_from_location": location,
        "connection_string": pulumi.Output.secret(text),
        "description": args.get("description"),
        "resource_id": args.get("resource_id"),
    }
    # Its name has to be resolved before the first request asks.
    after = [item for item in (redis.private_endpoint, redis.zone_group) if item is not None] if redis else []
    overrides = args.get("overrides")
    return place(
        apimanagement.Cache,
        f"{name}-cache",
        props,
        parent=parent,
        overrides=overrides,
        key="cache",
        depends_on=after,
    )
