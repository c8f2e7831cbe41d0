"""A git revision as a folder: its YAML and JSON files, read as they lie in git; nothing of it is run.

The blobs are read, not checked out: a checkout would run hooks, and `git archive` the filters that attributes of the
tree name.
"""

import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath

from edgewright.ci import tree
from edgewright.ci.job import CiError
from edgewright.spec.yaml_reader import MAX_BYTES
from edgewright.usage import UsageError

_SUFFIXES = (".yaml", ".yml", ".json")
_MOST_FILES = 5_000
_MOST_BYTES = 200_000_000
_PLAIN_FILES = ("100644", "100755")
"""Modes of git: neither links nor submodules are taken."""


def is_revision(text: str, here: Path) -> bool:
    """Whether git knows a commit by that name; never for what git could take for an option."""
    return bool(text) and not text.startswith("-") and _has_git() and bool(tree.commit_of(here, text))


def extract(revision: str, here: Path, into: Path) -> Path:
    """Write the files of a revision into an empty folder; the result is the project's folder in it.

    here: a folder of the repository; the project is the nearest folder above it with a Pulumi.yaml, else the
    repository. Raises UsageError for a name that is no commit, and for very many files.
    """
    if not is_revision(revision, here):
        raise UsageError(
            f"`{revision}` is no file, no folder and no revision that git knows here{_why_not(revision, here)}"
        )
    project = _project(here)
    try:
        entries = list(_entries(tree.tree_of(here, revision), project))
    except CiError as error:
        raise UsageError(str(error)) from None
    if len(entries) > _MOST_FILES or sum(size for _, size, _ in entries) > _MOST_BYTES:
        raise UsageError(f"`{revision}` has too many files to compare: {_MOST_FILES:,} YAML and JSON files at most")
    for path, content in _contents(entries, here):
        file = into / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
    (into / project).mkdir(parents=True, exist_ok=True)
    return into / project


def is_behind_the_work_tree(revision: str, here: Path) -> bool:
    """Whether it is the commit that is checked out here, and the project's YAML or JSON files were changed since."""
    if not is_revision(revision, here) or tree.commit_of(here, revision) != tree.commit_of(here, "HEAD"):
        return False
    files = (f":(top){_project(here) / f'*{suffix}'}" for suffix in _SUFFIXES)
    return bool(_git(here, "status", "--porcelain", "--", *files))


def _why_not(revision: str, here: Path) -> str:
    """What keeps git from knowing a revision, and what to do; empty where it is only a name that nobody gave."""
    if not _has_git():
        return ": there is no git on PATH"
    try:
        shallow = _git(here, "rev-parse", "--is-shallow-repository")
    except UsageError as error:  # no repository, or one that git will not read, such as another user's
        return f": {error}"
    if tree.commit_of(here, f"refs/remotes/origin/{revision}"):
        return f"; did you mean `origin/{revision}`?"
    if shallow.strip() == b"true":
        return ": the clone is shallow; `git fetch --unshallow` gets the rest"
    return ""


def _has_git() -> bool:
    from shutil import which

    return which("git") is not None


def _project(here: Path) -> PurePosixPath:
    """The project's folder, from the top of the repository."""
    from edgewright.stack import StackError, find_root

    top = Path(_git(here, "rev-parse", "--show-toplevel").decode().removesuffix("\n")).resolve()
    try:
        root = find_root(here.resolve())
    except StackError:
        root = top
    return PurePosixPath((root if root.is_relative_to(top) else top).relative_to(top).as_posix())


Blob = tuple[PurePosixPath, int, str]
"""A path from the project's folder's top, how much of it is read, and its name in git."""


def _entries(files: tree.Tree, project: PurePosixPath) -> Iterator[Blob]:
    """The files of the project that are worth reading."""
    for name, entry in files.entries.items():
        path = PurePosixPath(name)
        if (
            entry.mode in _PLAIN_FILES
            and path.suffix in _SUFFIXES
            and path.is_relative_to(project)
            and is_safe(path)
            and name.isprintable()
        ):
            # One that is too large is written cut, and then refused for its size like any other.
            yield path, min(entry.size, MAX_BYTES + 1), entry.oid


def is_safe(path: PurePosixPath) -> bool:
    """Whether a path stays below where it is written: a tree made by hand may say anything."""
    return not path.is_absolute() and not {"..", ".git"} & {part.lower() for part in path.parts}


def _contents(blobs: Sequence[Blob], here: Path) -> Iterator[tuple[PurePosixPath, bytes]]:
    """The content of each, from one process."""
    names = "".join(f"{oid}\n" for _, _, oid in blobs).encode()
    output = _git(here, "cat-file", "--batch", given=names)
    at = 0
    for path, most, _ in blobs:
        # "<oid> blob <size>", the content, and an end of line
        end = output.index(b"\n", at)
        size = int(output[at:end].split()[2])
        yield path, output[end + 1 : end + 1 + min(size, most)]
        at = end + 1 + size + 1


def _git(here: Path, *arguments: str, given: bytes = b"") -> bytes:
    done = subprocess.run(["git", "-C", str(here), *arguments], input=given, capture_output=True, check=False)
    if done.returncode:
        raise UsageError(f"git {arguments[0]}: {done.stderr.decode(errors='replace').strip() or 'it failed'}")
    return done.stdout
