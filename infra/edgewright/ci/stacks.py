"""Which cloud stacks a change touches, from the files of two revisions alone."""

import posixpath
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

from edgewright.ci.job import CiError
from edgewright.ci.tree import LINK, Tree
from edgewright.spec import yaml_reader
from edgewright.spec.problems import SpecError
from edgewright.stack import NAMESPACE

CLOUDS = ("aws", "azure")

MOST_STACKS = 256
"""Jobs of one matrix, at most: https://docs.github.com/actions/reference/limits."""

SHARED = ("infra/", "policies/", "Pulumi.yaml", "PulumiPlugin.yaml", "pyproject.toml", "requirements.txt")
"""Files and folders that every stack is made of."""

_STACK_FILE = re.compile(r"Pulumi\.(?P<name>.+)\.ya?ml", re.DOTALL)
# Stricter than the engine, which has dots and underscores too: a name goes into matrices, paths and names of artifacts.
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,99}")


@dataclass(frozen=True, slots=True)
class Stack:
    """A stack of a cloud.

    environment: that guards its deployment, after the profile of its bindings; policies: the path of the policies'
    configuration, or empty; files: what it is read from; whole: whether all of those are known.
    """

    name: str
    cloud: str
    environment: str
    policies: str = ""
    files: frozenset[str] = field(default=frozenset())
    whole: bool = True

    def to_json(self) -> dict[str, str]:
        """As a job's matrix has it."""
        return {
            "stack": self.name,
            "cloud": self.cloud,
            "environment": self.environment,
            "policies": self.policies,
        }


@dataclass(frozen=True, slots=True)
class Touched:
    """A stack that a change touches, and the first path that does."""

    stack: Stack
    because: str


def folder_of(tree: Tree) -> str:
    """The folder of the stacks' files, after `stackConfigDir` of Pulumi.yaml."""
    if "Pulumi.yaml" not in tree:
        raise CiError("there is no Pulumi.yaml: this is no project of Pulumi")
    data, wrong = _yaml(tree, "Pulumi.yaml")
    if wrong:
        raise CiError(wrong)
    return _inside("", str(data.get("stackConfigDir") or "")) or ""


