"""Cloud-init of gateway machines: what runs, what is written, what is refused, and how the certificate is fetched."""

import base64
import io
import json
import os
import stat
import subprocess
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from edgewright.azure.gateway_machine import (
    FETCH_CERTIFICATE,
    RULES,
    MachineError,
    MachineSettings,
    cloud_init,
    mark,
    problems,
    with_values,
)

ID = "00000000-0000-4000-8000-000000000001"
SETTINGS = MachineSettings(
    gateway_name="shop",
    service_name="example-apim",
    tenant_id=ID,
    client_id=ID.replace("1", "2"),
    vault_name="example-vault",
    secret_name="gateway-app",
    identity_client_id=ID.replace("1", "3"),
    image_tag="2.13.0",
)
HOSTILE = ("", "a\nb", "a\n", "a b", "$(reboot)", "a'b", 'a"b', "a;b", "../a", "a%n", "{{a}}\nb", "${a b.c}\nd", "a#b")


def document(settings: MachineSettings = SETTINGS) -> dict[str, Any]:
    return yaml.safe_load(cloud_init(settings))


def files(settings: MachineSettings = SETTINGS) -> dict[str, dict[str, str]]:
    return {item["path"]: item for item in document(settings)["write_files"]}


def unit(settings: MachineSettings = SETTINGS) -> list[str]:
    return files(settings)["/etc/systemd/system/apim-gateway.service"]["content"].splitlines()


def line(key: str) -> list[str]:
    return [text.partition("=")[2] for text in unit() if text.startswith(f"{key}=")]


def environment(settings: MachineSettings = SETTINGS) -> dict[str, str]:
    lines = files(settings)["/etc/apim-gateway/gateway.env"]["content"].splitlines()
    return dict(text.split("=", 1) for text in lines)  # pyright: ignore[reportReturnType]


def test_it_is_a_cloud_config_that_installs_docker_and_fits_into_custom_data() -> None:
    text = cloud_init(SETTINGS)
    assert text.startswith("#cloud-config\n")
    assert document()["packages"] == ["docker.io"]
    assert len(text.encode()) < 16 * 1024


def test_the_gateway_and_the_timer_are_started_once_their_units_are_read() -> None:
    assert document()["runcmd"] == [
        ["systemctl", "daemon-reload"],
        ["systemctl", "enable", "--now", "apim-gateway.service", "apim-gateway-certificate.timer"],
    ]


def test_the_environment_file_says_where_the_configuration_is_and_how_to_ask_for_it() -> None:
    assert environment() == {
        "gateway.name": "shop",
        "config.service.endpoint": "example-apim.configuration.azure-api.net",
        "config.service.auth": "azureAdApp",
        "config.service.auth.azureAd.tenantId": SETTINGS.tenant_id,
        "config.service.auth.azureAd.clientId": SETTINGS.client_id,
        "config.service.auth.azureAd.certificatePath": "/run/apim-gateway/certificate.pem",
    }


def test_gateways_find_each_other_by_a_name_when_there_is_one() -> None:
    found = environment(replace(SETTINGS, neighborhood_host="gateways.example.com"))
    assert found["neighborhood.host"] == "gateways.example.com"


def test_docker_runs_the_pinned_image_unprivileged_on_the_network_of_the_host() -> None:
    (command,) = line("ExecStart")
    words = command.split()
    assert words[:5] == ["/usr/bin/docker", "run", "--rm", "--name", "apim-gateway"]
    assert words[-1] == "mcr.microsoft.com/azure-api-management/gateway:2.13.0"
    for option in (
        "--network host",
        "--env-file /etc/apim-gateway/gateway.env",
        "--user 1001:1001",
        "--cap-drop ALL",
        "--security-opt no-new-privileges",
        "--volume /run/apim-gateway:/run/apim-gateway:ro",
    ):
        assert option in command


def test_the_root_file_system_stays_writable_as_the_gateway_needs_it() -> None:
    assert "--read-only" not in line("ExecStart")[0]


def test_the_environment_goes_by_docker_alone_since_names_have_dots() -> None:
    assert not any(text.startswith("Environment") for text in unit())


def test_the_gateway_has_a_minute_to_stop_and_is_always_started_again() -> None:
    assert line("ExecStop") == ["/usr/bin/docker stop -t 60 apim-gateway"]
    assert line("TimeoutStopSec") == ["75"]
    assert line("Restart") == ["always"]
    assert line("StartLimitIntervalSec") == ["0"]


