"""The processes of a running edge, and which of them take requests: endpoints follow the processes, by themselves."""

import asyncio
import contextlib
import dataclasses
import json
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from edgewright.local import launch, ports, xds
from edgewright.local.artifact import Artifact, BackendProcess, IdentityIssuer, Node
from edgewright.local.envoy import Host
from edgewright.local.node import RETIRE_SECONDS, EnvoyNode
from edgewright.local.process import Keeper, Launch, Log, Scrubber
from edgewright.local.state import LocalError, StateFolder
from edgewright.local.status import Health

START_SECONDS = 20.0
"""How long Envoy and our own services may take to serve; they take well under one second."""

BACKEND_SECONDS = 10.0
"""How long to wait for instances that the edge starts itself; later than that, they are a warning."""

FOREIGN_SECONDS = 2.0
"""How long to wait for instances that somebody else runs."""

GATEWAYS = "gateways"
IDENTITY = "idp"
BACKEND_PREFIX = "backend-"
_HOPELESS = 4
"""Starts in a row after which a child is not waited for any more; it is still started again."""


@dataclass(slots=True, eq=False)
class Instance:
    """A backend instance that the edge runs; draining: it gets no new requests and is about to go."""

    process: BackendProcess
    keeper: Keeper
    port: int = 0
    draining: bool = False


