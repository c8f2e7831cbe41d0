"""Gathers problems while a spec is resolved, so that all of them are reported at once."""

from collections.abc import Iterable
from typing import Literal

from edgewright.edge.model import Finding, Origin
from edgewright.spec.problems import Path, Problem, Sources, did_you_mean, dotted


class Collector:
    """Problems and findings of one resolution, and the way from paths to origins."""

    def __init__(self, sources: Sources) -> None:
        self._sources = sources
        self.problems: list[Problem] = []
        self.findings: list[Finding] = []

    def error(self, path: Path, what: str, remedy: str = "", *, code: str, key: bool = False) -> None:
        """Note an error at ``path``; ``key`` when it is about the key that stands there."""
        self.problems.append(Problem(self._sources.place(path, key=key), what, remedy, "error", code))

    def unknown(self, path: Path, what: str, name: str, known: Iterable[str]) -> None:
        """Note a name that nothing has."""
        self.error(
            path,
            f"there is no {what} `{name}`",
            did_you_mean(name, known),
            code=f"unknown-{what.rsplit(maxsplit=1)[-1]}",
        )

    def warn(self, path: Path, routes: tuple[str, ...], reason: str, remedy: str = "") -> None:
        """Note something doubtful that does not stop the spec."""
        level: Literal["warning"] = "warning"
        field = dotted(path[2:] if path[:1] == ("routes",) and len(path) > 2 else path)
        self.findings.append(Finding(level, field, routes, reason, remedy, self._sources.place(path)))

    def origin(self, path: Path, *, key: bool = False) -> Origin:
        """The origin of what is written at ``path``."""
        return Origin(path, self._sources.place(path, key=key))
