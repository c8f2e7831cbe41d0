"""What the engine is given to work with: folders, variables, a passphrase, and nothing that changes the repository."""

import os
import socket
import stat
import subprocess
from pathlib import Path

import pytest
import yaml

from edgewright.automation import abandoned, environment, prepare

SALT = "v1:abc="


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "Pulumi.yaml").write_text(
        "name: shop\nruntime: python\nmain: stacks/\nstackConfigDir: stacks\nbackend: {url: 'file://elsewhere'}\n"
        "plugins: {providers: [{name: edgewright-local, path: ./plugins/edgewright-local}]}\n"
    )
    (tmp_path / "stacks").mkdir()
    (tmp_path / "stacks/Pulumi.local.yaml").write_text("# mine\nconfig: {'edgewright:spec': shop.edge.yaml}\n")
    return tmp_path


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_only_its_owner_can_enter_the_engines_folders(root: Path) -> None:
    (root / ".edgewright/pulumi-state").mkdir(parents=True, mode=0o755)  # as plain `pulumi` makes it
    work, _ = prepare(root, "local")
    state = root / ".edgewright/pulumi-state"
    assert [mode(path) for path in (state.parent, state, work)] == [0o700] * 3
    assert mode(state / "passphrase") == 0o600


def test_the_passphrase_is_random_and_stays(root: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    prepare(root, "local")
    file = root / ".edgewright/pulumi-state/passphrase"
    first = file.read_text()
    prepare(root, "local")
    assert file.read_text() == first
    assert len(first.strip()) >= 32
    file.unlink()
    prepare(root, "local")
    assert file.read_text() != first


def test_the_engine_finds_the_plugin_and_not_the_programs_folder(root: Path) -> None:
    work, _ = prepare(root, "local")
    found = yaml.safe_load((work / "Pulumi.yaml").read_text())
    assert found["plugins"]["providers"][0]["path"] == str(root / "plugins/edgewright-local")
    assert not {"main", "stackConfigDir", "backend"} & set(found)


def test_the_salt_that_the_engine_writes_stays_out_of_the_repositorys_file(root: Path) -> None:
    work, _ = prepare(root, "local")
    file = work / "Pulumi.local.yaml"
    file.write_text(file.read_text() + f"encryptionsalt: {SALT}\n")
    (root / "stacks/Pulumi.local.yaml").write_text("config: {'edgewright:spec': other.edge.yaml}\n")
    prepare(root, "local")
    assert yaml.safe_load(file.read_text()) == {
        "config": {"edgewright:spec": "other.edge.yaml"},
        "encryptionsalt": SALT,
    }


@pytest.mark.parametrize(("config", "salt"), [("{a:b: {secure: v1:x}}", "v1:theirs="), ("{a:b: c}", SALT)])
def test_a_salt_in_the_repositorys_file_holds_only_if_something_is_encrypted_with_it(
    root: Path, config: str, salt: str
) -> None:
    work, _ = prepare(root, "local")
    (work / "Pulumi.local.yaml").write_text(f"encryptionsalt: {SALT}\n")
    (root / "stacks/Pulumi.local.yaml").write_text(f"config: {config}\nencryptionsalt: v1:theirs=\n")
    prepare(root, "local")
    assert yaml.safe_load((work / "Pulumi.local.yaml").read_text())["encryptionsalt"] == salt


def test_keys_in_plain_text_do_not_reach_the_engines_config_whose_history_would_show_them(root: Path) -> None:
    (root / "stacks/Pulumi.local.yaml").write_text("config: {'edgewright:credentials': {'keys:acme': battery-staple}}")
    work, _ = prepare(root, "local")
    assert "battery-staple" not in (work / "Pulumi.local.yaml").read_text()


def test_the_engines_state_and_settings_are_the_repositorys_own(root: Path) -> None:
    found = environment(root, {})
    state = root / ".edgewright/pulumi-state"
    assert found["PULUMI_BACKEND_URL"] == f"file://{state}"
    assert found["PULUMI_HOME"] == str(state / "home")
    assert found["PULUMI_CONFIG_PASSPHRASE_FILE"] == str(state / "passphrase")
    assert "PULUMI_CONFIG_PASSPHRASE" not in found


def test_what_the_user_has_set_stands(root: Path) -> None:
    found = environment(root, {"PULUMI_BACKEND_URL": "s3://team", "PULUMI_CONFIG_PASSPHRASE": "theirs"})
    assert not {"PULUMI_BACKEND_URL", "PULUMI_HOME", "PULUMI_CONFIG_PASSPHRASE_FILE"} & set(found)


@pytest.mark.parametrize(("topology", "expected"), [("local", "true"), ("azure/balancer-first", None)])
def test_the_engine_may_download_the_provider_of_a_cloud_and_nothing_for_a_local_stack(
    root: Path, topology: str, expected: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION"
    monkeypatch.delenv(name, raising=False)
    (root / "stacks/Pulumi.shop.yaml").write_text(f"config: {{'edgewright:topology': {topology}}}\n")
    assert prepare(root, "shop")[1].get(name) == expected


@pytest.mark.parametrize(
    ("alive", "here", "expected"), [(False, True, True), (True, True, False), (False, False, False)]
)
def test_a_lock_is_abandoned_only_if_its_process_of_this_machine_is_gone(
    root: Path, alive: bool, here: bool, expected: bool
) -> None:
    gone = subprocess.Popen(["true"])
    gone.wait()
    lock = root / ".edgewright/pulumi-state/.pulumi/locks/organization/shop/local/1.json"
    lock.parent.mkdir(parents=True)
    host = socket.gethostname() if here else "elsewhere"
    lock.write_text(f'{{"pid": {os.getpid() if alive else gone.pid}, "hostname": "{host}"}}')
    assert abandoned(root) is expected
