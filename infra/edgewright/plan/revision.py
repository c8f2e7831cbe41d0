"""A git revision as a folder: its YAML and JSON files, read as they lie in git; nothing of it is run.

The blobs are read one by one: a checkout would run hooks, and `git archive` the filters that attributes of the tree
name.
"""

import os
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath

from edgewright.spec.yaml_reader import MAX_BYTES
from edgewright.usage import UsageError

_SUFFIXES = (".yaml", ".yml", ".json")
_MOST_FILES = 5_000
_MOST_BYTES = 200_000_000
_PLAIN_FILES = ("100644", "100755")
"""Modes of git: neither links nor submodules are taken."""


def is_revision(text: str, here: Path) -> bool:
    """Whether git knows a commit by that name; never for what git could take for an option."""
    return bool(text) and not text.startswith("-") and _commit(text, here) is not None


def extract(revision: str, here: Path, into: Path) -> Path:
    """Write the files of a revision into an empty folder; the result is the project's folder in it.

    here: a folder of the repository; the project is the nearest folder above it with a Pulumi.yaml, else the
    repository. Raises UsageError for a name that is no commit, and for very many files.
    """
    commit = None if revision.startswith("-") else _commit(revision, here)
    if commit is None:
        raise UsageError(f"`{revision}` is no file, no folder and no revision that git knows here")
    project = _project(here)
    entries = list(_entries(commit, project, here))
    if len(entries) > _MOST_FILES or sum(size for _, size, _ in entries) > _MOST_BYTES:
        raise UsageError(f"`{revision}` has too many files to compare: {_MOST_FILES} YAML and JSON files at most")
    for path, content in _contents(entries, here):
        file = into / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
    return into / project


def _project(here: Path) -> PurePosixPath:
    """The project's folder, from the top of the repository."""
    from edgewright.stack import StackError, find_root

    top = Path(_git(here, "rev-parse", "--show-toplevel").decode().removesuffix("\n")).resolve()
    try:
        root = find_root(here.resolve())
    except StackError:
        root = top
    return PurePosixPath((root if root.is_relative_to(top) else top).relative_to(top).as_posix())


Entry = tuple[PurePosixPath, int, str]
"""A path, a size and the name of a blob."""


def _entries(commit: str, project: PurePosixPath, here: Path) -> Iterator[Entry]:
    """The files that are worth reading; not those that are larger than any spec may be."""
    scope: Sequence[str] = () if str(project) == "." else ("--", str(project))
    listed = _git(here, "ls-tree", "-r", "-z", "--long", "--full-tree", commit, *scope)
    for line in filter(None, listed.split(b"\0")):
        about, _, name = line.partition(b"\t")
        mode, kind, blob, size = about.decode().split()
        try:
            path = PurePosixPath(name.decode())
        except UnicodeDecodeError:
            continue
        if mode in _PLAIN_FILES and kind == "blob" and path.suffix in _SUFFIXES and _is_safe(path):
            # One that is too large is written cut, and then refused for its size like any other.
            yield path, min(int(size), MAX_BYTES + 1), blob


def _is_safe(path: PurePosixPath) -> bool:
    """Whether the path stays where it is written: a tree made by hand may say anything."""
    return not path.is_absolute() and not {"..", ".", "", ".git"} & {part.lower() for part in path.parts}


def _contents(entries: Sequence[Entry], here: Path) -> Iterator[tuple[PurePosixPath, bytes]]:
    """The content of each, from one process."""
    names = "".join(f"{blob}\n" for _, _, blob in entries).encode()
    output = memoryview(_git(here, "cat-file", "--batch", given=names))
    at = 0
    for path, most, _ in entries:
        end = bytes(output[at : at + 200]).index(b"\n") + at
        size = int(bytes(output[at:end]).split()[2])
        yield path, bytes(output[end + 1 : end + 1 + min(size, most)])
        at = end + 1 + size + 1


def _commit(revision: str, here: Path) -> str | None:
    try:
        found = _git(here, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}")
    except UsageError:
        return None
    return found.decode().strip() or None


def _git(here: Path, *arguments: str, given: bytes = b"") -> bytes:
    environment: Mapping[str, str] = {
        **os.environ,
        "GIT_OPTIONAL_LOCKS": "0",
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_NO_LAZY_FETCH": "1",
        "LC_ALL": "C",
    }
    command = ["git", "-c", "core.fsmonitor=false", "-C", str(here), *arguments]
    try:
        done = subprocess.run(command, input=given, capture_output=True, check=False, env=environment)
    except FileNotFoundError:
        raise UsageError("a revision is compared with git, which is not on PATH") from None
    if done.returncode:
        raise UsageError(f"git: {done.stderr.decode(errors='replace').strip() or 'it failed'}")
    return done.stdout
