"""One running Envoy of the edge: the files it reads, and how a change reaches it without a lost request."""

import asyncio
import contextlib
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from edgewright.local import envoy, xds
from edgewright.local.artifact import Node
from edgewright.local.process import Keeper, Launch, Log, Scrubber
from edgewright.local.state import StateFolder

ACCEPT_SECONDS = 20.0
"""How long an Envoy may take to accept a file before the change counts as failed; usually milliseconds."""

LINGER_SECONDS = 2.0
"""How long a cluster outlives its last route: a request may have chosen it and still wait for a filter's answer."""

RETIRE_SECONDS = 60.0
"""How long what is to go may still work on its requests: an instance, a gateway, a cluster."""

_PATTERNS: Mapping[xds.Kind, str] = {
    "cds": r"^cluster_manager\.(cds\.(version_text|update_rejected|update_failure)|warming_clusters)$",
    "lds": r"^listener_manager\.(lds\.(version_text|update_rejected|update_failure)|total_listeners_warming)$",
    "rds": r"\.rds\..*\.(version_text|update_rejected|update_failure)$",
    "eds": r"",
}
_WARMING = ("cluster_manager.warming_clusters", "listener_manager.total_listeners_warming")


class RejectedError(Exception):
    """An Envoy refused a file; the text says which, and why."""


