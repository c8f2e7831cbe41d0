"""Find a Pulumi CLI for this repository, or get one: from PATH, its tools folder, the official release, or Go modules.

`find` only looks. `obtain` also downloads or builds, once, into the ignored folder ``tools/bin``; a second call costs
a few file reads. ``python -m edgewright.engine`` does the same from a shell and prints the path.

The release is pinned by version. Its SHA-256 is read from the checksum file that Pulumi publishes beside the release,
over HTTPS, in the same run: that shows the archive is complete and is the one which the publisher lists, and it rests
on the publisher's host and its TLS certificate, since no digest of the archive is kept in this repository. The build
from Go modules is pinned by content: each module's hash stands in ``tools/pulumi/go.sum``.
"""

import argparse
import fcntl
import hashlib
import json
import os
import platform
import re
import shutil
import stat
import subprocess
import sys
import tarfile
import tempfile
import threading
import time
import urllib.request
from collections import deque
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPResponse
from pathlib import Path
from typing import IO, Literal, Protocol

VERSION = "3.259.0"
"""The release that is downloaded, and the version that ``tools/pulumi/go.mod`` names."""

MINIMUM = (3, 259, 0)
"""The oldest CLI that is used: the oldest that the stack's tests ran with."""

RELEASES = (
    "https://get.pulumi.com/releases/sdk",
    f"https://github.com/pulumi/pulumi/releases/download/v{VERSION}",
)
"""Where the release lies: archives by system and machine, and ``pulumi-<version>-checksums.txt`` beside them."""

WITHOUT = "edgewright up local --without-engine"
"""What runs the local edge when there is no engine at all."""

_PACKAGE = "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi"
_VERSION_SYMBOL = "github.com/pulumi/pulumi/sdk/v3/go/common/version.Version"

# The release bundles the hosts of every language; a stack here is a Python program and its policies are too.
_WANTED = frozenset(
    {
        "pulumi",
        "pulumi-language-python",
        "pulumi-language-python-exec",
        "pulumi-analyzer-policy-python",
        "pulumi-resource-pulumi-python",
    }
)
_SYSTEMS = {"Linux": "linux", "Darwin": "darwin"}
_MACHINES = {"x86_64": "x64", "amd64": "x64", "aarch64": "arm64", "arm64": "arm64"}

_REACH_SECONDS = 5.0  # a host that has not answered by then is not there: whoever is offline should not wait
_STALL_SECONDS = 30.0
_PROGRESS_SECONDS = 15.0

Say = Callable[[str], None]


class EngineError(Exception):
    """No usable Pulumi CLI; the text says what was tried and what to do."""


@dataclass(frozen=True, slots=True)
class Engine:
    """A Pulumi CLI: where it is, its version (``3.259.0``), and where it came from."""

    path: Path
    version: str
    origin: Literal["PATH", "tools"]


class Fetch(Protocol):
    """Opens a URL for reading; raises OSError when it cannot."""

    def __call__(self, url: str, timeout: float, /) -> IO[bytes]: ...


def find(root: Path, *, say: Say | None = None) -> Engine | None:
    """The CLI on PATH, else the one in ``root/tools/bin``; None when neither is there or new enough.

    Downloads nothing. ``say`` hears of a CLI that is passed over, and why.
    """
    on_path = shutil.which("pulumi")
    candidates: list[tuple[Path, Literal["PATH", "tools"]]] = []
    if on_path:
        candidates.append((Path(on_path), "PATH"))
    candidates.append((_tools(root) / "pulumi", "tools"))
    for path, origin in candidates:
        if not path.is_file():
            continue
        version = _version(path, _tools(root))
        if version and _parse(version) >= MINIMUM:
            return Engine(path, version, origin)
        if say:
            at_least = ".".join(map(str, MINIMUM))
            say(
                f"{path} is passed over: "
                + (f"version {version}, and {at_least} is needed" if version else "it does not run")
            )
    return None


def obtain(root: Path, *, say: Say = print, fetch: Fetch | None = None) -> Engine:
    """Find a CLI, or download the pinned release, or build it from Go modules.

    Only one process at a time gets it; the others wait for it. Raises EngineError with everything that was tried.
    """
    found = find(root)
    if found:
        return found
    tools = _tools(root)
    tools.mkdir(parents=True, exist_ok=True)
    with _alone(tools, say):
        found = find(root, say=say)
        if found:
            return found
        tried: list[str] = []
        for step in (lambda: _download(tools, say, fetch or _fetch), lambda: _build(root, tools, say)):
            try:
                step()
            except EngineError as error:
                say(f"pulumi: {error}")
                tried.append(str(error))
                continue
            found = find(root)
            if found:
                say(f"pulumi: {found.version} is ready in {os.path.relpath(found.path)}")
                return found
            tried.append(f"{tools / 'pulumi'} does not run")
        raise EngineError(
            "no Pulumi CLI of version "
            f"{'.'.join(map(str, MINIMUM))} or newer on PATH or in {tools}, and none could be had:\n"
            + "".join(f"  - {reason}\n" for reason in tried)
            + "What to do: install Pulumi (https://www.pulumi.com/docs/install/), or install Go and run this again, "
            f"or run the local edge without an engine and without state: {WITHOUT}"
        )