def test_the_certificate_is_fetched_before_each_start_and_daily() -> None:
    written = files()
    (script,) = [path for path, item in written.items() if item["content"] == FETCH_CERTIFICATE]
    assert written[script]["permissions"] == "0755"
    assert script in line("ExecStartPre")
    refresh = written["/etc/systemd/system/apim-gateway-certificate.service"]["content"]
    assert f"ExecStart={script} --refresh\n" in refresh
    timer = written["/etc/systemd/system/apim-gateway-certificate.timer"]["content"]
    assert "OnCalendar=daily\n" in timer
    assert "RandomizedDelaySec=" in timer


def test_files_belong_to_root_and_only_the_script_can_be_run() -> None:
    assert {item["owner"] for item in files().values()} == {"root:root"}
    assert [item["permissions"] for item in files().values()].count("0755") == 1


def test_what_the_script_needs_to_know_is_data_beside_it() -> None:
    assert json.loads(files()["/etc/apim-gateway/certificate.json"]["content"]) == {
        "vault": "example-vault",
        "secret": "gateway-app",
        "identity": SETTINGS.identity_client_id,
        "path": "/run/apim-gateway/certificate.pem",
        "owner": 1001,
    }


def test_there_is_no_secret_in_it() -> None:
    text = cloud_init(SETTINGS)
    assert "PRIVATE KEY" not in text
    assert not {"clientSecret", "password:", "GatewayKey", "config.service.auth.token"} & set(text.split())
    assert set(environment()) & {"config.service.auth.azureAd.clientSecret"} == set()


@pytest.mark.parametrize("key", list(RULES))
@pytest.mark.parametrize("value", HOSTILE, ids=repr)
def test_hostile_values_are_refused_in_every_field(key: str, value: str) -> None:
    settings = replace(SETTINGS, **{key: value})
    if key == "neighborhood_host" and not value:
        assert problems(settings) == []
        return
    with pytest.raises(MachineError, match=key):
        cloud_init(settings)


@pytest.mark.parametrize(
    "tag", ["latest", "v2", "2", "2.13", "v2.13.0", "{{tag}}", "${a.B c.d}", "2.13.0 --privileged"]
)
def test_a_tag_that_moves_or_is_none_is_refused(tag: str) -> None:
    (problem,) = problems(replace(SETTINGS, image_tag=tag))
    assert "full version" in problem


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("gateway_name", "a" * 81),
        ("service_name", "apim.example.com"),
        ("tenant_id", "example.com"),
        ("vault_name", "a--b"),
        ("vault_name", "v.example.com/x"),
        ("secret_name", "app/version"),
        ("neighborhood_host", "a..b"),
        ("neighborhood_host", ".".join(["a" * 60] * 5)),
    ],
)
def test_names_that_azure_would_not_take_are_refused(key: str, value: str) -> None:
    (problem,) = problems(replace(SETTINGS, **{key: value}))
    assert problem.startswith(f"{key} is {value!r}")


def test_all_that_is_wrong_is_said_at_once() -> None:
    with pytest.raises(MachineError) as error:
        cloud_init(replace(SETTINGS, tenant_id="x", image_tag="latest"))
    assert "tenant_id" in str(error.value)
    assert "image_tag" in str(error.value)


def test_marks_stand_for_values_that_come_later() -> None:
    names = [key for key in RULES if key != "image_tag"]
    marked = replace(SETTINGS, **{key: mark(key) for key in names})
    assert problems(marked) == []
    assert mark("client_id") in cloud_init(marked)
    assert with_values(marked, asdict(SETTINGS)) == SETTINGS


def test_a_value_that_comes_later_is_checked_too() -> None:
    later = with_values(replace(SETTINGS, client_id=mark("app")), {"app": f"{ID}\nevil=1"})
    with pytest.raises(MachineError, match="client_id"):
        cloud_init(later)


def test_a_mark_without_a_value_is_a_defect() -> None:
    with pytest.raises(KeyError, match="app"):
        with_values(replace(SETTINGS, client_id=mark("app")), {})


def test_a_token_of_a_plan_is_taken_for_what_it_stands_for() -> None:
    text = "${managedidentity.UserAssignedIdentity shop-identity.clientId}"
    assert problems(replace(SETTINGS, identity_client_id=text)) == []