class Fleet:
    """Every process of one edge, and the endpoint files from which all its Envoys know each other and the backends.

    fixed: addresses of backends that somebody else runs, by cluster; work_dir: where the commands of backends run.
    """

    def __init__(self, state: StateFolder, run: str, scrub: Scrubber, work_dir: Path) -> None:
        self.state = state
        self.work_dir = work_dir
        self.nodes: dict[str, EnvoyNode] = {}
        self.instances: list[Instance] = []
        self.limits: Keeper | None = None
        self.identity: Keeper | None = None
        self.identity_port = 0
        self.fixed: dict[str, tuple[str, ...]] = {}
        self._issuers: tuple[IdentityIssuer, ...] = ()
        self._run = run
        self._scrub = scrub
        self._away: set[str] = set()
        self._endpoint_files = xds.Files(state.folder("xds", "eds"), state.folder("tmp"))

    @property
    def gateways(self) -> list[EnvoyNode]:
        """The API gateways, up or not."""
        return [node for node in self.nodes.values() if node.role == "gateway"]

    @property
    def balancers(self) -> list[EnvoyNode]:
        """What stands before the gateways."""
        return [node for node in self.nodes.values() if node.role != "gateway"]

    @property
    def keepers(self) -> list[Keeper]:
        """The keepers of all processes, from the client's side inwards."""
        services = [keeper for keeper in (self.limits, self.identity) if keeper]
        nodes = [node.keeper for node in (*self.balancers, *self.gateways)]
        return [*nodes, *services, *(item.keeper for item in self.instances)]

    # ---- starting

    def add_node(self, config: Node) -> EnvoyNode:
        """Make a node and write its files; its keeper is not started yet."""
        environment = launch.own_environment(self._run)
        node = EnvoyNode(config, self.state, environment, self._scrub, self._node_changed)
        node.write_all(config)
        self.nodes[node.name] = node
        return node

    def add_instance(self, process: BackendProcess) -> Instance:
        """Start an instance of a backend; it takes requests once its port is open."""

        def start() -> Launch:
            instance.port = ports.free_port({item.port for item in self.instances})
            return launch.backend(process.command, process.env, instance.port)

        async def ready(_: Keeper) -> None:
            await _wait_port(lambda: instance.port)

        async def changed(_: Keeper) -> None:
            self.publish(process.backend)

        keeper = Keeper(
            process.name,
            launch=start,
            ready=ready,
            changed=changed,
            cwd=self.work_dir,
            env=launch.user_environment(self._run),
            log=self._log(process.name),
        )
        instance = Instance(process, keeper)
        self.instances.append(instance)
        keeper.start()
        return instance

    def start_limits(self) -> None:
        """Start the service that counts throttles and quotas."""
        socket = "limits.sock"

        def start() -> Launch:
            (self.state / socket).unlink(missing_ok=True)
            return launch.module("limits", "--socket", socket, "--state", "limits.db")

        async def ready(_: Keeper) -> None:
            await _wait_socket(self.state.socket(socket))

        self.limits = self._service("limits", start, ready)

    def start_identity(self, artifact: Artifact) -> None:
        """Start the development OpenID provider."""
        issuers = [dataclasses.asdict(item) for item in artifact.identity]
        self.state.write("idp.json", json.dumps({"authorizers": issuers}))
        self._issuers = artifact.identity
        self.identity_port = artifact.identity_port or self.identity_port or ports.free_port()

        def start() -> Launch:
            where = ("--port", str(self.identity_port))
            return launch.module("idp", *where, "--state", "idp", "--config", "idp.json")

        async def ready(_: Keeper) -> None:
            await _wait_port(lambda: self.identity_port)

        self.identity = self._service(IDENTITY, start, ready)
        self.publish(IDENTITY)

    def issues(self, artifact: Artifact) -> bool:
        """Whether the development OpenID provider runs, for exactly what this artifact wants, where it wants it."""
        here = artifact.identity_port in (None, self.identity_port)
        return self.identity is not None and here and self._issuers == artifact.identity

    async def wait_service(self, keeper: Keeper) -> None:
        """Wait until it serves; raises LocalError with what it said when it does not."""
        if not await self.wait_up(keeper, START_SECONDS):
            raise LocalError(self.complaint(keeper))

    async def wait_up(self, keeper: Keeper, timeout: float) -> bool:
        """Wait until it serves, giving up early on one that dies again and again; whether it does."""
        deadline = now() + timeout
        while now() < deadline and keeper.starts < _HOPELESS:
            if await keeper.wait_up(0.05):
                return True
        return keeper.up

    def complaint(self, keeper: Keeper) -> str:
        """What a person should know of a process that is not up."""
        if keeper.starts <= 1:
            return f"{keeper.name} is starting"
        said = [line for line in keeper.log.tail if not line.startswith("edgewright: ")]
        # Envoy says why it gives up before it prints where.
        critical = [line.partition(" critical ")[2] for line in said if " critical " in line]
        reason = critical[0] if critical else said[-1] if said else ""
        return f"{keeper.name} does not stay up{': ' if reason else ''}{reason[:500]} (see {keeper.log.path})"

    # ---- endpoints

    @property
    def backends(self) -> set[str]:
        """The clusters of backends that have addresses or instances."""
        return set(self.fixed) | {item.process.backend for item in self.instances}

    def endpoints(self, cluster: str) -> list[xds.Endpoint]:
        """Where the instances of a cluster answer now."""
        if cluster == GATEWAYS:
            return [xds.Endpoint(f"{node.name}.sock") for node in self.gateways if self._in_rotation(node)]
        if cluster == IDENTITY and self.identity:
            return [xds.Endpoint(f"127.0.0.1:{self.identity_port}")]
        fixed = [xds.Endpoint(address) for address in self.fixed.get(cluster, ())]
        running = [
            xds.Endpoint(f"127.0.0.1:{item.port}", draining=item.draining)
            for item in self.instances
            if item.process.backend == cluster and item.keeper.up
        ]
        return fixed + running

    def publish(self, cluster: str) -> str | None:
        """Write where a cluster's instances answer now; the version, None when nothing has changed."""
        return self._endpoint_files.put(cluster, "eds", [xds.assignment(cluster, self.endpoints(cluster))])

    def publish_all(self, nodes: Iterable[Node]) -> None:
        """Write the endpoints of every cluster that these nodes have."""
        names = {GATEWAYS, IDENTITY} | self.backends
        for node in nodes:
            static = node.bootstrap.get("static_resources", {}).get("clusters", ())
            names |= xds.eds_clusters((*node.clusters, *static))
        for name in sorted(names):
            self.publish(name)

    @contextlib.asynccontextmanager
    async def out_of_rotation(self, node: EnvoyNode) -> AsyncGenerator[None]:
        """While the block runs, the balancers send their requests to the other gateways.

        After a change of listeners an old connection serves one more request by the old filters. Leaving the rotation
        closes the balancers' idle connections, so that no request meets old filters and new routes. Without another
        gateway, the change is made in place.
        """
        others = [item for item in self.gateways if item is not node and self._in_rotation(item)]
        if not others or not node.up or not self.balancers:
            yield
            return
        self._away.add(node.name)
        try:
            await self._publish_gateways()
            # What the balancers' threads had already sent is still on its way; long requests end on the old listeners.
            await node.until_idle(0.15)
            yield
        finally:
            self._away.discard(node.name)
            await self._publish_gateways()
            await self._wait_seen(node)

    async def retire(self, node: EnvoyNode) -> None:
        """Let a gateway that is no longer wanted finish its requests, and end it."""
        self._away.add(node.name)
        await self._publish_gateways()
        await node.drain(RETIRE_SECONDS)
        await node.keeper.stop(2.0)
        del self.nodes[node.name]
        self._away.discard(node.name)

    async def retire_instance(self, item: Instance) -> None:
        """Let an instance that is draining finish its requests, and end it."""
        address = f"127.0.0.1:{item.port}"
        self.publish(item.process.backend)
        # The threads of every Envoy take a moment to see it.
        await asyncio.sleep(0.1)
        deadline = now() + RETIRE_SECONDS
        while now() < deadline:
            views = await self._views()
            hosts = [host for view in views for host in view.get(item.process.backend, ())]
            if not any(host.active for host in hosts if host.address == address):
                break
            await asyncio.sleep(0.05)
        self.instances.remove(item)
        self.publish(item.process.backend)
        await asyncio.sleep(0.1)
        await item.keeper.stop(5.0)

    # ---- health

    async def wait_healthy(self) -> None:
        """Wait until each backend that can be healthy is; only for a while, a service of the user's may be down."""
        began = now()
        while True:
            starting = [item for item in self.instances if not item.keeper.up and item.keeper.starts < _HOPELESS]
            missing = await self._unsettled()
            ours = {item.process.backend for item in self.instances} | {GATEWAYS}
            patience = BACKEND_SECONDS if starting or missing & ours else FOREIGN_SECONDS
            if not (starting or missing) or now() - began > patience:
                return
            await asyncio.sleep(0.01)

    async def wait_taking(self, fresh: Mapping[str, set[str]], timeout: float) -> None:
        """Wait until at least one of the fresh addresses of each cluster takes requests everywhere."""
        deadline = now() + timeout
        while fresh and now() < deadline:
            views = await self._views()
            if all(
                any(host.address in addresses and host.healthy for host in view[name])
                for view in views
                for name, addresses in fresh.items()
                if name in view
            ):
                return
            await asyncio.sleep(0.005)

    async def healths(self) -> dict[str, Health]:
        """Health of each backend by its name in the spec, as the gateway sees it that sees the fewest healthy."""
        seen: dict[str, int] = {}
        found_by_name: dict[str, int] = {}
        for node in self.nodes.values():
            configured = {item["name"] for item in node.config.clusters}
            for cluster, found in (await node.view()).items():
                healthy = sum(host.healthy for host in found)
                seen[cluster] = min(seen.get(cluster, healthy), healthy)
                if cluster.startswith(BACKEND_PREFIX) and cluster in configured:
                    found_by_name[cluster] = len(found)
        result: dict[str, Health] = {}
        for cluster in sorted(self.backends | set(found_by_name)):
            running = [item for item in self.instances if item.process.backend == cluster and not item.draining]
            known = len(self.fixed.get(cluster, ())) + len(running)
            total = known if cluster in self.backends else found_by_name[cluster]
            result[cluster.removeprefix(BACKEND_PREFIX)] = Health(min(seen.get(cluster, 0), total), total)
        return result

    def warnings(self, healths: Mapping[str, Health]) -> list[str]:
        """What a person should know: processes that are down, backends of which no instance is healthy."""
        found = [self.complaint(keeper) for keeper in self.keepers if not keeper.up]
        for name, health in healths.items():
            if health.total and not health.healthy:
                cluster = name if name in self.backends else BACKEND_PREFIX + name
                addresses = ", ".join(item.address for item in self.endpoints(cluster))
                where = f" ({addresses})" if addresses else ""
                many = "its instance is not" if health.total == 1 else f"none of its {health.total} instances is"
                found.append(f"backend {name}: {many} healthy{where}")
        return found

    async def _unsettled(self) -> set[str]:
        """Clusters worth waiting for: a first check is under way, or the instances are ours."""
        ours = {item.process.backend for item in self.instances if item.keeper.up}
        missing: set[str] = set()
        for node in self.nodes.values():
            for cluster, found in (await node.view()).items():
                expected = len(self.endpoints(cluster))
                healthy = sum(host.healthy for host in found)
                if cluster == GATEWAYS:
                    short = node.role != "gateway" and healthy < len(self.gateways)
                else:
                    pending = len(found) < expected or any(host.pending for host in found)
                    short = healthy < min(expected, 1) and (pending or cluster in ours)
                if short:
                    missing.add(cluster)
        return missing

    async def _views(self) -> list[Mapping[str, list[Host]]]:
        return [await node.view() for node in self.nodes.values()]

    # ---- inside

    def _in_rotation(self, node: EnvoyNode) -> bool:
        return node.up and node.name not in self._away

    async def _node_changed(self, _: Keeper) -> None:
        self.publish(GATEWAYS)

    async def _publish_gateways(self) -> None:
        version = self.publish(GATEWAYS)
        if version:
            await asyncio.gather(*(node.wait_endpoints(GATEWAYS, version, 1.0) for node in self.balancers))

    async def _wait_seen(self, node: EnvoyNode) -> None:
        """Wait until the balancers send requests to the gateway again."""
        path = f"{node.name}.sock"
        deadline = now() + 1.0
        while self._in_rotation(node) and now() < deadline:
            views = [await item.view() for item in self.balancers if item.up]
            if all(any(host.address == path and host.healthy for host in view.get(GATEWAYS, ())) for view in views):
                return
            await asyncio.sleep(0.003)

    def _service(self, name: str, start: Callable[[], Launch], ready: Callable[[Keeper], Awaitable[None]]) -> Keeper:
        keeper = Keeper(
            name,
            launch=start,
            ready=ready,
            changed=_nothing,
            cwd=self.state.path,
            env=launch.own_environment(self._run),
            log=self._log(name),
        )
        keeper.start()
        return keeper

    def _log(self, name: str) -> Log:
        return Log(self.state / f"log/{name}.log", self._scrub)


def now() -> float:
    """The clock of the running loop, in seconds."""
    return asyncio.get_running_loop().time()


async def _wait_port(port: Callable[[], int]) -> None:
    while True:
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port())
        except OSError:
            await asyncio.sleep(0.01)
            continue
        writer.close()
        return


async def _wait_socket(path: str) -> None:
    while True:
        try:
            _, writer = await asyncio.open_unix_connection(path)
        except OSError:
            await asyncio.sleep(0.01)
            continue
        writer.close()
        return


async def _nothing(_: Keeper) -> None:
    return None
