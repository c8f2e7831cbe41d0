"""The files from which a running Envoy takes its configuration: one per type, replaced at once, only when changed."""

import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from edgewright.local.artifact import digest

Kind = Literal["cds", "lds", "rds", "eds"]

TYPES: Mapping[Kind, str] = {
    "cds": "type.googleapis.com/envoy.config.cluster.v3.Cluster",
    "lds": "type.googleapis.com/envoy.config.listener.v3.Listener",
    "rds": "type.googleapis.com/envoy.config.route.v3.RouteConfiguration",
    "eds": "type.googleapis.com/envoy.config.endpoint.v3.ClusterLoadAssignment",
}

Resource = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where an instance answers: ``127.0.0.1:9001``, ``[::1]:9001`` or the path of a unix socket.

    draining: it keeps the requests that it has and gets no new ones.
    """

    address: str
    draining: bool = False


class Files:
    """The xDS files of one folder, and the versions that stand in them.

    A file whose resources have not changed is left alone: Envoy would count the rewrite, and whoever waits for a
    version must not wait for one that was never written. Versions are ``<generation>-<digest>``.
    """

    def __init__(self, folder: Path, scratch: Path) -> None:
        self.folder = folder
        self._scratch = scratch
        self._digests: dict[str, str] = {}
        self._versions: dict[str, str] = {}
        self._generation = 0

    def put(self, name: str, kind: Kind, resources: Sequence[Resource]) -> str | None:
        """Write ``<name>.json``; the new version, or None when these resources stand there already."""
        mark = digest([dict(item) for item in resources])
        if self._digests.get(name) == mark:
            return None
        self._generation += 1
        version = f"{self._generation}-{mark}"
        self._write(name, response(kind, resources, version))
        self._digests[name] = mark
        self._versions[name] = version
        return version

    def version(self, name: str) -> str:
        """The version that stands in ``<name>.json``; empty when it was never written."""
        return self._versions.get(name, "")

    def remove(self, name: str) -> None:
        """Take the file away; Envoy keeps what it has read."""
        (self.folder / f"{name}.json").unlink(missing_ok=True)
        self._digests.pop(name, None)
        self._versions.pop(name, None)

    def _write(self, name: str, content: Mapping[str, Any]) -> None:
        # The scratch file lies in another folder: Envoy watches this one, and reads on a rename into it.
        scratch = self._scratch / f"{self.folder.name}-{name}.json"
        descriptor = os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(json.dumps(content, separators=(",", ":")))  # json.dump does without the C encoder
        scratch.replace(self.folder / f"{name}.json")


def response(kind: Kind, resources: Sequence[Resource], version: str) -> dict[str, Any]:
    """A DiscoveryResponse as JSON."""
    return {
        "version_info": version,
        "resources": [{"@type": TYPES[kind], **item} for item in resources],
    }


def assignment(cluster: str, endpoints: Iterable[Endpoint]) -> dict[str, Any]:
    """The ClusterLoadAssignment of a cluster; without endpoints it is an empty one, which answers 503."""
    hosts = [
        {
            "endpoint": {"address": _address(item.address)},
            **({"health_status": "DRAINING"} if item.draining else {}),
        }
        for item in endpoints
    ]
    return {"cluster_name": cluster, "endpoints": [{"lb_endpoints": hosts}] if hosts else []}


def merged(first: Sequence[Resource], second: Sequence[Resource]) -> list[Resource]:
    """All of ``first``, and those of ``second`` whose names it lacks."""
    names = {item["name"] for item in first}
    return [*first, *(item for item in second if item["name"] not in names)]


def route_names(listeners: Iterable[Resource]) -> set[str]:
    """The route configurations that these listeners ask for."""
    return {str(item["route_config_name"]) for item in _find(listeners, "rds") if "route_config_name" in item}


def pipes(listeners: Iterable[Resource]) -> set[str]:
    """The unix sockets on which these listeners listen."""
    addresses: list[Any] = [item.get("address", {}) for item in listeners]
    return {str(item["pipe"]["path"]) for item in addresses if "pipe" in item}


def eds_clusters(clusters: Iterable[Resource]) -> set[str]:
    """The names under which these clusters ask for their endpoints."""
    return {
        str(item.get("eds_cluster_config", {}).get("service_name") or item["name"])
        for item in clusters
        if item.get("type") == "EDS"
    }


def rewrite(value: Any, change: Callable[[str], str]) -> Any:
    """The same JSON value with every string (not the keys) changed."""
    if isinstance(value, str):
        return change(value)
    if isinstance(value, Mapping):
        return {key: rewrite(item, change) for key, item in value.items()}  # pyright: ignore[reportUnknownVariableType]
    if isinstance(value, list | tuple):
        return [rewrite(item, change) for item in value]  # pyright: ignore[reportUnknownVariableType]
    return value


def static_bootstrap(
    bootstrap: Mapping[str, Any],
    clusters: Sequence[Resource],
    listeners: Sequence[Resource],
    routes: Sequence[Resource],
) -> dict[str, Any]:
    """The same configuration in one static file, for ``envoy --mode validate``.

    Taken from files, a route to a cluster that does not exist is accepted and then answers 503; taken statically, it is
    refused.
    """
    given = dict(bootstrap)
    given.pop("dynamic_resources", None)
    static: dict[str, Any] = dict(given.get("static_resources", {}))
    by_name = {item["name"]: item for item in routes}
    all_clusters = [*static.get("clusters", ()), *clusters]
    all_listeners = [*static.get("listeners", ()), *listeners]
    static["clusters"] = [_without_eds(item) for item in all_clusters]
    static["listeners"] = [_without_rds(item, by_name) for item in all_listeners]
    given["static_resources"] = static
    return given


def _address(text: str) -> dict[str, Any]:
    host, colon, port = text.rpartition(":")
    if not colon or not port.isdigit():
        return {"pipe": {"path": text}}
    return {"socket_address": {"address": host.strip("[]"), "port_value": int(port)}}


def _find(value: Any, key: str) -> Iterator[Mapping[str, Any]]:
    if isinstance(value, Mapping):
        for name, item in value.items():  # pyright: ignore[reportUnknownVariableType]
            if name == key and isinstance(item, Mapping):
                yield item
            else:
                yield from _find(item, key)
    elif isinstance(value, list | tuple):
        for item in value:  # pyright: ignore[reportUnknownVariableType]
            yield from _find(item, key)


def _without_eds(cluster: Resource) -> dict[str, Any]:
    if cluster.get("type") != "EDS":
        return dict(cluster)
    kept = {key: item for key, item in cluster.items() if key != "eds_cluster_config"}
    return {**kept, "type": "STATIC", "load_assignment": {"cluster_name": cluster["name"]}}


def _without_rds(value: Any, routes: Mapping[Any, Resource]) -> Any:
    if isinstance(value, Mapping):
        given: dict[str, Any] = {**value}
        rds: Any = given.get("rds")
        if isinstance(rds, Mapping) and "route_config_name" in rds:
            del given["rds"]
            name = str(rds["route_config_name"])  # pyright: ignore[reportUnknownArgumentType]
            given["route_config"] = dict(routes.get(name, {"name": name}))
        return {key: _without_rds(item, routes) for key, item in given.items()}
    if isinstance(value, list | tuple):
        return [_without_rds(item, routes) for item in value]  # pyright: ignore[reportUnknownVariableType]
    return value