def _tools(root: Path) -> Path:
    return root / "tools" / "bin"


@contextmanager
def _alone(tools: Path, say: Say) -> Generator[None]:
    """One process at a time in the tools folder; the lock falls with the process that holds it."""
    with (tools / ".lock").open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            say("pulumi: another process is getting it; waiting")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


# --- versions


def _parse(version: str) -> tuple[int, int, int]:
    match = re.match(r"v?(\d+)\.(\d+)\.(\d+)", version)
    return (int(match[1]), int(match[2]), int(match[3])) if match else (0, 0, 0)


def _version(path: Path, tools: Path) -> str | None:
    """What the CLI says it is; remembered by its size and time of change, since asking costs a quarter of a second."""
    try:
        facts = path.stat()
    except OSError:
        return None
    key = f"{path.resolve()}:{facts.st_size}:{facts.st_mtime_ns}"
    memory = tools / ".versions.json"
    known: dict[str, str] = {}
    try:
        known = json.loads(memory.read_text())
        if key in known:
            return str(known[key])
    except (OSError, ValueError, TypeError):
        known = {}
    try:
        ran = subprocess.run(
            [str(path), "version"],
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
            stdin=subprocess.DEVNULL,
            env={**os.environ, "PULUMI_SKIP_UPDATE_CHECK": "true"},
        )
    except (OSError, subprocess.SubprocessError):
        return None
    version = ran.stdout.strip().removeprefix("v")
    if _parse(version) == (0, 0, 0):
        return None
    if tools.is_dir():
        _write(memory, json.dumps({key: version}).encode())
    return version


# --- the official release


def _fetch(url: str, timeout: float, /) -> IO[bytes]:
    request = urllib.request.Request(url, headers={"User-Agent": "edgewright"})  # noqa: S310 (https, from RELEASES)
    answer: HTTPResponse = urllib.request.urlopen(request, timeout=timeout)  # noqa: S310
    if not answer.url.startswith("https://"):
        answer.close()
        raise OSError(f"it redirects to {answer.url}, which is not https")
    return answer


def _download(tools: Path, say: Say, fetch: Fetch) -> None:
    """Put the pinned release into ``tools`` after its checksum was compared; EngineError when that cannot be done."""
    name = _archive_name()
    reasons: list[str] = []
    for base in RELEASES:
        host = base.split("/")[2]
        try:
            listing = _read_quickly(fetch, f"{base}/pulumi-{VERSION}-checksums.txt")
        except OSError as error:
            reasons.append(f"{host}: {getattr(error, 'reason', None) or error}")
            continue
        expected = checksum_of(listing.decode("utf-8", "replace"), name)
        if expected is None:
            reasons.append(f"{host}: its checksum file does not list {name}")
            continue
        say(f"pulumi: downloading {name} from {host}")
        try:
            with tempfile.TemporaryFile(dir=tools) as archive:
                actual = _copy(fetch(f"{base}/{name}", _STALL_SECONDS), archive)
                if actual != expected:
                    # Not a reason to try elsewhere: somebody should look at it.
                    raise EngineError(
                        f"{name} from {host} has SHA-256 {actual}, and its publisher lists {expected}; "
                        "nothing of it was used"
                    )
                archive.seek(0)
                _unpack(archive, tools)
        except (OSError, tarfile.TarError) as error:
            reasons.append(f"{host}: {error}")
            continue
        return
    raise EngineError(f"the official release cannot be downloaded ({'; '.join(reasons)})")


def _archive_name() -> str:
    system, machine = _SYSTEMS.get(platform.system()), _MACHINES.get(platform.machine().lower())
    if not system or not machine:
        raise EngineError(f"there is no official release for {platform.system()} on {platform.machine()}")
    return f"pulumi-v{VERSION}-{system}-{machine}.tar.gz"


def checksum_of(listing: str, name: str) -> str | None:
    """The SHA-256 that a checksum file lists for the file ``name`` (lines of ``<hex>  <name>``); None without one."""
    for line in listing.splitlines():
        digest, _, listed = line.strip().partition(" ")
        if listed.strip().lstrip("*") == name and re.fullmatch(r"[0-9a-fA-F]{64}", digest):
            return digest.lower()
    return None


