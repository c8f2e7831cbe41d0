"""The two sides of a comparison: files, or folders whose stacks are all planned; nothing of a folder is ever run.

A folder may be the checkout of a pull request from anybody. Only its stacks' files, their specs, and what configures
the rules are read, each a plain file inside of the folder, whatever links and paths say.
"""

import contextlib
import hashlib
import traceback
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from edgewright.plan.model import Plan
from edgewright.plan.planning import Options, planned, planned_anyway, stack_name
from edgewright.usage import UsageError

_MOST_STACKS = 500
_DEFECT = "unexpected {name}: a defect of edgewright, at {where}"


class OutsideError(Exception):
    """A path that leads out of the folder that is compared."""


@dataclass(frozen=True, slots=True)
class Planned:
    """A stack as it is on one side: its plan, or why there is none."""

    plan: Plan | None
    errors: str = ""


@dataclass(frozen=True, slots=True)
class FileSide:
    """One file, named by whoever typed it. An error of it is an error of the command."""

    file: Path

    @property
    def name(self) -> str:
        """The stack whose file it is, or an empty text."""
        return stack_name(self.file)

    def plan(self, options: Options) -> Planned:
        """Its plan; raises what `planned` raises."""
        return Planned(planned(self.file, options))


@dataclass(frozen=True, slots=True)
class FolderSide:
    """The stacks of a folder. root: that of Pulumi.yaml, to which all paths are relative that anybody sees."""

    root: Path
    stacks: Mapping[str, Path]
    _marks: dict[str, str] = field(default_factory=dict[str, str])

    @classmethod
    def of(cls, folder: Path) -> "FolderSide":
        """The stacks of a checkout: where Pulumi.yaml says that their files are, else beside it, else in ``stacks``."""
        root = folder.resolve()
        where = _stacks_folder(root)
        files = sorted(where.glob("Pulumi.*.yaml")) if where is not None else []
        stacks = {stack_name(file): file for file in files if stack_name(file)}
        if len(stacks) > _MOST_STACKS:
            raise UsageError(f"{folder}: there are {len(stacks)} stacks; {_MOST_STACKS} are compared at most")
        return cls(root, stacks)

    def mark(self, name: str) -> str:
        """Digest of all that the plan of a stack is made of; an empty text where something cannot be read."""
        if name not in self._marks:
            digest = hashlib.sha256()
            try:
                with contextlib.chdir(self.root):
                    for file in self._files(name):
                        digest.update(hashlib.sha256(file.read_bytes()).digest())
                self._marks[name] = digest.hexdigest()
            except Exception:  # it is told when it is planned
                self._marks[name] = ""
        return self._marks[name]

    def plan(self, name: str, options: Options) -> Planned:
        """The plan of a stack, or what is wrong with it: a bad stack is no reason to say nothing of the others."""
        try:
            with contextlib.chdir(self.root):
                for _ in self._files(name):
                    pass
                return Planned(planned_anyway(self.stacks[name].relative_to(self.root), options))
        except RecursionError:
            return Planned(None, "it is nested too deeply")
        except Exception as error:
            return Planned(None, _words(error).replace(f"{self.root}/", ""))

    def _files(self, name: str) -> Iterable[Path]:
        """What the plan is made of, seen from the root; raises OutsideError for what is not inside."""
        from edgewright.policies.enforcement import file_for
        from edgewright.stack import from_values, values

        file = self.stacks[name]
        yield self._inside(file)
        settings = from_values(file.parent, file.parent, name, values(file), source=str(file.relative_to(self.root)))
        yield self._inside(settings.spec)
        configuration = file_for(file.parent, name)
        if configuration is not None:
            yield self._inside(configuration)

    def _inside(self, file: Path) -> Path:
        found = file.resolve()
        if not found.is_relative_to(self.root):
            raise OutsideError(f"{file.name} leads out of the folder that is compared, and so is not read")
        if not found.is_file():
            raise OutsideError(f"there is no file {found.relative_to(self.root)}")
        return found


Side = FileSide | FolderSide


def _stacks_folder(root: Path) -> Path | None:
    """The folder with the stacks' files, if there is one inside."""
    project = root / "Pulumi.yaml"
    named: Sequence[str] = ("", "stacks")
    if project.is_file() and project.resolve().is_relative_to(root):
        from edgewright.stack import StackError, config_folder

        with contextlib.suppress(StackError):
            # Where it says one, the engine looks nowhere else.
            folder = config_folder(root)
            named = named if folder == root else (str(folder),)
    for name in named:
        folder = (root / name).resolve()
        if folder.is_relative_to(root) and folder.is_dir() and any(folder.glob("Pulumi.*.yaml")):
            return folder
    return None


def _words(error: Exception) -> str:
    """What was written for people; of a defect its name and place, and nothing of what a spec says."""
    if type(error).__module__.startswith("edgewright."):
        return str(error)
    last = traceback.extract_tb(error.__traceback__)[-1]
    return _DEFECT.format(name=type(error).__name__, where=f"{Path(last.filename).name}:{last.lineno}")