@dataclass(frozen=True, slots=True)
class Known:
    """The stacks of a revision that are built in a cloud, by name, and what is wrong with others."""

    stacks: tuple[Stack, ...]
    problems: tuple[str, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """Of the stacks."""
        return tuple(stack.name for stack in self.stacks)


def cloud_stacks(tree: Tree) -> Known:
    """Every stack of a revision that is built in a cloud and can be read. Raises CiError where there is no project."""
    folder = folder_of(tree)
    problems: list[str] = []
    found: list[Stack] = []
    for path in sorted(tree):
        match = _STACK_FILE.fullmatch(posixpath.basename(path))
        if not match or posixpath.dirname(path) != folder:
            continue
        if not _NAME.fullmatch(match["name"]):
            problems.append(f"{path}: a stack's name has letters, digits, `-` and `_`, 100 at most")
            continue
        stack, wrong = _stack(tree, folder, path, match["name"])
        problems += wrong
        if stack:
            found.append(stack)
    if len(found) > MOST_STACKS:
        problems.append(f"there are {len(found)} stacks, and a run can have {MOST_STACKS} jobs of one kind")
        found = []
    return Known(tuple(sorted(found, key=lambda stack: stack.name)), tuple(dict.fromkeys(problems)))


def removed(before: Tree, known: Known) -> tuple[str, ...]:
    """The cloud stacks of the revision before that are none any more: their files are gone, elsewhere, or of no cloud.

    known: of the revision after, where one that cannot be read is no less there.
    """
    try:
        old = cloud_stacks(before)
        folder = folder_of(before)
    except CiError:
        return ()
    paths = {name: posixpath.join(folder, f"Pulumi.{name}.yaml") for name in old.names if name not in known.names}
    return tuple(path for path in paths.values() if not any(text.startswith(path) for text in known.problems))


def touched(changed: Sequence[str], stacks: Sequence[Stack], folder: str) -> tuple[Touched, ...]:
    """The stacks that changed paths touch.

    Its own file, its spec, what either names, and the policies' configuration touch one stack; the program, the
    policies, what is installed, and whatever else lies beside the stacks' files touch all.
    """
    known = frozenset[str]().union(*(stack.files for stack in stacks))
    all_by = next((path for path in changed if _is_shared(path, folder, known)), None)
    found: list[Touched] = []
    for stack in stacks:
        because = next((path for path in changed if path in stack.files), None) or all_by
        if because is None and not stack.whole:
            because = next((path for path in changed if _below(path, folder)), None)
        if because is not None:
            found.append(Touched(stack, because))
    return tuple(found)


def _is_shared(path: str, folder: str, known: frozenset[str]) -> bool:
    if any(path == shared or (shared.endswith("/") and path.startswith(shared)) for shared in SHARED):
        return True
    if path in known or not _below(path, folder):
        return False
    name = posixpath.basename(path)
    # A spec that no stack names, a stack that is gone, policies that no stack has, and prose touch nobody.
    return not (
        name.endswith((".edge.yaml", ".edge.yml", ".edge.json", ".md"))
        or _STACK_FILE.fullmatch(name)
        or re.fullmatch(r"policies(\..+)?\.json", name)
    )


def _below(path: str, folder: str) -> bool:
    return not folder or path.startswith(f"{folder}/")


def _stack(tree: Tree, folder: str, path: str, name: str) -> tuple[Stack | None, list[str]]:
    """The stack in a file, None where it is of no cloud; and what is wrong with what it is made of."""
    data, wrong = _yaml(tree, path)
    if wrong:
        return None, [wrong]
    config = _map(data.get("config"))
    bindings = _map(config.get(f"{NAMESPACE}:bindings"))
    cloud = str(config.get(f"{NAMESPACE}:topology", "local")).partition("/")[0]
    if cloud not in CLOUDS:
        return None, []
    files = {path, *_named(tree, folder, bindings)}
    whole = True
    spec_path = _inside(folder, str(config.get(f"{NAMESPACE}:spec") or ""))
    if spec_path is None:
        return None, [f"{path}: {NAMESPACE}:spec leads out of this repository: keep the spec beside the stack's file"]
    if spec_path not in tree:
        files.add(spec_path)  # it may have been here before
    else:
        spec, wrong = _yaml(tree, spec_path)
        if tree[spec_path].mode == LINK:
            return None, [wrong]
        # What is wrong with a spec is for its plan to say, with the line; what it names is then not known.
        whole = not wrong
        files |= {spec_path, *_named(tree, posixpath.dirname(spec_path), spec), *_named(tree, folder, spec)}
    policies, own = (posixpath.join(folder, file) for file in ("policies.json", f"policies.{name}.json"))
    files |= {own} | ({policies} if own not in tree else set())
    stack = Stack(
        name,
        cloud,
        "development" if bindings.get("profile") == "development" else "production",
        own if own in tree else policies if policies in tree else "",
        frozenset(files),
        whole,
    )
    return stack, []


def _yaml(tree: Tree, path: str) -> tuple[Mapping[str, Any], str]:
    """The map in a file, within the bounds of a spec; else what is wrong with it."""
    if tree[path].mode == LINK:
        return {}, f"{path}: it is a symbolic link: what a stack is made of are plain files"
    if tree[path].size > yaml_reader.MAX_BYTES:
        return {}, f"{path}: it is larger than {yaml_reader.MAX_BYTES // 1_000_000} MB"
    try:
        data, _, _ = yaml_reader.read(tree.read(path), path)
    except SpecError as error:
        return {}, str(error)
    return (cast("Mapping[str, Any]", data), "") if isinstance(data, Mapping) else ({}, f"{path}: it must be a map")


def _map(value: object) -> Mapping[str, Any]:
    return cast("Mapping[str, Any]", value) if isinstance(value, Mapping) else {}


def _named(tree: Tree, folder: str, data: object) -> Iterator[str]:
    """Files of the repository that any text in ``data`` names, from ``folder``."""
    for text in _texts(data):
        if len(text) < 1_000 and "\n" not in text and (path := _inside(folder, text.partition("#")[0])) in tree:
            yield cast("str", path)


def _texts(data: object) -> Iterator[str]:
    waiting = [data]
    while waiting:
        value = waiting.pop()
        if isinstance(value, str):
            yield value
        elif isinstance(value, Mapping):
            waiting += cast("Mapping[str, object]", value).values()
        elif isinstance(value, list | tuple):
            waiting += cast("Sequence[object]", value)


def _inside(folder: str, path: str) -> str | None:
    """A path from the root of the repository; None where it leads out of it."""
    joined = posixpath.normpath(posixpath.join(folder, path)) if folder or path else "."
    if joined.startswith(("/", "../")) or joined == "..":
        return None
    return "" if joined == "." else joined
