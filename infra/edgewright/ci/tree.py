"""Reads revisions of a repository through git's objects: nothing is checked out, and no link is followed."""

import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from edgewright.ci.job import CiError

LINK = "120000"
"""The mode of a symbolic link (https://git-scm.com/docs/git-fast-import, ``M`` lines)."""

_SECONDS = 120


@dataclass(frozen=True, slots=True)
class Entry:
    """A file of a revision. mode: as git has it; size: in bytes."""

    mode: str
    oid: str
    size: int


@dataclass(frozen=True, slots=True)
class Tree(Mapping[str, Entry]):
    """The files of a revision by path. id: of the tree, the same wherever all files are the same."""

    repository: Path
    id: str
    entries: Mapping[str, Entry]

    def __getitem__(self, path: str) -> Entry:
        return self.entries[path]

    def __iter__(self) -> Iterator[str]:
        return iter(self.entries)

    def __len__(self) -> int:
        return len(self.entries)

    def read(self, path: str) -> bytes:
        """The content of a file; of a link, where it leads. Ask for its size first."""
        return _git(self.repository, "cat-file", "blob", self[path].oid)


def commit_of(repository: Path, revision: str) -> str | None:
    """The commit that a revision names; None when the repository has none of that name."""
    try:
        return _git(
            repository, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}"
        ).decode()[:-1]
    except CiError:
        return None


def tree_of(repository: Path, revision: str) -> Tree:
    """The files of a revision."""
    commit = commit_of(repository, revision)
    if not commit:
        _git(repository, "rev-parse", "--git-dir")  # which says what keeps git from reading it at all
        raise CiError(f"there is no revision `{revision}` here: the checkout needs a greater `fetch-depth`")
    id_ = _git(repository, "rev-parse", "--verify", f"{commit}^{{tree}}").decode().strip()
    entries: dict[str, Entry] = {}
    for line in _git(repository, "ls-tree", "-r", "-z", "-l", "--full-tree", commit).split(b"\0"):
        if line:
            about, _, path = line.partition(b"\t")
            mode, kind, oid, size = about.decode().split()
            if kind == "blob":
                entries[path.decode("utf-8", "surrogateescape")] = Entry(mode, oid, int(size))
    return Tree(repository, id_, entries)


def changed(before: Tree, after: Tree) -> tuple[str, ...]:
    """Paths of files that were added, removed or changed, in order."""
    return tuple(path for path in sorted({*before, *after}) if before.get(path) != after.get(path))


def _git(repository: Path, *arguments: str) -> bytes:
    done = subprocess.run(
        ["git", "-C", str(repository), *arguments], capture_output=True, timeout=_SECONDS, check=False
    )
    if done.returncode:
        raise CiError(f"git {arguments[0]}: {done.stderr.decode('utf-8', 'replace').strip() or 'it failed'}")
    return done.stdout
