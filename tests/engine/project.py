"""A project of its own for each test: a spec, a stack, a state folder, a free port; run by the repository's engine."""

import os
import shutil
import socket
import ssl
import urllib.error
import urllib.request
from dataclasses import dataclass
from pathlib import Path

import yaml

from edgewright.local import runtime
from edgewright.local.status import Status

REPOSITORY = Path(__file__).resolve().parents[2]


def free_port() -> int:
    """A port that nobody listens on now."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        return int(listening.getsockname()[1])


@dataclass
class Project:
    """A folder with Pulumi.yaml and a stack `local` whose edge answers fixed texts.

    answers: what each path answers; changing them and calling `write` is editing the spec.
    """

    root: Path
    port: int
    answers: dict[str, str]

    @staticmethod
    def create(root: Path, **answers: str) -> "Project":
        """Write the project; the engine is the repository's."""
        settings = yaml.safe_load((REPOSITORY / "Pulumi.yaml").read_text())
        for plugin in settings["plugins"]["providers"]:
            plugin["path"] = str(REPOSITORY / plugin["path"])
        (root / "stacks").mkdir(parents=True)
        (root / "tools").symlink_to(REPOSITORY / "tools")
        (root / "Pulumi.yaml").write_text(yaml.safe_dump(settings))
        shutil.copy(REPOSITORY / "stacks/__main__.py", root / "stacks/__main__.py")
        (root / "stacks/Pulumi.local.yaml").write_text(
            "# kept as it is\nconfig:\n  edgewright:spec: hello.edge.yaml\n"
            "  edgewright:credentials: {'keys:acme': correct-horse-battery}\n"
        )
        project = Project(root, free_port(), answers or {"/hello": "hello"})
        project.write()
        return project

    def write(self) -> None:
        """Write the spec."""
        routes = {
            f"GET {path}": {"respond": {"status": 200, "body": body}, "auth": "none"}
            for path, body in self.answers.items()
        }
        spec = {
            "name": "hello",
            "listener": {"protocol": "http", "port": self.port},
            "authorizers": {"keys": {"api_key": {"clients": ["acme"]}}},
            "routes": {**routes, "GET /secret": {"respond": {"status": 200, "body": "in"}, "auth": "keys"}},
        }
        (self.root / "stacks/hello.edge.yaml").write_text(yaml.safe_dump(spec))

    @property
    def state_dir(self) -> Path:
        """The folder of the running edge."""
        return self.root / ".edgewright/local"

    @property
    def status(self) -> Status | None:
        """What runs."""
        return runtime.status(self.state_dir)

    @property
    def pid(self) -> int:
        """The supervisor that runs."""
        status = self.status
        assert status, "nothing runs"
        return status.pid

    def get(self, path: str, key: str = "") -> tuple[int, str]:
        """The status and body of a request to the edge; status 0 when nothing listens."""
        headers = {"x-api-key": key} if key else {}
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}{path}", headers=headers)
        try:
            with urllib.request.urlopen(request, timeout=30, context=ssl.create_default_context()) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, ""
        except (urllib.error.URLError, ConnectionError):
            return 0, ""

    def remains(self, run: str) -> list[int]:
        """Processes that carry the mark of a run."""
        found: list[int] = []
        for folder in Path("/proc").iterdir():
            if folder.name.isdigit():
                try:
                    environment = (folder / "environ").read_bytes().split(b"\0")
                except OSError:
                    continue
                if f"EDGEWRIGHT_RUN={run}".encode() in environment:
                    found.append(int(folder.name))
        return found

    def files_with(self, text: str) -> list[str]:
        """Files below the project's own folders that hold a text in the open, those of the stack itself left out."""
        found: list[str] = []
        for folder, _, names in os.walk(self.root / ".edgewright"):
            for name in names:
                path = Path(folder, name)
                if path.is_file() and text.encode() in path.read_bytes():
                    found.append(str(path.relative_to(self.root)))
        return found
