"""The life of an Edge as the provider sees it, with a runtime that only remembers what it was asked."""

import dataclasses
import json
from collections.abc import Mapping
from pathlib import Path

import pytest

from edgewright.local.artifact import Artifact, BackendProcess, CredentialRef, Exposed, RouteSummary
from edgewright.local.provider import UNKNOWN, EdgeProvider, Kind, ProviderError, text_of
from edgewright.local.status import Status

FOLDER = Path("/state/shop")
ROOT = Path("/project")

SHOP = Artifact(
    name="shop",
    listeners=(Exposed("main", "https", "127.0.0.1", 8443, ("localhost",), "https://localhost:8443"),),
    nodes=(),
    endpoints={"orders": ("127.0.0.1:9001",)},
    processes=(BackendProcess("auth-1", "auth", ("python", "-m", "auth"), {"COLOR": "blue"}),),
    credentials=(CredentialRef("{{credential:keys:acme}}", "keys", "acme"),),
    routes=(RouteSummary("GET /products", "one"), RouteSummary("ANY /orders/*", "two")),
)


class FakeRuntime:
    """Runs at most one edge per folder, in memory, and writes down every call that has an effect."""

    def __init__(self) -> None:
        self.edges: dict[Path, Artifact] = {}
        self.calls: list[tuple[str, Path, dict[str, str]]] = []

    def start(self, artifact: Artifact, state_dir: Path, credentials: Mapping[str, str], *, work_dir: Path) -> Status:
        assert state_dir not in self.edges, "started twice"
        assert work_dir == ROOT
        return self._set("start", artifact, state_dir, credentials)

    def update(self, artifact: Artifact, state_dir: Path, credentials: Mapping[str, str], *, work_dir: Path) -> Status:
        assert state_dir in self.edges, "updated what does not run"
        assert work_dir == ROOT
        return self._set("update", artifact, state_dir, credentials)

    def status(self, state_dir: Path) -> Status | None:
        artifact = self.edges.get(state_dir)
        if artifact is None:
            return None
        return Status(
            name=artifact.name,
            alive=True,
            pid=4321,
            state_dir=state_dir,
            url=artifact.url,
            listeners={item.name: item.url for item in artifact.listeners},
            digest=artifact.digest,
            ca_certificate=state_dir / "ca.crt",
        )

    def running_artifact(self, state_dir: Path) -> Artifact | None:
        return self.edges.get(state_dir)

    def stop(self, state_dir: Path) -> None:
        self.calls.append(("stop", state_dir, {}))
        self.edges.pop(state_dir, None)

    def _set(self, name: str, artifact: Artifact, state_dir: Path, credentials: Mapping[str, str]) -> Status:
        self.calls.append((name, state_dir, dict(credentials)))
        self.edges[state_dir] = artifact
        found = self.status(state_dir)
        assert found
        return found


@pytest.fixture
def runtime() -> FakeRuntime:
    return FakeRuntime()


@pytest.fixture
def provider(runtime: FakeRuntime) -> EdgeProvider:
    return EdgeProvider(runtime)


def inputs(artifact: Artifact = SHOP, **more: object) -> dict[str, object]:
    """Inputs as a program gives them, completed by check."""
    given = {
        "artifact": text_of(artifact),
        "stateDir": str(FOLDER),
        "workDir": str(ROOT),
        "credentials": {"keys:acme": "s3cret"},
        **more,
    }
    checked = EdgeProvider(FakeRuntime()).check(given)
    assert not checked.failures
    return checked.inputs


def changed(**fields: object) -> Artifact:
    return dataclasses.replace(SHOP, **fields)  # pyright: ignore[reportArgumentType]


# --- check


def test_check_adds_maps_by_name_for_the_reader_of_a_preview(provider: EdgeProvider) -> None:
    found = provider.check({"artifact": text_of(SHOP), "stateDir": str(FOLDER), "workDir": str(ROOT)}).inputs
    assert found["routes"] == {"GET /products": "one", "ANY /orders/*": "two"}
    assert found["listeners"] == {"main": "https://localhost:8443 on 127.0.0.1:8443 for localhost"}
    assert found["backends"]["orders"] == "127.0.0.1:9001"
    assert found["backends"]["auth"].startswith("auth-1: python -m auth")
    assert found["credentials"] == {}
    assert found["digest"] == SHOP.digest


