"""A git repository made of this project's own stacks and program, and changes to it."""

import os
import shutil
import subprocess
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]
PARTS = (
    ".github",
    "infra",
    "policies",
    "stacks",
    "Makefile",
    "Pulumi.yaml",
    "PulumiPlugin.yaml",
    "pyproject.toml",
    "requirements.txt",
)

# Nothing of whoever runs the tests: no signatures, no hooks, no other defaults.
_SETTINGS = {
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_SYSTEM": os.devnull,
    "GIT_AUTHOR_NAME": "Ann",
    "GIT_AUTHOR_EMAIL": "ann@shop.example",
    "GIT_COMMITTER_NAME": "Ann",
    "GIT_COMMITTER_EMAIL": "ann@shop.example",
    "GIT_AUTHOR_DATE": "2026-01-02T03:04:05Z",
    "GIT_COMMITTER_DATE": "2026-01-02T03:04:05Z",
}


def git(folder: Path, *arguments: str, data: bytes | None = None) -> str:
    """Run git in a folder; what it says."""
    done = subprocess.run(
        ["git", *arguments], cwd=folder, env={**os.environ, **_SETTINGS}, input=data, capture_output=True, check=False
    )
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout.decode().strip()


@dataclass(frozen=True)
class Repository:
    """A repository and its folder, with `main` checked out first."""

    folder: Path

    @staticmethod
    def create(folder: Path, files: Mapping[str, str] | None = None, *, stacks: Collection[str] = ()) -> "Repository":
        """Make one of this project's parts, with all its stacks or some; or of a few files."""
        folder.mkdir(parents=True)
        git(folder, "init", "--quiet", "--initial-branch=main")
        git(folder, "config", "uploadpack.allowAnySHA1InWant", "true")
        repository = Repository(folder)
        if files is None:
            ignored = shutil.ignore_patterns("__pycache__", ".edgewright")
            for part in PARTS:
                source = PROJECT / part
                if source.is_dir():
                    shutil.copytree(source, folder / part, ignore=ignored)
                else:
                    shutil.copy(source, folder / part)
            for file in (folder / "stacks").glob("Pulumi.*.yaml"):
                if stacks and file.name.split(".")[1] not in stacks:
                    file.unlink()
        repository.commit(files or {})
        return repository

    def commit(self, files: Mapping[str, str | bytes | None]) -> str:
        """Write files (None: remove it; ``-> x``: a link to x) and commit everything; the commit."""
        for name, content in files.items():
            path = self.folder / name
            if path.is_symlink() or content is None:
                path.unlink()
            if content is None:
                continue
            path.parent.mkdir(parents=True, exist_ok=True)
            if isinstance(content, bytes):
                path.write_bytes(content)
            elif content.startswith("-> "):
                path.unlink(missing_ok=True)
                path.symlink_to(content.removeprefix("-> "))
            else:
                path.write_text(content)
        git(self.folder, "add", "--all", "--force", ".")
        git(self.folder, "commit", "--quiet", "--allow-empty", "--message", "A change")
        return self.head

    def merge(self, branch: str) -> str:
        """What GitHub makes of a pull request: main with the branch merged, as a commit of two parents."""
        git(self.folder, "checkout", "--quiet", "--detach", "main")
        git(self.folder, "merge", "--quiet", "--no-ff", "--no-edit", branch)
        merged = self.head
        git(self.folder, "checkout", "--quiet", branch)
        return merged

    def branch(self, name: str) -> None:
        """Go on from main on a branch of that name."""
        git(self.folder, "checkout", "--quiet", "-B", name, "main")

    def read(self, path: str) -> str:
        """The text of a file on main."""
        return git(self.folder, "show", f"main:{path}") + "\n"

    @property
    def head(self) -> str:
        """The commit that is checked out."""
        return git(self.folder, "rev-parse", "HEAD")

    def tree(self, revision: str) -> str:
        """The id of all files of a revision."""
        return git(self.folder, "rev-parse", f"{revision}^{{tree}}")