class Vault:
    """Stands for the metadata service and the vault; keeps what was asked."""

    def __init__(self, value: str, kind: str = "application/x-pem-file") -> None:
        self.secret = {"value": value, "contentType": kind}
        self.asked: list[urllib.request.Request] = []
        self.down = False

    def open(self, request: urllib.request.Request, timeout: float) -> io.BytesIO:
        assert timeout <= 10
        self.asked.append(request)
        if self.down:
            raise OSError("no route")
        token = request.full_url.startswith("http://169.254.169.254/")
        return io.BytesIO(json.dumps({"access_token": "t0ken"} if token else self.secret).encode())


class Machine:
    """The script with everything around it replaced: its files are below a folder, commands are only kept."""

    def __init__(self, folder: Path, vault: Vault, patch: pytest.MonkeyPatch) -> None:
        self.path = folder / "run" / "certificate.pem"
        self.ran: list[list[str]] = []
        self.owners: list[tuple[int, int]] = []
        settings = folder / "certificate.json"
        written = json.loads(files()["/etc/apim-gateway/certificate.json"]["content"])
        settings.write_text(json.dumps({**written, "path": str(self.path)}))

        def opener(*_: Any) -> Vault:
            return vault

        def own(_: Any, user: int, group: int) -> None:
            self.owners.append((user, group))

        def run(command: list[str], **_: Any) -> None:
            self.ran.append(command)

        patch.setattr(urllib.request, "build_opener", opener)
        patch.setattr(subprocess, "run", run)
        patch.setattr(os, "chown", own)
        patch.setattr(os, "fchown", own)
        names: dict[str, Any] = {"__name__": "fetch"}
        exec(compile(FETCH_CERTIFICATE, "fetch", "exec"), names)
        names["SETTINGS"] = str(settings)
        self.main: Callable[[list[str]], int] = names["main"]


@pytest.fixture
def vault() -> Vault:
    return Vault("pem text")


@pytest.fixture
def machine(tmp_path: Path, vault: Vault, monkeypatch: pytest.MonkeyPatch) -> Machine:
    return Machine(tmp_path, vault, monkeypatch)


def headers(request: urllib.request.Request) -> Mapping[str, str]:
    return dict(request.header_items())


def test_the_script_asks_by_the_identity_of_the_machine(machine: Machine, vault: Vault) -> None:
    assert machine.main([]) == 0
    metadata, secret = vault.asked
    assert "resource=https%3A%2F%2Fvault.azure.net" in metadata.full_url
    assert f"client_id={SETTINGS.identity_client_id}" in metadata.full_url
    assert headers(metadata) == {"Metadata": "true"}
    assert secret.full_url == "https://example-vault.vault.azure.net/secrets/gateway-app?api-version=7.4"
    assert headers(secret) == {"Authorization": "Bearer t0ken"}


def test_the_certificate_is_for_the_gateway_alone(machine: Machine) -> None:
    machine.main([])
    assert machine.path.read_bytes() == b"pem text"
    assert stat.S_IMODE(machine.path.stat().st_mode) == 0o600
    assert stat.S_IMODE(machine.path.parent.stat().st_mode) == 0o700
    assert set(machine.owners) == {(1001, 1001)}
    assert [item.name for item in machine.path.parent.iterdir()] == ["certificate.pem"]


def test_pkcs12_is_decoded(machine: Machine, vault: Vault) -> None:
    vault.secret = {"value": base64.b64encode(b"\x30\x82").decode(), "contentType": "application/x-pkcs12"}
    assert machine.main([]) == 0
    assert machine.path.read_bytes() == b"\x30\x82"


def test_a_refresh_starts_the_gateway_anew_only_when_the_certificate_changed(machine: Machine, vault: Vault) -> None:
    machine.main([])
    assert machine.main(["--refresh"]) == 0
    assert machine.ran == []
    vault.secret["value"] = "other"
    assert machine.main(["--refresh"]) == 0
    assert machine.path.read_bytes() == b"other"
    assert machine.ran == [["systemctl", "try-restart", "--no-block", "apim-gateway.service"]]


def test_a_first_start_needs_the_vault_and_a_later_one_does_not(machine: Machine, vault: Vault) -> None:
    vault.down = True
    assert machine.main([]) == 1
    vault.down = False
    machine.main([])
    vault.down = True
    assert machine.main([]) == 0
    assert machine.main(["--refresh"]) == 1


def test_the_certificate_is_never_printed(machine: Machine, vault: Vault, capsys: pytest.CaptureFixture[str]) -> None:
    machine.main([])
    vault.down = True
    machine.main([])
    said = "".join(capsys.readouterr())
    assert "no route" in said
    assert "pem text" not in said
    assert "t0ken" not in said