def test_check_says_all_that_is_wrong_at_once(provider: EdgeProvider) -> None:
    checked = provider.check(
        {"artifact": "{}", "stateDir": "relative", "workDir": "/", "credentials": {"keys:acme": 7}, "tsl": True}
    )
    assert {failure.property for failure in checked.failures} == {"artifact", "stateDir", "credentials", "tsl"}


@pytest.mark.parametrize("text", ["", "[]", "{", '{"format": 1}', '{"format": 99}', '"text"'])
def test_check_refuses_what_is_not_an_artifact_without_failing_itself(provider: EdgeProvider, text: str) -> None:
    failures = provider.check({"artifact": text, "stateDir": str(FOLDER), "workDir": str(ROOT)}).failures
    assert [failure.property for failure in failures] == ["artifact"]
    assert "not a compiled edge" in failures[0].reason


def test_check_lets_unknown_values_of_a_preview_pass(provider: EdgeProvider) -> None:
    checked = provider.check(
        {"artifact": text_of(SHOP), "stateDir": str(FOLDER), "workDir": str(ROOT), "credentials": UNKNOWN}
    )
    assert not checked.failures
    assert checked.inputs["credentials"] is UNKNOWN


def test_check_does_not_believe_a_program_that_sets_what_check_derives(provider: EdgeProvider) -> None:
    given = {
        "artifact": text_of(SHOP),
        "stateDir": str(FOLDER),
        "workDir": str(ROOT),
        "digest": "forged",
        "routes": {"GET /x": "y"},
    }
    assert provider.check(given).inputs["routes"] == {"GET /products": "one", "ANY /orders/*": "two"}


# --- diff


def alive(provider: EdgeProvider) -> EdgeProvider:
    provider.create(inputs(), preview=False)
    return provider


def test_diff_is_empty_for_the_same_inputs_and_a_running_edge(provider: EdgeProvider) -> None:
    assert not alive(provider).diff(str(FOLDER), inputs(), inputs())


def test_diff_names_the_routes_that_were_added_updated_and_deleted(provider: EdgeProvider) -> None:
    routes = (RouteSummary("GET /products", "changed"), RouteSummary("GET /new", "three"))
    changes = alive(provider).diff(str(FOLDER), inputs(), inputs(changed(routes=routes)))
    assert changes.inputs == {
        'routes["ANY /orders/*"]': Kind.DELETE,
        'routes["GET /new"]': Kind.ADD,
        'routes["GET /products"]': Kind.UPDATE,
    }
    assert not changes.replaces


def test_diff_quotes_a_route_key_as_pulumi_reads_property_paths(provider: EdgeProvider) -> None:
    routes = (*SHOP.routes, RouteSummary('GET /x?"', "q"))
    assert 'routes["GET /x?\\""]' in alive(provider).diff(str(FOLDER), inputs(), inputs(changed(routes=routes))).inputs


def test_diff_names_listeners_backends_and_credentials(provider: EdgeProvider) -> None:
    news = inputs(
        changed(endpoints={"orders": ("127.0.0.1:9009",)}, listeners=()), credentials={"keys:acme": "another"}
    )
    assert alive(provider).diff(str(FOLDER), inputs(), news).inputs == {
        'listeners["main"]': Kind.DELETE,
        'backends["orders"]': Kind.UPDATE,
        'credentials["keys:acme"]': Kind.UPDATE,
    }


def test_diff_shows_that_something_else_changed_by_the_digest(provider: EdgeProvider) -> None:
    changes = alive(provider).diff(str(FOLDER), inputs(), inputs(changed(limits=True)))
    assert changes.inputs == {"digest": Kind.UPDATE}


def test_diff_replaces_the_edge_when_its_name_or_folder_changes(provider: EdgeProvider) -> None:
    alive(provider)
    assert provider.diff(str(FOLDER), inputs(), inputs(changed(name="store"))).replaces == ("name",)
    assert provider.diff(str(FOLDER), inputs(), inputs(stateDir="/state/other")).replaces == ("stateDir",)


def test_diff_reports_an_edge_that_has_died(provider: EdgeProvider) -> None:
    changes = provider.diff(str(FOLDER), inputs(), inputs())
    assert (dict(changes.inputs), dict(changes.outputs)) == ({}, {"pid": Kind.UPDATE})


