"""TCP ports of this machine: whether one is free, who holds one that is not, and a free one for a child."""

import errno
import random
import socket
from collections.abc import Collection
from pathlib import Path

CHILD_PORTS = range(20000, 32000)
"""Where ports for children are looked for: below those that the kernel takes for outgoing connections (32768 up)."""


def problem(address: str, port: int) -> str:
    """Why ``address:port`` cannot be opened, as a clause; empty when it can."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((address, port))
            probe.listen(1)
        except OSError as error:
            return _reason(error, port)
    return ""


def _reason(error: OSError, port: int) -> str:
    if error.errno == errno.EADDRINUSE:
        holder = who_listens(port)
        return f"port {port} is in use" + (f" by {holder}" if holder else "")
    if error.errno == errno.EACCES:
        return f"port {port} is below 1024, which takes root here"
    return f"port {port} cannot be opened: {error.strerror or error}"


def who_listens(port: int) -> str:
    """``nginx (pid 812)`` for the process that listens on the TCP port; empty when that cannot be seen."""
    inodes = _listening_inodes(port)
    if not inodes:
        return ""
    links = {f"socket:[{inode}]" for inode in inodes}
    for entry in _entries(Path("/proc")):
        if entry.name.isdigit() and links.intersection(_descriptors(entry)):
            return f"{_name(entry)} (pid {entry.name})"
    return ""


def free_port(taken: Collection[int] = ()) -> int:
    """A port on 127.0.0.1 that nothing listens on now and that is not in ``taken``."""
    for _ in range(200):
        port = random.choice(CHILD_PORTS)  # noqa: S311 - no secret
        if port not in taken and not problem("127.0.0.1", port):
            return port
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _listening_inodes(port: int) -> set[str]:
    found: set[str] = set()
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        try:
            lines = Path(table).read_text().splitlines()[1:]
        except OSError:
            continue
        for line in lines:
            words = line.split()
            # proc(5): local address is hexadecimal address:port, state 0A is LISTEN, the tenth word is the inode.
            if words[3] == "0A" and int(words[1].rsplit(":", 1)[1], 16) == port:
                found.add(words[9])
    return found


def _entries(path: Path) -> list[Path]:
    try:
        return sorted(path.iterdir())
    except OSError:
        return []


def _descriptors(process: Path) -> set[str]:
    links: set[str] = set()
    for entry in _entries(process / "fd"):
        try:
            links.add(str(entry.readlink()))
        except OSError:
            continue
    return links


def _name(process: Path) -> str:
    try:
        return (process / "comm").read_text().strip()
    except OSError:
        return "a process"
