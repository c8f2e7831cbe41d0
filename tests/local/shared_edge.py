"""An edge for a whole module of tests, with echo services behind it that show what reached them."""

import contextlib
import json
import os
import shutil
import tempfile
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from edgewright.edge.model import Edge
from edgewright.edge.resolve import resolve
from edgewright.local import runtime, tokens
from edgewright.local.compile import compile_edge
from edgewright.local.status import Status
from edgewright.spec.model import EdgeSpec
from local.http import Answer, Headers, ask


class SharedEdge:
    """A running edge. port: its first listener's, plain http unless the spec says otherwise."""

    def __init__(self, spec: Mapping[str, Any], bindings: Mapping[str, Any], folder: Path) -> None:
        self.folder = folder
        self.bindings = bindings
        self.edge: Edge = resolve(EdgeSpec.model_validate(spec))
        self.port = next(iter(bindings["listeners"].values()))["port"]

    def start(self) -> Status:
        """Start it."""
        return runtime.start(compile_edge(self.edge, self.bindings).artifact, self.folder)

    def update(self, spec: Mapping[str, Any]) -> Status:
        """Change it to another spec."""
        self.edge = resolve(EdgeSpec.model_validate(spec))
        return runtime.update(compile_edge(self.edge, self.bindings).artifact, self.folder)

    def ask(self, path: str = "/", headers: Headers = (), **more: Any) -> Answer:
        """One request to its first listener."""
        return ask(self.port, path, headers, **more)

    def token(self, authorizer: str = "main", **more: Any) -> str:
        """A good token."""
        more.setdefault("subject", "developer")
        return tokens.mint(self.folder, authorizer, **more)

    def bearer(self, authorizer: str = "main", **more: Any) -> dict[str, str]:
        """A good token as a header."""
        return {"authorization": f"Bearer {self.token(authorizer, **more)}"}

    def key(self, authorizer: str, client: str) -> str:
        """A client's API key."""
        return runtime.credential(self.folder, authorizer, client)

    def seen(self, path: str) -> int:
        """How many requests for this path have reached the echo services."""
        return sum(int(answer.json()["counts"].get(path, 0)) for answer in self.tell_backends("/count"))

    def tell_backends(self, path: str, method: str = "GET") -> list[Answer]:
        """Ask every instance that runs, not through the edge but at its own port."""
        found: list[Answer] = []
        for port in self.backend_ports():
            with contextlib.suppress(ConnectionError):
                found.append(ask(port, path, method=method))
        return found

    def backend_ports(self) -> list[int]:
        """The ports of the instances that the edge started, from the endpoint files that Envoy reads."""
        found: set[int] = set()
        for file in (self.folder / "xds/eds").glob("backend-*.json"):
            for resource in json.loads(file.read_text())["resources"]:
                for group in resource["endpoints"]:
                    for item in group["lb_endpoints"]:
                        found.add(item["endpoint"]["address"]["socket_address"]["port_value"])
        return sorted(found)


def echo(instances: int = 1, *words: str) -> dict[str, Any]:
    """A binding to echo services."""
    return {"command": ["python", "-m", "edgewright.local.samples", "echo", *words], "instances": instances}


@contextmanager
def shared_edge(spec: Mapping[str, Any], **bindings: Any) -> Generator[SharedEdge]:
    """Start an edge for the tests of a module, and stop it after them. Backends that are not bound are echo services."""
    root = Path(tempfile.mkdtemp(prefix="edge-"))
    backends = {name: echo() for name in spec["backends"]} | bindings.pop("backends", {})
    running = SharedEdge(spec, {"backends": backends, **bindings}, root / "state")
    try:
        running.start()
        yield running
    finally:
        runtime.stop(running.folder, drain_seconds=0)
        if os.environ.get("EDGEWRIGHT_KEEP"):
            print(f"kept {root}")
        else:
            shutil.rmtree(root, ignore_errors=True)
