"""Who can see what a local edge keeps: nobody but its owner, and no secret leaves the files that are meant for it."""

import json
import os
import ssl
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from edgewright.local import runtime
from edgewright.local.artifact import CredentialRef
from edgewright.local.process import marked
from edgewright.local.runtime import LocalError
from edgewright.local.state import StateFolder
from local.client import get
from local.handmade import edge, keys, saying, to
from local.ports import free_port

PLACEHOLDER = "{{credential:main:tester}}"
REF = CredentialRef(PLACEHOLDER, "main", "tester")
GIVEN = "a-key-that-was-given-0123456789"


def test_everything_in_the_state_folder_is_closed_to_others(edge_state: Path) -> None:
    runtime.start(
        edge(free_port(), [to("backend-app")], tls=True, filters=[keys(PLACEHOLDER)], credentials=[REF]), edge_state
    )

    open_to_others = {
        str(path.relative_to(edge_state)): oct(stat.S_IMODE(path.lstat().st_mode))
        for path in (edge_state, *edge_state.rglob("*"))
        if path.lstat().st_mode & 0o077
    }

    assert open_to_others == {}
    assert any(path.is_socket() for path in edge_state.iterdir())


def test_every_process_listens_on_this_machine_only(edge_state: Path) -> None:
    runtime.start(edge(free_port(), [to("backend-app")], backends={"app": 2}), edge_state)
    listening = _listening({process.pid for process in marked(StateFolder(edge_state).last_run())})
    assert len(listening) == 3
    assert {address for address, _ in listening} == {"127.0.0.1"}


def test_a_given_key_is_the_one_that_opens(edge_state: Path) -> None:
    port = free_port()
    artifact = edge(port, [saying("in")], filters=[keys(PLACEHOLDER)], credentials=[REF], backends={})
    runtime.start(artifact, edge_state, {"main:tester": GIVEN})

    assert get(port).status == 401
    assert get(port, headers={"x-api-key": GIVEN}).text == "in"
    assert runtime.credential(edge_state, "main", "tester") == GIVEN


def test_a_generated_key_stays_the_same_until_it_is_given_another(edge_state: Path) -> None:
    port = free_port()
    artifact = edge(port, [saying("in")], filters=[keys(PLACEHOLDER)], credentials=[REF], backends={})
    runtime.start(artifact, edge_state)
    first = runtime.credential(edge_state, "main", "tester")
    assert len(first) >= 32

    runtime.stop(edge_state)
    assert runtime.credential(edge_state, "main", "tester") == first
    runtime.start(artifact, edge_state)
    assert get(port, headers={"x-api-key": first}).text == "in"

    runtime.update(artifact, edge_state, {"main:tester": GIVEN})
    assert get(port, headers={"x-api-key": first}).status == 401
    assert get(port, headers={"x-api-key": GIVEN}).text == "in"


def test_no_key_stands_in_a_log_a_command_line_or_the_artifact(edge_state: Path) -> None:
    port = free_port()
    artifact = edge(port, [to("backend-app")], filters=[keys(PLACEHOLDER)], credentials=[REF], tls=True)
    status = runtime.start(artifact, edge_state, {"main:tester": GIVEN})
    trust = status.ca_certificate
    assert get(port, "/x", {"x-api-key": GIVEN}, trust=trust).status == 200
    # A refused update must not write it anywhere either.
    with pytest.raises(LocalError) as error:
        runtime.update(
            edge(
                port,
                [to("backend-app")],
                filters=[{**keys(PLACEHOLDER), "wrong_field": PLACEHOLDER}],
                credentials=[REF],
            ),
            edge_state,
            {"main:tester": GIVEN},
        )

    pids = [status.pid, *(process.pid for process in marked(StateFolder(edge_state).last_run()))]
    commands = "".join(Path(f"/proc/{pid}/cmdline").read_text() for pid in pids)
    environments = "".join(Path(f"/proc/{pid}/environ").read_text() for pid in pids)
    allowed = {"lds.json"}
    holding = {path.name for path in edge_state.rglob("*") if path.is_file() and GIVEN.encode() in path.read_bytes()}
    assert holding == allowed
    assert GIVEN not in commands + environments + str(error.value)
    assert GIVEN not in json.dumps(status.to_json())


