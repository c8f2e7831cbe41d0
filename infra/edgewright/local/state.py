"""The state folder of a local edge: who may enter it, where things stand in it, and the lock that says it runs."""

import contextlib
import fcntl
import json
import os
import shutil
import stat
import time
from collections.abc import Generator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from edgewright.local.process import Identity, identify

LOCK = "lock"
CONTROL = "control.sock"
MAX_SOCKET_PATH = 100
"""Unix socket paths hold 107 bytes on Linux and 103 on macOS."""


class LocalError(Exception):
    """The local edge could not do what was asked; its text says why and what to do about it, and holds no secret."""


@dataclass(frozen=True, slots=True)
class Holder:
    """The supervisor that holds a state folder; ``run`` marks the processes that it started."""

    process: Identity
    run: str


class StateFolder:
    """Paths in the state folder, which only its owner can enter."""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path).absolute()
        self._descriptor: int | None = None
        self._held: os.stat_result | None = None

    def __truediv__(self, name: str) -> Path:
        return self.path / name

    def prepare(self) -> None:
        """Create the folder (0700), or take the one that is there.

        Raises LocalError when it belongs to somebody else, holds what is not ours, or cannot be closed to others.
        """
        try:
            self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
            found = self.path.stat()
        except (FileExistsError, NotADirectoryError):
            raise LocalError(f"{self.path} is in the way and is not a folder; choose another --state") from None
        except OSError as error:
            raise LocalError(f"cannot create the state folder {self.path}: {error.strerror}") from None
        if found.st_uid != os.geteuid():
            raise LocalError(
                f"the state folder {self.path} belongs to another user (uid {found.st_uid}); choose another --state"
            )
        # The lock is the first thing in a folder of ours. Looked for last, it is there however another start goes on.
        if any(self.path.iterdir()) and not (self.path / LOCK).exists():
            raise LocalError(
                f"{self.path} is not empty and is not the state folder of an edge; choose an empty one with --state"
            )
        if stat.S_IMODE(found.st_mode) & 0o077:
            try:
                self.path.chmod(0o700)
            except OSError as error:
                raise LocalError(
                    f"others can enter the state folder {self.path} and it cannot be closed: {error.strerror}; "
                    "run chmod 700 on it or choose another --state"
                ) from None
        os.close(os.open(self.path / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600))

    def folder(self, *names: str) -> Path:
        """A folder below it, created (0700) where it is missing."""
        path = self.path.joinpath(*names)
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        return path

    def socket(self, name: str) -> str:
        """A path for the socket ``name`` that is short enough, however deep the folder lies."""
        path = str(self.path / name)
        if len(os.fsencode(path)) <= MAX_SOCKET_PATH:
            return path
        if self._descriptor is None:
            self._descriptor = os.open(self.path, os.O_RDONLY | os.O_DIRECTORY)
        return f"/proc/self/fd/{self._descriptor}/{name}"

    def close(self) -> None:
        """Let go of the folder."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def write(self, name: str, data: bytes | str, mode: int = 0o600) -> Path:
        """Replace the file ``name`` at once: a reader sees the old text or the new one, never a part."""
        target = self.path / name
        scratch = self.folder("tmp") / f"{os.getpid()}-{target.name}"
        text = data.encode() if isinstance(data, str) else data
        descriptor = os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, mode)
        with os.fdopen(descriptor, "wb") as file:
            os.fchmod(file.fileno(), mode)
            file.write(text)
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        scratch.replace(target)
        return target

    def read_json(self, name: str) -> Any:
        """The JSON in the file ``name``; None when there is no such file or it is not JSON."""
        try:
            return json.loads((self.path / name).read_bytes())
        except (FileNotFoundError, NotADirectoryError, ValueError):
            return None

    def holder(self) -> Holder | None:
        """The supervisor that runs here now; None when nobody holds the lock.

        The lock is the truth: the kernel lets go of it when its holder dies, however it dies.
        """
        try:
            descriptor = os.open(self.path / LOCK, os.O_RDWR | os.O_CLOEXEC)
        except (FileNotFoundError, NotADirectoryError):
            return None
        except PermissionError:
            raise LocalError(f"the state folder {self.path} belongs to another user") from None
        try:
            fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return _wait_for_holder(descriptor)
        finally:
            os.close(descriptor)
        return None

    def is_lost(self) -> bool:
        """Whether the folder that this process holds was removed or replaced under it, so that nobody can reach it."""
        try:
            return self._held is not None and not os.path.samestat((self.path / LOCK).stat(), self._held)
        except FileNotFoundError:
            return True

    def last_run(self) -> str:
        """The mark of the last run's processes, alive or not; empty when there was none."""
        return _text(_content(self.path / LOCK), "run")

    @contextlib.contextmanager
    def hold(self, run: str, patience: float = 1.0) -> Generator[None]:
        """Hold the lock while the block runs.

        Waits ``patience`` seconds, since somebody who only looks also takes it for a moment. Raises LocalError when
        another supervisor holds it.
        """
        descriptor = os.open(self.path / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        try:
            deadline = time.monotonic() + patience
            while True:
                try:
                    fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    break
                except BlockingIOError:
                    if time.monotonic() > deadline:
                        holder = _wait_for_holder(descriptor)
                        raise already_running(self, holder) from None
                    time.sleep(0.01)
            own = identify(os.getpid())
            text = json.dumps({"pid": os.getpid(), "start": own.start if own else 0, "run": run})
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, text.encode(), 0)
            self._held = os.fstat(descriptor)
            yield
        finally:
            os.close(descriptor)


def already_running(state: StateFolder, holder: Holder | None) -> LocalError:
    """The answer to a second start."""
    pid = f" (pid {holder.process.pid})" if holder else ""
    return LocalError(
        f"the edge in {state.path} is already running{pid}; change it with an update, or stop it with `edgewright down`"
    )


def _wait_for_holder(descriptor: int) -> Holder | None:
    # The lock is taken a moment before its holder has written who it is.
    for _ in range(50):
        data = os.pread(descriptor, 4096, 0)
        with contextlib.suppress(ValueError, KeyError, TypeError):
            found = json.loads(data)
            return Holder(Identity(int(found["pid"]), int(found["start"])), str(found["run"]))
        time.sleep(0.01)
    return None


def _content(path: Path) -> Any:
    try:
        return json.loads(path.read_bytes())
    except (OSError, ValueError):
        return None


def _text(data: Any, key: str) -> str:
    return str(data.get(key, "")) if isinstance(data, Mapping) else ""  # pyright: ignore[reportUnknownMemberType, reportUnknownArgumentType]


def clean(state: StateFolder) -> None:
    """Remove what only a running edge needs; keys, credentials, counted quotas and logs stay."""
    for path in state.path.glob("*.sock"):
        path.unlink(missing_ok=True)
    for name in ("artifact.json", "idp.json"):
        (state / name).unlink(missing_ok=True)
    for name in ("admin", "bootstrap", "tmp", "xds"):
        shutil.rmtree(state / name, ignore_errors=True)