def test_diff_reports_an_edge_that_somebody_else_reloaded(provider: EdgeProvider, runtime: FakeRuntime) -> None:
    alive(provider)
    runtime.edges[FOLDER] = changed(limits=True)
    assert provider.diff(str(FOLDER), inputs(), inputs()).outputs == {"digest": Kind.UPDATE}


def test_diff_takes_unknown_credentials_for_changed(provider: EdgeProvider) -> None:
    changes = alive(provider).diff(str(FOLDER), inputs(), {**inputs(), "credentials": UNKNOWN})
    assert changes.inputs == {"credentials": Kind.UPDATE}


# --- create, update, read, delete


def test_create_starts_the_edge_with_its_credentials(provider: EdgeProvider, runtime: FakeRuntime) -> None:
    identity, outputs = provider.create(inputs(), preview=False)
    assert runtime.calls == [("start", FOLDER, {"keys:acme": "s3cret"})]
    assert identity == str(FOLDER)
    assert outputs == {
        "url": "https://localhost:8443",
        "listeners": {"main": "https://localhost:8443"},
        "pid": 4321,
        "routes": ["GET /products", "ANY /orders/*"],
        "caCertificate": str(FOLDER / "ca.crt"),
        "digest": SHOP.digest,
    }


def test_no_output_holds_a_credential(provider: EdgeProvider) -> None:
    assert "s3cret" not in json.dumps(provider.create(inputs(), preview=False)[1])


def test_create_takes_over_an_edge_that_already_runs_in_the_folder(
    provider: EdgeProvider, runtime: FakeRuntime
) -> None:
    runtime.edges[FOLDER] = changed(limits=True)
    provider.create(inputs(), preview=False)
    assert [call[0] for call in runtime.calls] == ["update"]


def test_create_leaves_the_running_edge_of_another_name_alone(provider: EdgeProvider, runtime: FakeRuntime) -> None:
    runtime.edges[FOLDER] = changed(name="other")
    with pytest.raises(ProviderError, match="belongs to the running edge `other`"):
        provider.create(inputs(), preview=False)
    assert not runtime.calls


def test_update_reloads_a_running_edge(provider: EdgeProvider, runtime: FakeRuntime) -> None:
    alive(provider)
    outputs = provider.update(str(FOLDER), inputs(changed(limits=True)), preview=False)
    assert [call[0] for call in runtime.calls] == ["start", "update"]
    assert outputs["digest"] == changed(limits=True).digest


def test_update_starts_an_edge_that_has_died(provider: EdgeProvider, runtime: FakeRuntime) -> None:
    provider.update(str(FOLDER), inputs(), preview=False)
    assert [call[0] for call in runtime.calls] == ["start"]


def test_a_preview_has_no_effects_and_knows_what_can_be_known(provider: EdgeProvider, runtime: FakeRuntime) -> None:
    identity, created = provider.create(inputs(), preview=True)
    updated = provider.update(str(FOLDER), inputs(), preview=True)
    assert not runtime.calls
    assert identity == ""
    assert created == updated
    assert created["url"] == "https://localhost:8443"
    assert created["pid"] is UNKNOWN


def test_read_finds_nothing_where_nothing_runs(provider: EdgeProvider) -> None:
    assert provider.read(str(FOLDER), inputs()) is None


def test_read_keeps_the_inputs_of_a_refresh(provider: EdgeProvider) -> None:
    found = alive(provider).read(str(FOLDER), inputs())
    assert found
    assert found.inputs == inputs()
    assert found.outputs["pid"] == 4321


def test_an_import_makes_inputs_that_leave_nothing_to_change(provider: EdgeProvider) -> None:
    found = alive(provider).read(str(FOLDER), {})
    assert found
    assert not provider.diff(found.id, found.inputs, inputs(credentials={}))


def test_an_import_of_a_relative_path_is_refused(provider: EdgeProvider) -> None:
    with pytest.raises(ProviderError, match="is not an absolute path"):
        provider.read(".edgewright/local", {})


def test_delete_stops_the_edge_and_may_be_repeated(provider: EdgeProvider, runtime: FakeRuntime) -> None:
    alive(provider)
    provider.delete(str(FOLDER))
    provider.delete(str(FOLDER))
    assert not runtime.edges