def _read_quickly(fetch: Fetch, url: str) -> bytes:
    """A small file, or OSError within seconds.

    In a thread of its own, since a name server that is silent holds getaddrinfo for longer than any socket timeout.
    """
    answer: list[bytes | OSError] = []

    def read() -> None:
        try:
            with fetch(url, _REACH_SECONDS) as response:
                answer.append(response.read(1 << 20))
        except OSError as error:
            answer.append(error)

    thread = threading.Thread(target=read, daemon=True)
    thread.start()
    thread.join(2 * _REACH_SECONDS)
    if not answer:
        raise TimeoutError("no answer")
    if isinstance(answer[0], OSError):
        raise answer[0]
    return answer[0]


def _copy(source: IO[bytes], target: IO[bytes]) -> str:
    digest = hashlib.sha256()
    with source:
        while chunk := source.read(1 << 20):
            digest.update(chunk)
            target.write(chunk)
    return digest.hexdigest()


def _unpack(archive: IO[bytes], tools: Path) -> None:
    """Only the wanted programs, by name, as plain files: no path, link or mode in the archive is believed."""
    contents: dict[str, bytes] = {}
    with tarfile.open(fileobj=archive, mode="r:gz") as tar:
        for member in tar:
            name = member.name.rsplit("/", 1)[-1]
            data = tar.extractfile(member) if member.isfile() and name in _WANTED else None
            if data:
                contents[name] = data.read()
    if "pulumi" not in contents:
        raise tarfile.TarError("the archive has no pulumi in it")
    for name in sorted(contents, key=lambda item: item == "pulumi"):  # pulumi last: its presence says it is complete
        _write(tools / name, contents[name], executable=True)


# --- the build from Go modules


def _build(root: Path, tools: Path, say: Say) -> None:
    """Build the pinned version with Go into ``tools``; EngineError when that cannot be done."""
    module = root / "tools" / "pulumi"
    go = shutil.which("go")
    if not (module / "go.mod").is_file():
        raise EngineError(f"there is no {module / 'go.mod'} to build it from")
    if not go:
        raise EngineError("there is no `go` on PATH to build it with")
    say(f"pulumi: building {VERSION} from Go modules; once, 4 to 8 minutes on two cores")
    target = tools / f".pulumi.{os.getpid()}"
    command = [
        go,
        "build",
        "-v",
        "-mod=readonly",
        "-trimpath",
        f"-ldflags=-s -w -X {_VERSION_SYMBOL}=v{VERSION}",
        "-o",
        str(target),
        _PACKAGE,
    ]
    try:
        status, said = _run_aloud(command, module, say)
        if status != 0:
            text = "\n      ".join(said) or "it said nothing"
            raise EngineError(f"`go build` in {module} failed with status {status}:\n      {text}")
        target.replace(tools / "pulumi")
    finally:
        target.unlink(missing_ok=True)


def _run_aloud(command: list[str], folder: Path, say: Say) -> tuple[int, list[str]]:
    """Run a Go build with a line of progress now and then; its status, and the last of what was not progress."""
    began = spoke = time.monotonic()
    modules = packages = 0
    said: deque[str] = deque(maxlen=20)
    with subprocess.Popen(
        command, cwd=folder, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        try:
            for line in process.stdout or ():
                text = line.rstrip()
                if text.startswith("go: downloading"):
                    modules += 1
                elif re.fullmatch(r"[\w./~+-]+", text):
                    packages += 1  # -v names each package as it is compiled
                else:
                    said.append(text)
                now = time.monotonic()
                if now - spoke >= _PROGRESS_SECONDS:
                    spoke = now
                    say(f"pulumi: {now - began:4.0f} s, {modules} modules fetched, {packages} packages compiled")
        except BaseException:
            process.terminate()
            raise
    return process.returncode, list(said)


def _write(path: Path, data: bytes, *, executable: bool = False) -> None:
    """Write a file so that nobody ever sees half of it."""
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    temporary = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
        if executable:
            temporary.chmod(stat.S_IRWXU | stat.S_IRGRP | stat.S_IXGRP | stat.S_IROTH | stat.S_IXOTH)
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def main(arguments: list[str] | None = None) -> int:
    """Print the path of a CLI, getting one first if need be; progress and errors go to stderr."""
    parser = argparse.ArgumentParser(prog="python -m edgewright.engine", description="find or get a Pulumi CLI")
    parser.add_argument("--root", type=Path, default=Path.cwd(), help="the repository (default: here)")
    chosen = parser.parse_args(arguments)
    try:
        engine = obtain(chosen.root.resolve(), say=lambda text: print(text, file=sys.stderr, flush=True))
    except EngineError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    print(engine.path)
    return 0


if __name__ == "__main__":
    sys.exit(main())
