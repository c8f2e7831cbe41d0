"""How an edge comes up, and how one configuration becomes another while requests flow."""

import asyncio

from edgewright.local import plan as plans
from edgewright.local.artifact import BackendProcess, Node
from edgewright.local.fleet import BACKEND_SECONDS, FOREIGN_SECONDS, Fleet
from edgewright.local.node import RETIRE_SECONDS, EnvoyNode, RejectedError
from edgewright.local.plan import Plan
from edgewright.local.process import Scrubber
from edgewright.local.state import LocalError


async def bring_up(fleet: Fleet, plan: Plan, scrub: Scrubber) -> None:
    """Start everything at once, and wait until the edge serves.

    Raises LocalError when Envoy refuses the configuration or a part of the edge does not start; backends that are not
    healthy are no error.
    """
    artifact = plan.artifact
    fleet.fixed = {name: tuple(addresses) for name, addresses in artifact.endpoints.items()}
    if artifact.identity:
        fleet.start_identity(artifact)
    if artifact.limits:
        fleet.start_limits()
    # Written before any Envoy reads them: what is missing at the first look costs a second.
    nodes = [fleet.add_node(config) for config in plan.nodes.values()]
    fleet.publish_all(plan.nodes.values())
    for process in artifact.processes:
        fleet.add_instance(process)
    for node in nodes:
        if node.role != "gateway":
            node.keeper.start()
    if fleet.identity:
        # A gateway that cannot fetch its keys when it starts refuses every token until it tries again.
        await fleet.wait_service(fleet.identity)
    for node in fleet.gateways:
        node.keeper.start()
    validation = asyncio.ensure_future(plans.validate(fleet.state, plan.nodes.values(), scrub))
    try:
        for node in nodes:
            await fleet.wait_service(node.keeper)
        if fleet.limits:
            await fleet.wait_service(fleet.limits)
    finally:
        await validation
    for node in nodes:
        reason = await node.refusal()
        if reason:
            raise LocalError(f"Envoy refuses the configuration of {node.name}: {reason}")
    await fleet.wait_healthy()


async def apply(fleet: Fleet, old: Plan, new: Plan, scrub: Scrubber) -> tuple[str, ...]:
    """Make the running edge that of ``new``; what a person should know of it.

    Raises LocalError when a part of it is refused; then everything is as it was. What is no longer wanted is left to
    :func:`retire`.
    """
    held = {(item.address, item.port) for item in old.artifact.listeners}
    plans.check_ports(new.artifact, held | {("127.0.0.1", fleet.identity_port)})
    await plans.validate(fleet.state, [node for node in new.nodes.values() if _changes(fleet, node)], scrub)
    there = [item.process for item in fleet.instances if not item.draining]
    added = [process for process in new.artifact.processes if process not in there]
    before = {name: {item.address for item in fleet.endpoints(name)} for name in fleet.backends}
    fixed = fleet.fixed
    try:
        await _start_added(fleet, new, added)
        fleet.fixed = _both(fixed, new)
        fleet.publish_all((*old.nodes.values(), *new.nodes.values()))
        notes = await _change_nodes(fleet, new)
    except (RejectedError, LocalError) as error:
        fleet.fixed = fixed
        await _undo(fleet, old, added)
        raise LocalError(scrub(f"the change is refused and the edge goes on as it was: {error}")) from None
    await _wait_for_fresh(fleet, before, added)
    fleet.fixed = {name: tuple(addresses) for name, addresses in new.artifact.endpoints.items()}
    fleet.publish_all(new.nodes.values())
    return notes


async def prune(fleet: Fleet) -> bool:
    """Take clusters away that nothing has used for a while; whether some are still to go."""
    left = await asyncio.gather(*(node.prune() for node in fleet.nodes.values() if node.up))
    return any(left)


def _changes(fleet: Fleet, config: Node) -> bool:
    node = fleet.nodes.get(config.name)
    return node is None or node.differs(config) or node.needs_new_process(config)


def _both(fixed: dict[str, tuple[str, ...]], new: Plan) -> dict[str, tuple[str, ...]]:
    merged = {name: (*fixed.get(name, ()), *found) for name, found in new.artifact.endpoints.items()}
    return {**fixed, **{name: tuple(dict.fromkeys(found)) for name, found in merged.items()}}


