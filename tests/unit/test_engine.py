"""Where the Pulumi CLI comes from: PATH, the tools folder, the checked release, Go modules, or a plain answer."""

import hashlib
import io
import os
import stat
import tarfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import IO

import pytest

from edgewright import engine
from edgewright.engine import MINIMUM, RELEASES, VERSION, EngineError, checksum_of, find, obtain

ARCHIVE = f"pulumi-v{VERSION}-linux-x64.tar.gz"
LISTING = f"pulumi-{VERSION}-checksums.txt"
TOOLS = Path("tools/bin/pulumi")


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository on a machine without Pulumi and without Go."""
    (tmp_path / "path").mkdir()
    (tmp_path / "repo").mkdir()
    monkeypatch.setenv("PATH", f"{tmp_path / 'path'}:/usr/bin:/bin")
    monkeypatch.setattr(engine.platform, "system", lambda: "Linux")
    monkeypatch.setattr(engine.platform, "machine", lambda: "x86_64")
    monkeypatch.setattr(engine.shutil, "which", _which(tmp_path / "path"))
    return tmp_path / "repo"


def _which(folder: Path) -> Callable[[str], str | None]:
    return lambda name: str(folder / name) if (folder / name).is_file() else None


def program(file: Path, script: str) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(f"#!/bin/sh\n{script}\n")
    file.chmod(0o755)
    return file


def pulumi(file: Path, version: str) -> Path:
    return program(file, f"echo v{version}")


def heard() -> tuple[list[str], Callable[[str], None]]:
    lines: list[str] = []
    return lines, lines.append


def offline(url: str, timeout: float, /) -> IO[bytes]:
    raise OSError("Name or service not known")


def serving(files: Mapping[str, bytes]) -> Callable[[str, float], IO[bytes]]:
    def fetch(url: str, timeout: float, /) -> IO[bytes]:
        if url not in files:
            raise OSError("HTTP Error 404: Not Found")
        return io.BytesIO(files[url])

    return fetch


def archive(**programs: str) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        for name, script in programs.items():
            data = f"#!/bin/sh\n{script}\n".encode()
            member = tarfile.TarInfo(f"pulumi/{name}")
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))
    return buffer.getvalue()


def release(data: bytes, listed: str | None = None, base: str = RELEASES[0]) -> dict[str, bytes]:
    listing = f"{'0' * 64}  something-else.tar.gz\n{listed or hashlib.sha256(data).hexdigest()}  {ARCHIVE}\n"
    return {f"{base}/{ARCHIVE}": data, f"{base}/{LISTING}": listing.encode()}


# --- what is already there


def test_the_cli_on_path_comes_first(root: Path) -> None:
    pulumi(root.parent / "path/pulumi", "3.300.1")
    pulumi(root / TOOLS, VERSION)
    found = find(root)
    assert found
    assert (found.origin, found.version) == ("PATH", "3.300.1")


def test_a_cli_on_path_that_is_too_old_is_passed_over_and_said_so(root: Path) -> None:
    pulumi(root.parent / "path/pulumi", "3.258.9")
    pulumi(root / TOOLS, VERSION)
    lines, say = heard()
    found = find(root, say=say)
    assert found
    assert found.origin == "tools"
    assert "version 3.258.9, and 3.259.0 is needed" in lines[0]


def test_a_cli_that_does_not_run_is_passed_over(root: Path) -> None:
    program(root.parent / "path/pulumi", "exit 1")
    assert find(root) is None


def test_the_version_is_asked_once_and_again_when_the_file_changes(root: Path) -> None:
    asked = root / "asked"
    cli = program(root / TOOLS, f"echo x >> {asked}; echo v{VERSION}")
    for _ in range(3):
        assert find(root)
    assert asked.read_text() == "x\n"
    program(cli, f"echo x >> {asked}; echo v9.9.9; exit 0")
    found = find(root)
    assert found
    assert found.version == "9.9.9"


def test_obtaining_what_is_there_reaches_for_nothing(root: Path) -> None:
    def forbidden(url: str, timeout: float, /) -> IO[bytes]:
        raise AssertionError(f"asked for {url}")

    pulumi(root / TOOLS, VERSION)
    lines, say = heard()
    assert obtain(root, say=say, fetch=forbidden).path == root / TOOLS
    assert not lines


# --- the release


def test_the_release_is_unpacked_after_its_checksum_was_compared(root: Path) -> None:
    data = archive(pulumi=f"echo v{VERSION}", **{"pulumi-language-python": "true", "pulumi-language-go": "true"})
    found = obtain(root, say=lambda _: None, fetch=serving(release(data)))
    assert (found.origin, found.version) == ("tools", VERSION)
    assert sorted(path.name for path in (root / "tools/bin").glob("pulumi*")) == ["pulumi", "pulumi-language-python"]
    assert stat.S_IMODE(found.path.stat().st_mode) == 0o755


def test_a_release_with_another_checksum_is_not_used_and_not_looked_for_elsewhere(root: Path) -> None:
    data = archive(pulumi=f"echo v{VERSION}")
    files = release(data, listed="a" * 64) | release(data, base=RELEASES[1])
    with pytest.raises(EngineError, match=f"has SHA-256 {hashlib.sha256(data).hexdigest()}"):
        obtain(root, say=lambda _: None, fetch=serving(files))
    assert not (root / TOOLS).exists()


def test_a_release_that_its_checksum_file_does_not_list_is_not_used(root: Path) -> None:
    files = {f"{base}/{LISTING}": b"" for base in RELEASES}
    with pytest.raises(EngineError, match="does not list"):
        obtain(root, say=lambda _: None, fetch=serving(files))


def test_the_second_host_is_asked_when_the_first_is_not_there(root: Path) -> None:
    data = archive(pulumi=f"echo v{VERSION}")
    assert obtain(root, say=lambda _: None, fetch=serving(release(data, base=RELEASES[1])))


def test_a_path_in_the_archive_cannot_leave_the_tools_folder(root: Path) -> None:
    data = archive(pulumi=f"echo v{VERSION}", **{"../../../pulumi-language-python": "true"})
    obtain(root, say=lambda _: None, fetch=serving(release(data)))
    assert (root / "tools/bin/pulumi-language-python").is_file()
    assert not (root.parent / "pulumi-language-python").exists()


def test_a_host_that_never_answers_is_given_up(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import threading

    monkeypatch.setattr(engine, "_REACH_SECONDS", 0.05)
    never = threading.Event()

    def silent(url: str, timeout: float, /) -> IO[bytes]:
        never.wait()
        raise OSError

    with pytest.raises(EngineError, match="no answer"):
        obtain(root, say=lambda _: None, fetch=silent)
    never.set()


@pytest.mark.parametrize(
    ("line", "digest"),
    [
        (f"{'AB' * 32}  {ARCHIVE}", "ab" * 32),
        (f"{'ab' * 32} *{ARCHIVE}", "ab" * 32),
        (f"{'ab' * 32}  {ARCHIVE}.sig", None),
        (f"{'ab' * 31}  {ARCHIVE}", None),
        (f"{'xy' * 32}  {ARCHIVE}", None),
    ],
)
def test_a_checksum_is_read_from_the_line_of_exactly_that_file(line: str, digest: str | None) -> None:
    assert checksum_of(f"# comment\n{line}\n", ARCHIVE) == digest


# --- the build


def go(root: Path, script: str) -> Path:
    (root / "tools/pulumi").mkdir(parents=True)
    (root / "tools/pulumi/go.mod").write_text("module x\n")
    return program(root.parent / "path/go", script)


def test_offline_the_pinned_version_is_built_with_go(root: Path) -> None:
    # The last argument but one is the file to write.
    go(
        root,
        f'pwd > {root}/where; while [ "$1" != -o ]; do echo "$1" >> {root}/args; shift; done; '
        f'printf "#!/bin/sh\\necho v{VERSION}\\n" > "$2"; chmod +x "$2"',
    )
    lines, say = heard()
    assert obtain(root, say=say, fetch=offline).version == VERSION
    assert (root / "where").read_text().strip() == str(root / "tools/pulumi")
    assert "-mod=readonly" in (root / "args").read_text()
    assert f"version.Version=v{VERSION}" in (root / "args").read_text()
    assert any("building" in line for line in lines)


def test_a_build_that_fails_says_what_go_said_and_leaves_nothing(root: Path) -> None:
    go(root, "echo 'go: downloading example.com/x v1.0.0' >&2; echo 'verifying module: checksum mismatch' >&2; exit 1")
    with pytest.raises(EngineError) as caught:
        obtain(root, say=lambda _: None, fetch=offline)
    assert "verifying module: checksum mismatch" in str(caught.value)
    assert "downloading example.com/x" not in str(caught.value)
    assert [path.name for path in (root / "tools/bin").glob("*pulumi*")] == []


def test_without_anything_the_answer_names_what_was_tried_and_what_to_do(root: Path) -> None:
    with pytest.raises(EngineError) as caught:
        obtain(root, say=lambda _: None, fetch=offline)
    text = str(caught.value)
    assert "get.pulumi.com: Name or service not known" in text
    assert "go.mod" in text
    assert "edgewright up local --without-engine" in text


def test_the_module_that_is_built_names_the_version_that_is_downloaded() -> None:
    module = (Path(__file__).parents[2] / "tools/pulumi/go.mod").read_text()
    assert f"github.com/pulumi/pulumi/pkg/v3 v{VERSION}\n" in module
    assert f"github.com/pulumi/pulumi/sdk/v3 v{VERSION} " in module
    assert tuple(map(int, VERSION.split("."))) >= MINIMUM


def test_two_processes_get_it_once(root: Path) -> None:
    """The second waits for the first, and then finds what it made."""
    import multiprocessing

    go(
        root,
        f'echo x >> {root}/builds; sleep 0.3; while [ "$1" != -o ]; do shift; done; '
        f'printf "#!/bin/sh\\necho v{VERSION}\\n" > "$2"; chmod +x "$2"',
    )
    context = multiprocessing.get_context("fork")
    workers = [context.Process(target=obtain, args=(root,), kwargs={"fetch": offline}) for _ in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(30)
    assert [worker.exitcode for worker in workers] == [0, 0]
    assert (root / "builds").read_text() == "x\n"
    assert os.access(root / TOOLS, os.X_OK)
