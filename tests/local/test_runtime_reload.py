"""Changing a running edge: no request is lost, nothing is half done, and a refused change changes nothing."""

import json
import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from edgewright.local import runtime
from edgewright.local.artifact import Artifact
from edgewright.local.runtime import LocalError
from local import handmade
from local.client import get, until
from local.handmade import GATEWAYS, edge, marking, saying, to
from local.load import Target, start
from local.ports import free_port


def test_a_new_route_answers_as_soon_as_the_update_returns(edge_state: Path) -> None:
    port = free_port()
    runtime.start(edge(port, [to("backend-app")]), edge_state)

    status = runtime.update(edge(port, [saying("hello", "/hi"), to("backend-app")]), edge_state)

    assert get(port, "/hi").text == "hello"
    assert status.routes == ("ANY /hi", "ANY /")


def test_new_filters_decide_every_request_after_the_update(edge_state: Path) -> None:
    port = free_port()
    runtime.start(edge(port, [to("backend-app")], filters=[marking("old")]), edge_state)
    assert {get(port).headers["x-filters"] for _ in range(20)} == {"old"}

    runtime.update(edge(port, [to("backend-app")], filters=[marking("new")]), edge_state)

    # Kept connections between the balancer and the gateways must not carry one more request through the old filters.
    assert {get(port).headers["x-filters"] for _ in range(40)} == {"new"}


def test_an_update_to_the_same_edge_changes_no_file(edge_state: Path) -> None:
    port = free_port()
    artifact = edge(port, [to("backend-app")])
    runtime.start(artifact, edge_state)
    before = _versions(edge_state)

    runtime.update(artifact, edge_state)

    assert _versions(edge_state) == before


def test_a_change_of_routes_writes_only_routes(edge_state: Path) -> None:
    port = free_port()
    runtime.start(edge(port, [to("backend-app")]), edge_state)
    before = _versions(edge_state)

    runtime.update(edge(port, [saying("x", "/x"), to("backend-app")]), edge_state)

    after = _versions(edge_state)
    changed = {name for name in before | after if before.get(name) != after.get(name)}
    assert changed == {"gateway-1/rds-routes.json", "gateway-2/rds-routes.json"}


def _a_route_to_nowhere(port: int) -> Artifact:
    return edge(port, [to("backend-nowhere")])


def _a_bad_expression(port: int) -> Artifact:
    return edge(port, [{**saying("x"), "match": {"safe_regex": {"regex": "("}}}])


def _a_filter_without_a_type(port: int) -> Artifact:
    return edge(port, [to("backend-app")], filters=[{"name": "mark", "typed_config": {}}])


@pytest.mark.parametrize(
    ("broken", "says"),
    [
        (_a_route_to_nowhere, "unknown cluster 'backend-nowhere'"),
        (_a_bad_expression, "missing )"),
        (_a_filter_without_a_type, "mark"),
    ],
)
def test_a_refused_update_says_why_and_keeps_the_old_edge(
    edge_state: Path, broken: Callable[[int], Artifact], says: str
) -> None:
    port = free_port()
    good = edge(port, [saying("kept", "/kept"), to("backend-app")])
    runtime.start(good, edge_state)
    before = _versions(edge_state)

    with pytest.raises(LocalError, match="refuse") as error:
        runtime.update(broken(port), edge_state)

    assert says in str(error.value)
    assert get(port, "/kept").text == "kept"
    assert _versions(edge_state) == before
    status = runtime.status(edge_state)
    assert status is not None
    assert status.digest == good.digest


def test_what_only_a_running_envoy_refuses_is_undone_on_every_node(edge_state: Path) -> None:
    port, other = free_port(), free_port()
    good = edge(port, [saying("kept", "/kept"), to("backend-app")])
    runtime.start(good, edge_state)

    # A new address for an existing listener name is valid in one file; that it cannot be opened shows only when it is.
    with pytest.raises(LocalError, match="goes on as it was"):
        runtime.update(_on_address(edge(other, [saying("new", "/kept")]), "192.0.2.1"), edge_state)

    assert get(port, "/kept").text == "kept"
    assert {get(port, "/kept").text for _ in range(10)} == {"kept"}


def test_a_new_port_that_is_in_use_is_refused_before_anything_changes(edge_state: Path) -> None:
    port = free_port()
    runtime.start(edge(port, [saying("kept")]), edge_state)
    holder = handmade.holding_a_port()
    with holder as taken, pytest.raises(LocalError, match=f"port {taken} is in use by .*pid {os.getpid()}"):
        runtime.update(edge(taken, [saying("moved")]), edge_state)
    assert get(port).text == "kept"


def test_a_listener_moves_to_another_port(edge_state: Path) -> None:
    port, other = free_port(), free_port()
    runtime.start(edge(port, [saying("same")]), edge_state)

    status = runtime.update(edge(other, [saying("same")]), edge_state)

    assert get(other).text == "same"
    assert status.url == f"http://localhost:{other}"
    with pytest.raises(ConnectionRefusedError):
        get(port)


def test_new_instances_take_over_before_the_old_ones_go(edge_state: Path) -> None:
    port = free_port()
    runtime.start(edge(port, [to("backend-app")], backends={"app": 2}), edge_state)
    old = {get(port).json()["pid"] for _ in range(20)}

    attack = start([Target("GET", f"http://127.0.0.1:{port}/x")], rate=300, workers=16, generator="strict")
    try:
        time.sleep(0.5)
        runtime.update(edge(port, [to("backend-app")], backends={"app": 2}, generation="2"), edge_state)
        assert old.isdisjoint({get(port).json()["pid"] for _ in range(20)})
        time.sleep(0.5)
    finally:
        report = attack.stop()

    assert report.failed == 0, str(report)
    assert report.total > 200
    until(lambda: not any(_exists(pid) for pid in old))


