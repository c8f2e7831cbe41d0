"""The files from which Envoy takes its configuration."""

import json
import stat
from pathlib import Path
from typing import Any

import pytest

from edgewright.local import xds
from edgewright.local.artifact import Node
from edgewright.local.plan import render
from edgewright.local.xds import Endpoint, Files


@pytest.fixture
def files(tmp_path: Path) -> Files:
    (tmp_path / "xds").mkdir()
    (tmp_path / "scratch").mkdir()
    return Files(tmp_path / "xds", tmp_path / "scratch")


def _read(files: Files, name: str) -> Any:
    return json.loads((files.folder / f"{name}.json").read_text())


def test_a_file_is_a_discovery_response_with_typed_resources(files: Files) -> None:
    version = files.put("cds", "cds", [{"name": "one"}])

    assert _read(files, "cds") == {
        "version_info": version,
        "resources": [{"@type": "type.googleapis.com/envoy.config.cluster.v3.Cluster", "name": "one"}],
    }


def test_an_unchanged_resource_is_not_written_again(files: Files) -> None:
    version = files.put("cds", "cds", [{"name": "one"}])
    before = (files.folder / "cds.json").stat().st_mtime_ns

    assert files.put("cds", "cds", [{"name": "one"}]) is None
    assert files.version("cds") == version
    assert (files.folder / "cds.json").stat().st_mtime_ns == before


def test_going_back_to_earlier_content_is_a_new_version(files: Files) -> None:
    first = files.put("cds", "cds", [{"name": "one"}])
    files.put("cds", "cds", [])
    third = files.put("cds", "cds", [{"name": "one"}])
    assert third is not None
    assert third != first


def test_a_file_is_replaced_at_once_and_closed_to_others(files: Files) -> None:
    files.put("lds", "lds", [])
    before = (files.folder / "lds.json").stat().st_ino
    files.put("lds", "lds", [{"name": "web"}])
    found = (files.folder / "lds.json").stat()
    assert found.st_ino != before, "it was written in place"
    assert stat.S_IMODE(found.st_mode) == 0o600
    assert [path.name for path in files.folder.iterdir()] == ["lds.json"]


def test_an_assignment_knows_addresses_sockets_and_who_is_draining() -> None:
    found = xds.assignment(
        "app", [Endpoint("127.0.0.1:9001", draining=True), Endpoint("[::1]:9002"), Endpoint("a.sock")]
    )
    hosts = found["endpoints"][0]["lb_endpoints"]
    assert hosts == [
        {
            "endpoint": {"address": {"socket_address": {"address": "127.0.0.1", "port_value": 9001}}},
            "health_status": "DRAINING",
        },
        {"endpoint": {"address": {"socket_address": {"address": "::1", "port_value": 9002}}}},
        {"endpoint": {"address": {"pipe": {"path": "a.sock"}}}},
    ]


def test_an_assignment_without_instances_is_empty() -> None:
    assert xds.assignment("app", []) == {"cluster_name": "app", "endpoints": []}


def test_merging_keeps_the_first_of_two_with_one_name() -> None:
    first: list[xds.Resource] = [{"name": "a", "from": 1}]
    second: list[xds.Resource] = [{"name": "a", "from": 2}, {"name": "b", "from": 2}]
    assert xds.merged(first, second) == [{"name": "a", "from": 1}, {"name": "b", "from": 2}]


def test_a_static_bootstrap_has_the_routes_inside_and_no_endpoints_from_files() -> None:
    routes = {"name": "all", "virtual_hosts": []}
    listener = {"name": "web", "filter_chains": [{"filters": [{"rds": {"route_config_name": "all"}}]}]}
    cluster = {"name": "app", "type": "EDS", "eds_cluster_config": {}, "connect_timeout": "1s"}
    bootstrap = {"dynamic_resources": {}, "static_resources": {"clusters": [{"name": "own", "type": "STATIC"}]}}

    found = xds.static_bootstrap(bootstrap, [cluster], [listener], [routes])

    assert found == {
        "static_resources": {
            "clusters": [
                {"name": "own", "type": "STATIC"},
                {
                    "name": "app",
                    "type": "STATIC",
                    "connect_timeout": "1s",
                    "load_assignment": {"cluster_name": "app"},
                },
            ],
            "listeners": [{"name": "web", "filter_chains": [{"filters": [{"route_config": routes}]}]}],
        }
    }
    assert "dynamic_resources" in bootstrap, "what was given must not change"


def test_filling_in_reaches_every_string_and_no_key() -> None:
    node = Node("g", "gateway", {"a": ["KEY"]}, routes=({"name": "r", "KEY": {"deep": ["x KEY y"]}},))
    found = render(node, lambda text: text.replace("KEY", "secret"))
    assert found.bootstrap == {"a": ["secret"]}
    assert found.routes == ({"name": "r", "KEY": {"deep": ["x secret y"]}},)


def test_clusters_with_endpoints_from_files_follow_them_at_once() -> None:
    eds = {"name": "a", "type": "EDS", "common_lb_config": {"healthy_panic_threshold": {"value": 0}}}
    static = {"name": "b", "type": "STATIC"}
    found = render(Node("g", "gateway", {"static_resources": {"clusters": [eds]}}, clusters=(eds, static)), str)
    following = {
        "name": "a",
        "type": "EDS",
        "ignore_health_on_host_removal": True,
        "common_lb_config": {"update_merge_window": "0s", "healthy_panic_threshold": {"value": 0}},
    }
    assert found.clusters == (following, static)
    assert found.bootstrap["static_resources"]["clusters"] == [following]


def test_the_names_of_routes_and_sockets_of_listeners_are_found_wherever_they_stand() -> None:
    listeners: list[xds.Resource] = [
        {"address": {"pipe": {"path": "a.sock"}}, "x": [{"y": {"rds": {"route_config_name": "outer"}}}]},
        {"address": {"socket_address": {}}, "z": {"rds": {"route_config_name": "inner"}}},
        {"internal_listener": {}},
    ]
    assert xds.route_names(listeners) == {"outer", "inner"}
    assert xds.pipes(listeners) == {"a.sock"}
