"""The logs of a local edge as one reads them: the last lines, and what comes after."""

import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from edgewright.local.state import LocalError
from edgewright.spec.problems import printable

LOOK_SECONDS = 0.2


@dataclass(slots=True)
class _Reader:
    """Follows one log by its name, through the moments at which it is set aside and begun anew."""

    path: Path
    file: IO[str] | None = None
    inode: int = 0

    def lines(self) -> Iterator[str]:
        """What has been written since it was last asked; a line that is not finished waits."""
        if self.file is None:
            try:
                self.file = self.path.open(encoding="utf-8", errors="replace")
            except FileNotFoundError:
                return
            self.inode = self.path.stat().st_ino
        while True:
            place = self.file.tell()
            line = self.file.readline()
            if not line.endswith("\n"):
                self.file.seek(place)
                break
            yield line[:-1]
        try:
            replaced = self.path.stat().st_ino != self.inode
        except FileNotFoundError:
            replaced = False
        if replaced:
            self.file.close()
            self.file = None
            yield from self.lines()


def show(
    folder: Path,
    name: str | None,
    *,
    lines: int,
    follow: bool,
    write: Callable[[str], object] = print,
    until: Callable[[], bool] = lambda: False,
) -> int:
    """Print the last ``lines`` of one log or of all, and go on while ``follow`` is asked and ``until`` is not true.

    Several logs have their name before each line. Raises LocalError for a name that there is no log of.
    """
    names = sorted(path.name.removesuffix(".log") for path in folder.glob("*.log")) if folder.is_dir() else []
    if name is not None and name not in names:
        raise LocalError(f"there is no log `{name}` in {folder}; known: {', '.join(names) or 'none'}")
    chosen = names if name is None else [name]
    readers = {item: _Reader(folder / f"{item}.log") for item in chosen}
    for item, reader in readers.items():
        for line in deque(reader.lines(), maxlen=max(0, lines)):
            write(_shown(item, line, alone=name is not None))
    while follow and not until():
        time.sleep(LOOK_SECONDS)
        for item, reader in readers.items():
            for line in reader.lines():
                write(_shown(item, line, alone=name is not None))
    return 0


def _shown(name: str, line: str, *, alone: bool) -> str:
    # A backend may log anything that a client sent: nothing of it may speak to the terminal.
    clean = printable(line)
    return clean if alone else f"{name}: {clean}"
