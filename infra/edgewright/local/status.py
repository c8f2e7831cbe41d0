"""What a running local edge says of itself."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class Health:
    """Instances of a backend: how many take requests, of how many."""

    healthy: int
    total: int


@dataclass(frozen=True, slots=True)
class Status:
    """A local edge at one moment.

    alive: every Envoy serves; url: where a person reaches it; listeners: URLs by name; digest: of the artifact that
    it runs; routes: their keys; backends: by name, as the spec calls them; processes: pids by name, None while one is
    down; warnings: clauses for a person; ca_certificate: the development authority, None without TLS.
    """

    name: str
    alive: bool
    pid: int
    state_dir: Path
    url: str = ""
    listeners: Mapping[str, str] = field(default_factory=dict[str, str])
    digest: str = ""
    routes: tuple[str, ...] = ()
    backends: Mapping[str, Health] = field(default_factory=dict[str, Health])
    processes: Mapping[str, int | None] = field(default_factory=dict[str, int | None])
    warnings: tuple[str, ...] = ()
    ca_certificate: Path | None = None

    def to_json(self) -> dict[str, Any]:
        """The plain JSON form."""
        return {
            "name": self.name,
            "alive": self.alive,
            "pid": self.pid,
            "state_dir": str(self.state_dir),
            "url": self.url,
            "listeners": dict(self.listeners),
            "digest": self.digest,
            "routes": list(self.routes),
            "backends": {name: {"healthy": item.healthy, "total": item.total} for name, item in self.backends.items()},
            "processes": dict(self.processes),
            "warnings": list(self.warnings),
            "ca_certificate": str(self.ca_certificate) if self.ca_certificate else None,
        }

    @staticmethod
    def from_json(data: Mapping[str, Any]) -> "Status":
        """Read back what :meth:`to_json` wrote."""
        return Status(
            name=data["name"],
            alive=bool(data["alive"]),
            pid=int(data["pid"]),
            state_dir=Path(data["state_dir"]),
            url=data["url"],
            listeners=dict(data["listeners"]),
            digest=data["digest"],
            routes=tuple(data["routes"]),
            backends={
                name: Health(int(item["healthy"]), int(item["total"])) for name, item in data["backends"].items()
            },
            processes=dict(data["processes"]),
            warnings=tuple(data["warnings"]),
            ca_certificate=Path(data["ca_certificate"]) if data["ca_certificate"] else None,
        )
