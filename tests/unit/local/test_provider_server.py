"""The provider on the wire: real gRPC calls, as an engine makes them, against a runtime in memory."""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.protobuf import empty_pb2, json_format
from pulumi.runtime.proto import provider_pb2, provider_pb2_grpc

from edgewright.local.artifact import RouteSummary
from edgewright.local.provider import UNKNOWN, EdgeProvider, text_of
from edgewright.local.provider_server import ProviderService, decode, encode
from edgewright.local.state import LocalError
from unit.local.test_provider import FOLDER, ROOT, SHOP, FakeRuntime, changed

URN = "urn:pulumi:local::edgewright::edgewright-local:index:Edge::shop"
PLUGIN = Path(__file__).parents[3] / "plugins/edgewright-local/pulumi-resource-edgewright-local"
SECRET = {"4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270"}


@pytest.fixture
def runtime() -> FakeRuntime:
    return FakeRuntime()


@pytest.fixture
def engine(runtime: FakeRuntime) -> Iterator[Any]:
    server = grpc.server(ThreadPoolExecutor(max_workers=2))
    service = ProviderService(EdgeProvider(runtime), refusals=(LocalError,))
    provider_pb2_grpc.add_ResourceProviderServicer_to_server(service, server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
        yield provider_pb2_grpc.ResourceProviderStub(channel)
    server.stop(None)


def given(**more: object) -> Any:
    folders = {"stateDir": str(FOLDER), "workDir": str(ROOT)}
    return encode({"artifact": text_of(SHOP), **folders, "credentials": {"keys:acme": "s3cret"}, **more})


def checked(engine: Any, **more: object) -> Any:
    return engine.Check(provider_pb2.CheckRequest(urn=URN, news=given(**more))).inputs


def test_credentials_are_secret_even_if_the_program_gave_them_in_the_open(engine: Any) -> None:
    found = json_format.MessageToDict(checked(engine))["credentials"]
    assert found == {**SECRET, "value": {"keys:acme": "s3cret"}}


def test_secret_and_unknown_values_survive_the_wire() -> None:
    message = encode({"a": {"b": UNKNOWN, "c": [1, "x"]}, "s": {"k": "v"}}, secret=frozenset({"s"}))
    assert decode(message) == {"a": {"b": UNKNOWN, "c": [1.0, "x"]}, "s": {"k": "v"}}


def test_a_bad_input_is_a_check_failure_and_not_an_error(engine: Any) -> None:
    answer = engine.Check(provider_pb2.CheckRequest(urn=URN, news=given(stateDir="here")))
    assert [failure.property for failure in answer.failures] == ["stateDir"]


def test_create_gives_the_runtime_the_opened_credentials(engine: Any, runtime: FakeRuntime) -> None:
    answer = engine.Create(provider_pb2.CreateRequest(urn=URN, properties=checked(engine)))
    assert answer.id == str(FOLDER)
    assert runtime.calls == [("start", FOLDER, {"keys:acme": "s3cret"})]
    assert "s3cret" not in str(answer)


def test_diff_is_detailed_and_says_that_inputs_differ(engine: Any) -> None:
    old = checked(engine)
    engine.Create(provider_pb2.CreateRequest(urn=URN, properties=old))
    new = checked(engine, artifact=text_of(changed(routes=(*SHOP.routes, RouteSummary("GET /new", "n")))))
    answer = engine.Diff(provider_pb2.DiffRequest(urn=URN, id=str(FOLDER), old_inputs=old, news=new))
    assert answer.changes == provider_pb2.DiffResponse.DIFF_SOME
    assert dict(answer.detailedDiff) == {
        'routes["GET /new"]': provider_pb2.PropertyDiff(kind=provider_pb2.PropertyDiff.ADD, inputDiff=True)
    }
    assert list(answer.diffs) == ["routes"]


def test_a_replacement_deletes_the_old_edge_first_since_both_open_the_same_ports(engine: Any) -> None:
    old, new = checked(engine), checked(engine, artifact=text_of(changed(name="store")))
    answer = engine.Diff(provider_pb2.DiffRequest(urn=URN, id=str(FOLDER), old_inputs=old, news=new))
    assert list(answer.replaces) == ["name"]
    assert answer.deleteBeforeReplace
    assert answer.detailedDiff["name"].kind == provider_pb2.PropertyDiff.UPDATE_REPLACE


def test_reading_a_dead_edge_answers_with_an_empty_id(engine: Any) -> None:
    assert engine.Read(provider_pb2.ReadRequest(urn=URN, id=str(FOLDER), inputs=checked(engine))).id == ""


def test_a_refusal_reaches_the_engine_as_its_plain_text(
    engine: Any, runtime: FakeRuntime, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise LocalError("port 8443 is in use by nginx (pid 7)")

    monkeypatch.setattr(runtime, "start", refuse)
    with pytest.raises(grpc.RpcError) as caught:
        engine.Create(provider_pb2.CreateRequest(urn=URN, properties=checked(engine)))
    assert caught.value.details() == "port 8443 is in use by nginx (pid 7)"  # pyright: ignore[reportAttributeAccessIssue]


def test_another_resource_type_is_refused_by_name(engine: Any) -> None:
    with pytest.raises(grpc.RpcError) as caught:
        engine.Check(provider_pb2.CheckRequest(urn=URN.replace(":Edge", ":Other"), news=given()))
    assert "there is no resource edgewright-local:index:Other" in (caught.value.details() or "")  # pyright: ignore[reportAttributeAccessIssue]


def test_the_plugin_executable_prints_its_port_and_answers(tmp_path: Path) -> None:
    with subprocess.Popen(
        [str(PLUGIN), "127.0.0.1:1"],
        stdout=subprocess.PIPE,
        text=True,
        cwd=tmp_path,
        env={"PATH": "/usr/bin:/bin", "EDGEWRIGHT_PYTHON": sys.executable},
    ) as process:
        try:
            assert process.stdout
            port = int(process.stdout.readline())
            with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
                stub: Any = provider_pb2_grpc.ResourceProviderStub(channel)
                assert stub.GetPluginInfo(empty_pb2.Empty()).version
        finally:
            process.terminate()
        assert process.wait(timeout=30) == 0


def test_without_a_python_that_has_what_it_needs_the_plugin_says_what_to_do(tmp_path: Path) -> None:
    checkout = tmp_path / "plugins/edgewright-local"
    checkout.mkdir(parents=True)
    plugin = shutil.copy(PLUGIN, checkout)
    bare = tmp_path / "bin"
    bare.mkdir()
    (bare / "python3").write_text("#!/bin/sh\nexit 1\n")
    (bare / "python3").chmod(0o755)
    ran = subprocess.run(
        [plugin, "127.0.0.1:1"], env={"PATH": f"{bare}:/usr/bin:/bin"}, capture_output=True, text=True, check=False
    )
    assert ran.returncode == 1
    assert "`pulumi install` or `make`" in ran.stderr


def test_the_plugin_prefers_the_active_virtual_environment_if_it_has_pulumi(tmp_path: Path) -> None:
    checkout = tmp_path / "plugins/edgewright-local"
    checkout.mkdir(parents=True)
    plugin = shutil.copy(PLUGIN, checkout)
    for name, has in {"other": False, ".venv": True}.items():
        site = tmp_path / name / "lib/python3.11/site-packages/pulumi"
        if has:
            site.mkdir(parents=True)
            (site / "__init__.py").touch()
        (tmp_path / name / "bin").mkdir(parents=True)
        (tmp_path / name / "bin/python").write_text(f"#!/bin/sh\necho {name} $PYTHONPATH\n")
        (tmp_path / name / "bin/python").chmod(0o755)
    environment = {"PATH": "/usr/bin:/bin", "VIRTUAL_ENV": str(tmp_path / "other")}
    ran = subprocess.run([plugin], env=environment, capture_output=True, text=True, check=True)
    assert ran.stdout.split() == [".venv", str(tmp_path / "infra")]


def test_it_ends_by_itself_when_its_engine_was_killed() -> None:
    # A stand-in for the engine: it starts the provider, tells its pid, and is killed without a chance to end it.
    engine = (
        "import subprocess, sys, time\n"
        "child = subprocess.Popen([sys.executable, '-m', 'edgewright.local.provider_server', '127.0.0.1:1'],"
        " stdout=subprocess.PIPE)\n"
        "print(child.pid, child.stdout.readline().decode().strip(), flush=True)\n"
        "time.sleep(600)\n"
    )
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[3] / "infra")}
    with subprocess.Popen([sys.executable, "-c", engine], stdout=subprocess.PIPE, text=True, env=environment) as parent:
        assert parent.stdout is not None
        pid, port = parent.stdout.readline().split()
        assert int(port) > 0
        parent.kill()
    deadline = time.monotonic() + 30
    while Path(f"/proc/{pid}").exists() and "Z" not in Path(f"/proc/{pid}/stat").read_text().split(") ")[1][:1]:
        assert time.monotonic() < deadline, "the provider outlives its engine"
        time.sleep(0.05)