class EnvoyNode:
    """A balancer or a gateway.

    config: what it is to serve, with secrets filled in. All of its configuration but the bootstrap lies in xDS files,
    so that it can be changed while it serves.
    """

    def __init__(
        self,
        config: Node,
        state: StateFolder,
        env: Mapping[str, str],
        scrub: Scrubber,
        changed: Callable[[Keeper], Awaitable[None]],
    ) -> None:
        self.name = config.name
        self.role = config.role
        self.config = config
        self.admin = envoy.Admin(state, f"admin/{config.name}.sock")
        self.keeper = Keeper(
            config.name,
            launch=self._launch,
            ready=self._wait_ready,
            changed=changed,
            cwd=state.path,
            env=env,
            log=Log(state / f"log/{config.name}.log", scrub),
        )
        self._state = state
        self._scrub = scrub
        self._lingering: dict[str, tuple[xds.Resource, float]] = {}
        self._files = xds.Files(state.folder("xds", config.name), state.folder("tmp"))

    @property
    def up(self) -> bool:
        """Whether it serves now."""
        return self.keeper.up

    async def view(self) -> dict[str, list[envoy.Host]]:
        """Every cluster with its instances as it sees them; empty while it is not up."""
        try:
            return await self.admin.hosts() if self.up else {}
        except OSError:
            return {}

    async def active(self) -> int:
        """How many requests it works on; none while it is not up."""
        try:
            return await self.admin.active_requests()
        except OSError:
            return 0

    async def until_idle(self, timeout: float) -> None:
        """Wait until it works on no request, at most ``timeout`` seconds."""
        clock = asyncio.get_running_loop().time
        deadline = clock() + timeout
        while clock() < deadline and await self.active():
            await asyncio.sleep(0.005)

    async def drain(self, timeout: float) -> None:
        """Close its ports and wait for its requests, at most ``timeout`` seconds."""
        if self.up:
            with contextlib.suppress(OSError):
                await self.admin.post("/drain_listeners")
            await self.until_idle(timeout)

    def write_all(self, config: Node) -> None:
        """Write everything at once, for a process that is about to start."""
        self.config = config
        self._lingering.clear()
        self._state.write(f"bootstrap/{self.name}.json", json.dumps(config.bootstrap))
        self._files.put("cds", "cds", config.clusters)
        self._put("rds", config.routes)
        self._files.put("lds", "lds", config.listeners)

    async def add_clusters(self, config: Node) -> None:
        """First part of a change: the clusters of the old and the new configuration side by side."""
        now = asyncio.get_running_loop().time()
        names = {item["name"] for item in config.clusters}
        for item in self.config.clusters:
            if item["name"] not in names:
                self._lingering[item["name"]] = (item, now + LINGER_SECONDS)
        for name in names:
            self._lingering.pop(name, None)
        await self._push("cds", self._clusters(config))

    async def switch(self, config: Node) -> None:
        """Second part: the listeners and routes, in an order in which each finds what it refers to.

        A new listener waits for routes that are not there yet, so these come first; a route that exists keeps its
        content until the listeners have their filters.
        """
        if self.listens_otherwise(config):
            await self._push("rds", xds.merged(self.config.routes, config.routes))
            await self._push("lds", config.listeners)
        await self._push("rds", config.routes, xds.route_names(config.listeners))
        self.config = config

    async def prune(self) -> bool:
        """Last part: let go of clusters that nothing uses any more; whether some are still to go."""
        now = asyncio.get_running_loop().time()
        busy = {name for name, hosts in (await self.view()).items() if any(host.active for host in hosts)}
        self._lingering = {
            name: (resource, until)
            for name, (resource, until) in self._lingering.items()
            if until > now or (name in busy and until + RETIRE_SECONDS > now)
        }
        await self._push("cds", self._clusters(self.config))
        return bool(self._lingering)

    async def restore(self, config: Node) -> None:
        """Write an earlier configuration again, whatever became of the change in between."""
        self._lingering.clear()
        parts: tuple[tuple[xds.Kind, Sequence[xds.Resource]], ...] = (
            ("cds", config.clusters),
            ("lds", config.listeners),
            ("rds", config.routes),
        )
        for kind, resources in parts:
            try:
                await self._push(kind, resources)
            except RejectedError as error:
                self.keeper.log.write([f"edgewright: the earlier configuration is refused too: {error}"])
        self.config = config

    def differs(self, config: Node) -> bool:
        """Whether anything in its files would change."""
        return replace(self.config, bootstrap={}) != replace(config, bootstrap={})

    def listens_otherwise(self, config: Node) -> bool:
        """Whether its listeners (ports, filters) would change, and not only clusters and routes."""
        return list(self.config.listeners) != list(config.listeners)

    def needs_new_process(self, config: Node) -> bool:
        """Whether its bootstrap would change, which Envoy reads only when it starts."""
        return dict(self.config.bootstrap) != dict(config.bootstrap)

    async def refusal(self) -> str:
        """Why it refused a file since it started; empty when it took them all."""
        stats = await self.admin.stats(r"\.(update_rejected|update_failure)$")
        refused = sorted(name for name, value in stats.items() if value != "0")
        return await self._why() if refused else ""

    async def wait_endpoints(self, cluster: str, version: str, timeout: float) -> bool:
        """Wait until it has this version of a cluster's endpoints; False when it does not come (or is not up)."""
        name = f"cluster.{_stat(cluster)}.version_text"
        pattern = "^" + name.replace(".", r"\.") + "$"
        deadline = asyncio.get_running_loop().time() + timeout
        while self.up and asyncio.get_running_loop().time() < deadline:
            try:
                if (await self.admin.stats(pattern)).get(name) == version:
                    return True
            except OSError:
                pass
            await asyncio.sleep(0.002)
        return False

    def _clusters(self, config: Node) -> list[xds.Resource]:
        return xds.merged(config.clusters, [item for item, _ in self._lingering.values()])

    async def _push(self, kind: xds.Kind, resources: Sequence[xds.Resource], names: set[str] | None = None) -> None:
        before = await self._rejected(kind)
        versions = self._put(kind, resources)
        if kind == "rds":
            # Route configurations that no listener asks for yet are never loaded: there is nothing to wait for.
            asked = xds.route_names(self.config.listeners) if names is None else names
            versions = {name: version for name, version in versions.items() if name in asked}
        if not versions:
            return
        deadline = asyncio.get_running_loop().time() + ACCEPT_SECONDS
        pause = 0.001
        while True:
            stats = await self._stats(kind)
            if stats is not None:
                # A new process counts from zero, and reads the file that stands there now.
                before = min(before, _rejections(stats))
                if _rejections(stats) > before:
                    raise RejectedError(f"{self.name}: {await self._why()}")
                if _accepted(kind, stats, versions):
                    return
            if asyncio.get_running_loop().time() > deadline:
                if stats is not None and _accepted(kind, stats, versions, warm=False):
                    return
                raise RejectedError(f"{self.name} did not take a change of its {kind} within {ACCEPT_SECONDS:g} s")
            await asyncio.sleep(pause)
            pause = min(pause * 1.5, 0.02)

    def _put(self, kind: xds.Kind, resources: Sequence[xds.Resource]) -> dict[str, str]:
        """Write what has changed; the new versions, of route configurations by name (Envoy wants a file for each)."""
        if kind != "rds":
            version = self._files.put(kind, kind, resources)
            return {kind: version} if version else {}
        found: dict[str, str] = {}
        for item in resources:
            version = self._files.put(f"rds-{item['name']}", kind, [item])
            if version:
                found[str(item["name"])] = version
        return found

    async def _rejected(self, kind: xds.Kind) -> int:
        stats = await self._stats(kind)
        return 1 << 60 if stats is None else _rejections(stats)

    async def _stats(self, kind: xds.Kind) -> dict[str, str] | None:
        if not self.up:
            return None
        try:
            return await self.admin.stats(_PATTERNS[kind])
        except OSError:
            return None

    async def _why(self) -> str:
        # The reason is in Envoy's log only, and comes through a pipe: a moment may pass until it is here.
        for _ in range(50):
            for line in reversed(self.keeper.log.tail):
                for sign in ("update rejected: ", "failed to load: ", "update failed: "):
                    if sign in line:
                        return self._scrub(line.partition(sign)[2])[:2000]
            await asyncio.sleep(0.01)
        return f"no reason was given; see {Path('log') / f'{self.name}.log'} in the state folder"

    def _launch(self) -> Launch:
        # Envoy would not take the place of a socket that an Envoy which was killed has left behind.
        for path in (f"admin/{self.name}.sock", *xds.pipes(self.config.listeners)):
            (self._state / path).unlink(missing_ok=True)
        self._state.folder("admin")
        concurrency = envoy.default_concurrency(self.role)
        return Launch(envoy.command(f"bootstrap/{self.name}.json", concurrency=concurrency))

    async def _wait_ready(self, _: Keeper) -> None:
        while not await self.admin.ready():
            await asyncio.sleep(0.005)


def _rejections(stats: Mapping[str, str]) -> int:
    return sum(int(value) for name, value in stats.items() if name.endswith((".update_rejected", ".update_failure")))


def _accepted(kind: xds.Kind, stats: Mapping[str, str], versions: Mapping[str, str], *, warm: bool = True) -> bool:
    if warm and any(stats.get(name, "0") != "0" for name in _WARMING):
        return False
    if kind == "rds":
        return all(
            any(value == version for key, value in stats.items() if key.endswith(f".rds.{_stat(name)}.version_text"))
            for name, version in versions.items()
        )
    return any(value == versions[kind] for name, value in stats.items() if name.endswith(".version_text"))


def _stat(name: str) -> str:
    # Envoy writes ":" in names of statistics as "_".
    return name.replace(":", "_")