def test_a_request_that_takes_long_survives_a_change_of_everything(edge_state: Path) -> None:
    port = free_port()
    runtime.start(edge(port, [to("backend-app")], backends={"app": 1}), edge_state)
    attack = start([Target("GET", f"http://127.0.0.1:{port}/slow?wait=4")], rate=4, seconds=1, generator="strict")
    time.sleep(1.2)

    runtime.update(
        edge(port, [saying("hi", "/hi"), to("backend-two")], backends={"two": 1}, filters=[marking("new")]),
        edge_state,
    )

    assert get(port).json()["name"] == "two"
    report = attack.wait()
    assert (report.total, report.failed) == (4, 0), str(report)


def test_no_request_is_lost_over_updates_of_every_kind(edge_state: Path) -> None:
    port = free_port()
    runtime.start(edge(port, _routes(0), backends={"app": 2}), edge_state)
    targets = [Target("GET", f"http://127.0.0.1:{port}{path}") for path in ("/app", "/fixed")]

    attack = start(targets, rate=600, workers=32, generator="strict")
    times: list[float] = []
    try:
        time.sleep(0.5)
        for number in range(1, 25):
            began = time.monotonic()
            runtime.update(_variant(port, number), edge_state)
            times.append(time.monotonic() - began)
        time.sleep(0.5)
    finally:
        report = attack.stop()

    print(f"{len(times)} updates, median {sorted(times)[len(times) // 2] * 1000:.0f} ms; {report}")
    assert report.failed == 0, str(report)
    assert report.total > 1000


def test_a_cluster_that_nothing_uses_any_more_is_taken_away(edge_state: Path) -> None:
    port = free_port()
    runtime.start(edge(port, [saying("x")], backends={"old": ["127.0.0.1:9"]}), edge_state)

    runtime.update(edge(port, [saying("y")], backends={"new": ["127.0.0.1:9"]}), edge_state)

    assert _clusters(edge_state) == {"backend-old", "backend-new"}
    until(lambda: _clusters(edge_state) == {"backend-new"})


def test_another_bootstrap_replaces_the_gateways_without_a_lost_request(edge_state: Path) -> None:
    port = free_port()
    artifact = edge(port, [to("backend-app")])
    before = runtime.start(artifact, edge_state).processes

    attack = start([Target("GET", f"http://127.0.0.1:{port}/x")], rate=300, workers=16, generator="strict")
    try:
        time.sleep(0.5)
        after = runtime.update(_with_bootstrap(artifact, "other"), edge_state).processes
        time.sleep(0.5)
    finally:
        report = attack.stop()

    assert report.failed == 0, str(report)
    assert all(before[name] != after[name] for name in GATEWAYS)
    assert before["balancer"] == after["balancer"]


def test_gateways_come_and_go_without_a_lost_request(edge_state: Path) -> None:
    port = free_port()
    names = ("gateway-1", "gateway-2", "gateway-3")
    runtime.start(edge(port, [to("backend-app")]), edge_state)

    attack = start([Target("GET", f"http://127.0.0.1:{port}/x")], rate=300, workers=16, generator="strict")
    try:
        time.sleep(0.3)
        more = runtime.update(edge(port, [to("backend-app")], gateways=names), edge_state)
        fewer = runtime.update(edge(port, [to("backend-app")], gateways=names[1:]), edge_state)
        time.sleep(0.3)
    finally:
        report = attack.stop()

    assert report.failed == 0, str(report)
    assert set(names) <= set(more.processes)
    assert "gateway-1" not in fewer.processes


def test_updating_what_does_not_run_says_how_to_start_it(edge_state: Path) -> None:
    with pytest.raises(LocalError, match=r"no edge runs in .*edgewright up"):
        runtime.update(edge(free_port(), [saying("x")]), edge_state)


def _routes(number: int) -> list[dict[str, object]]:
    return [saying("fixed", "/fixed"), saying(f"extra {number}", f"/extra-{number % 5}"), to("backend-app")]


def _variant(port: int, number: int) -> Artifact:
    """Routes change each time, filters every third, clusters every fourth."""
    backends: dict[str, int | list[str]] = {"app": 2}
    if number % 4 == 0:
        backends["more"] = [f"127.0.0.1:{9 + number}"]
    filters = [marking(str(number // 3))] if number >= 3 else []
    return edge(port, _routes(number), backends=backends, filters=filters)


def _on_address(artifact: Artifact, address: str) -> Artifact:
    data = artifact.to_json()
    balancer = next(node for node in data["nodes"] if node["role"] == "balancer")
    balancer["listeners"][0]["address"]["socket_address"]["address"] = address
    return Artifact.from_json(data)


def _with_bootstrap(artifact: Artifact, cluster: str) -> Artifact:
    data = artifact.to_json()
    for node in data["nodes"]:
        if node["role"] == "gateway":
            node["bootstrap"]["node"]["cluster"] = cluster
    return Artifact.from_json(data)


def _versions(state: Path) -> dict[str, str]:
    folder = state / "xds"
    return {
        str(path.relative_to(folder)): json.loads(path.read_text())["version_info"] for path in folder.glob("*/*.json")
    }


def _clusters(state: Path) -> set[str]:
    data = json.loads((state / "xds/gateway-1/cds.json").read_text())
    return {item["name"] for item in data["resources"]}


def _exists(pid: int) -> bool:
    return Path(f"/proc/{pid}").exists()