def test_what_envoy_quotes_of_a_refused_file_is_scrubbed(edge_state: Path) -> None:
    port = free_port()
    artifact = edge(port, [saying("x")], filters=[keys(PLACEHOLDER)], credentials=[REF], backends={})
    runtime.start(artifact, edge_state, {"main:tester": GIVEN})
    wrong = {**saying("x"), "match": {"safe_regex": {"regex": f"({PLACEHOLDER}"}}}

    with pytest.raises(LocalError) as error:
        runtime.update(
            edge(port, [wrong], filters=[keys(PLACEHOLDER)], credentials=[REF], backends={}),
            edge_state,
            {"main:tester": GIVEN},
        )

    assert "***" in str(error.value)
    assert GIVEN not in str(error.value)
    assert get(port, headers={"x-api-key": GIVEN}).text == "x"


def test_a_key_that_no_header_could_carry_is_refused_without_being_shown(edge_state: Path) -> None:
    artifact = edge(free_port(), [saying("in")], filters=[keys(PLACEHOLDER)], credentials=[REF], backends={})
    with pytest.raises(LocalError, match="API key of main:tester") as error:
        runtime.start(artifact, edge_state, {"main:tester": "line\nbreak-key"})
    assert "break-key" not in str(error.value)
    assert runtime.status(edge_state) is None


def test_a_key_for_a_client_that_does_not_exist_is_a_warning(edge_state: Path) -> None:
    status = runtime.start(edge(free_port(), [saying("x")], backends={}), edge_state, {"main:nobody": GIVEN})
    assert any("main:nobody" in warning for warning in status.warnings)
    assert GIVEN not in "".join(status.warnings)


def test_the_engines_secrets_are_not_handed_on(edge_state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PULUMI_CONFIG_PASSPHRASE", "open sesame")
    status = runtime.start(edge(free_port(), [to("backend-app")]), edge_state)
    pids = [status.pid, *(process.pid for process in marked(StateFolder(edge_state).last_run()))]
    assert len(pids) == 5
    assert "open sesame" not in "".join(Path(f"/proc/{pid}/environ").read_text() for pid in pids)


def test_the_control_socket_answers_only_its_owner(edge_state: Path) -> None:
    runtime.start(edge(free_port(), [saying("x")], backends={}), edge_state)
    if os.geteuid() != 0:
        pytest.skip("becoming another user takes root")
    # Even with the folder and the socket opened by mistake, the kernel's word on who asks decides.
    edge_state.parent.chmod(0o755)
    edge_state.chmod(0o755)
    (edge_state / "control.sock").chmod(0o777)
    script = (
        "import os, socket, sys; os.setgid(65534); os.setuid(65534);"
        "s = socket.socket(socket.AF_UNIX); s.settimeout(10); s.connect(sys.argv[1]);"
        's.sendall(b\'{"op": "status"}\\n\'); print(repr(s.recv(100)))'
    )

    done = subprocess.run(
        [sys.executable, "-c", script, str(edge_state / "control.sock")],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )

    assert done.stdout.strip() in ("b''", ""), done
    assert "status" not in done.stdout


def test_tls_is_trusted_by_the_development_authority_and_by_no_other(edge_state: Path) -> None:
    port = free_port()
    status = runtime.start(edge(port, [saying("secret")], tls=True, backends={}), edge_state)
    assert status.ca_certificate is not None
    assert get(port, trust=status.ca_certificate).text == "secret"
    with pytest.raises(ssl.SSLCertVerificationError):
        get(port, trust=Path(ssl.get_default_verify_paths().cafile or "/etc/ssl/certs/ca-certificates.crt"))


def test_a_key_that_the_user_gives_is_not_written_down(edge_state: Path) -> None:
    artifact = edge(free_port(), [saying("in")], filters=[keys(PLACEHOLDER)], credentials=[REF], backends={})
    runtime.start(artifact, edge_state, {"main:tester": GIVEN})
    runtime.stop(edge_state)
    assert not [path for path in edge_state.rglob("*") if path.is_file() and GIVEN.encode() in path.read_bytes()]


def _listening(pids: set[int]) -> list[tuple[str, int]]:
    inodes: set[str] = set()
    for pid in pids:
        for entry in Path(f"/proc/{pid}/fd").iterdir():
            try:
                inodes.add(str(entry.readlink()))
            except OSError:
                continue
    found: list[tuple[str, int]] = []
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        for line in Path(table).read_text().splitlines()[1:]:
            words = line.split()
            if words[3] == "0A" and f"socket:[{words[9]}]" in inodes:
                address, port = words[1].rsplit(":", 1)
                quad = ".".join(str(part) for part in reversed(bytes.fromhex(address)[:4]))
                found.append((quad if len(address) == 8 else address, int(port, 16)))
    return sorted(set(found))