async def _start_added(fleet: Fleet, new: Plan, added: list[BackendProcess]) -> None:
    artifact = new.artifact
    if artifact.limits and not fleet.limits:
        fleet.start_limits()
    if artifact.identity and not fleet.issues(artifact):
        # It reads its issuers when it starts. Gateways keep the keys that they have fetched.
        if fleet.identity:
            await fleet.identity.stop(2.0)
        fleet.start_identity(artifact)
    instances = [fleet.add_instance(process) for process in added]
    for service in (fleet.limits, fleet.identity):
        if service:
            await fleet.wait_service(service)
    await asyncio.gather(*(fleet.wait_up(item.keeper, BACKEND_SECONDS) for item in instances))


async def _change_nodes(fleet: Fleet, new: Plan) -> tuple[str, ...]:
    """Gateways before balancers: a balancer must not send what no gateway knows yet."""
    for config in new.nodes.values():
        if config.name not in fleet.nodes:
            node = fleet.add_node(config)
            node.keeper.start()
            await fleet.wait_service(node.keeper)
    there = [(node, new.nodes[node.name]) for node in fleet.nodes.values() if node.name in new.nodes]
    replaced = [(node, config) for node, config in there if node.needs_new_process(config)]
    changed = [(node, config) for node, config in there if node.differs(config) and not node.needs_new_process(config)]
    await asyncio.gather(*(node.add_clusters(config) for node, config in changed))
    await _switch_gateways(fleet, [item for item in changed if item[0].role == "gateway"])
    for node, config in replaced:
        if node.role == "gateway":
            await _replace(fleet, node, config)
    for node, config in changed:
        if node.role != "gateway":
            await node.switch(config)
    notes: list[str] = []
    for node, config in replaced:
        if node.role != "gateway":
            await _replace(fleet, node, config)
            notes.append(f"{node.name} had to be replaced, and its ports were closed for a moment")
    for node in [item for item in fleet.nodes.values() if item.name not in new.nodes]:
        await fleet.retire(node)
    return tuple(notes)


async def _switch_gateways(fleet: Fleet, changed: list[tuple[EnvoyNode, Node]]) -> None:
    """Where only routes change, all gateways change together, within milliseconds; else one after the other."""
    routes = [(node, config) for node, config in changed if not node.listens_otherwise(config)]
    await asyncio.gather(*(node.switch(config) for node, config in routes))
    for node, config in changed:
        if node.listens_otherwise(config):
            async with fleet.out_of_rotation(node):
                await node.switch(config)


async def _replace(fleet: Fleet, node: EnvoyNode, config: Node) -> None:
    async with fleet.out_of_rotation(node):
        await node.drain(RETIRE_SECONDS if node.role == "gateway" else FOREIGN_SECONDS)
        await node.keeper.stop(2.0)
        node.write_all(config)
        node.keeper.starts = 0
        node.keeper.start()
        await fleet.wait_service(node.keeper)


async def _wait_for_fresh(fleet: Fleet, before: dict[str, set[str]], added: list[BackendProcess]) -> None:
    """New instances take requests before the old ones go; not for ever, they may be down."""
    fresh = {
        name: {item.address for item in fleet.endpoints(name)} - addresses
        for name, addresses in before.items()
        if addresses
    }
    fresh = {name: addresses for name, addresses in fresh.items() if addresses}
    await fleet.wait_taking(fresh, BACKEND_SECONDS if added else FOREIGN_SECONDS)


async def _undo(fleet: Fleet, old: Plan, added: list[BackendProcess]) -> None:
    """Put back what was there before a change that failed half way."""
    for node in [item for item in fleet.nodes.values() if item.name not in old.nodes]:
        await fleet.retire(node)
    for config in old.nodes.values():
        node = fleet.nodes.get(config.name)
        if node is None:
            node = fleet.add_node(config)
            node.keeper.start()
            await fleet.wait_service(node.keeper)
        elif node.needs_new_process(config) or not node.up:
            await _replace(fleet, node, config)
        else:
            await node.restore(config)
    for item in [instance for instance in fleet.instances if instance.process in added]:
        fleet.instances.remove(item)
        await item.keeper.stop(2.0)
    if fleet.identity and not fleet.issues(old.artifact):
        await fleet.identity.stop(2.0)
        fleet.identity = None
        if old.artifact.identity:
            fleet.start_identity(old.artifact)
    if fleet.limits and not old.artifact.limits:
        await fleet.limits.stop(2.0)
        fleet.limits = None
    fleet.publish_all(old.nodes.values())
