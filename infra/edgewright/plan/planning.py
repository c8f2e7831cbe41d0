"""Plans a file: a spec, a stack's file, or a plan that was kept; with what the rules say of it."""

import json
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from edgewright.plan.model import Plan
from edgewright.spec.problems import SpecError
from edgewright.usage import UsageError, must_be_file, read_bindings

if TYPE_CHECKING:
    from edgewright.spec.document import Document
    from edgewright.stack import Settings

STACK = "Pulumi."
"""How the name of a stack's file begins: ``Pulumi.<stack>.yaml``."""

BINDINGS = "bindings"
"""What compilers call the file of bindings, which they never see."""


@dataclass(frozen=True, slots=True)
class Options:
    """What the command line says beside the file.

    topology: instead of the stack's; bindings: a file; policies: whether the rules are run; policy_config: how they are
    enforced, instead of what stands beside the stack's file.
    """

    topology: str = ""
    bindings: Path | None = None
    policies: bool = True
    policy_config: Path | None = None


NO_OPTIONS = Options()


def planned(file: Path, options: Options = NO_OPTIONS) -> Plan:
    """The plan of a spec, or of a stack's file; a plan that was kept as JSON is read, whatever the options.

    Raises UsageError, and the errors of what is read: SpecError, StackError, EnforcementError, PlanFormatError.
    """
    must_be_file(file)
    if is_kept(file):
        return _kept(file)
    return _Planning(file, options).plan()


def planned_anyway(file: Path, options: Options = NO_OPTIONS) -> Plan:
    """The same, and for a stack on this machine, where no cloud has resources, its routes and findings."""
    planning = _Planning(file, options)
    return planning.local_plan() if planning.is_local else planned(file, options)


def stack_name(file: Path) -> str:
    """The stack whose file it is, or an empty text."""
    parts = file.name.split(".")
    return parts[1] if len(parts) == 3 and parts[0] == "Pulumi" and parts[2] == "yaml" else ""


def is_kept(file: Path) -> bool:
    """Whether a file is a plan that was kept: a spec may be JSON too, and is then called ``NAME.edge.json``."""
    return file.suffix == ".json" and not file.name.endswith(".edge.json")


def _kept(file: Path) -> Plan:
    """The plan in a file that `edgewright plan --json` wrote. Raises PlanFormatError."""
    from edgewright.plan.show_json import PlanFormatError, read

    try:
        return read(json.loads(file.read_text(encoding="utf-8")))
    except PlanFormatError as error:
        raise PlanFormatError(f"{file}: {error}") from None
    except UnicodeDecodeError:
        raise PlanFormatError(f"{file}: is no UTF-8 text") from None
    except json.JSONDecodeError as error:
        raise PlanFormatError(f"{file}:{error.lineno}:{error.colno}: is no JSON: {error.msg}") from None
    except (RecursionError, ValueError):
        raise PlanFormatError(f"{file}: is nested too deeply, or has a number that is too long") from None


class _Planning:
    """One file on its way to a plan."""

    def __init__(self, file: Path, options: Options) -> None:
        self._file = file
        self._options = options

    def plan(self) -> Plan:
        """Read, compile, record and judge."""
        from edgewright.plan.timings import spent_on

        target, _, name = self._topology.partition("/")
        with spent_on("reading the spec (pydantic's import and models, YAML, resolving)"):
            from edgewright.edge.resolve import resolve

            edge = resolve(self._document)
        bindings = self._bindings
        with spent_on("importing the compilers"):
            plan_ = _planner(target)
        with self._lines_of_bindings():
            if self._stack is None:
                found = plan_(edge, bindings, name)
            else:
                from edgewright.stack import owner

                found = plan_(edge, bindings, name, owner=owner(self._file.absolute().parent, self._stack.stack))
        if not self._options.policies:
            return found
        with spent_on("running the rules"):
            from edgewright.plan.policies import judged

            return judged(found, self._configuration, self._files)

    @property
    def is_local(self) -> bool:
        """Whether the file is of a stack on this machine."""
        return self._stack is not None and self._stack.topology == "local" and not self._options.topology

    def local_plan(self) -> Plan:
        """The routes of an edge on this machine, and how they differ from what is written."""
        from edgewright.local.prepare import prepare
        from edgewright.plan.routes import notes, planned_routes

        with self._lines_of_bindings():
            found = prepare(self._document, self._bindings)
        return Plan(found.edge.name, "local", (), (), planned_routes(found.edge, {}), notes(found.findings), ())

    @cached_property
    def _stack(self) -> "Settings | None":
        """The settings of a stack, if the file is one."""
        name = stack_name(self._file)
        if not name:
            return None
        from edgewright.stack import from_values, values

        folder = self._file.absolute().parent
        return from_values(folder, folder, name, values(self._file), source=str(self._file))

    @cached_property
    def _topology(self) -> str:
        from edgewright.stack import TOPOLOGIES, unknown_topology

        found = self._options.topology or (self._stack.topology if self._stack else "")
        known = [one for one in TOPOLOGIES if one != "local"]
        if not found:
            raise UsageError(f"--topology: write one of {', '.join(known)}")
        if found == "local":
            which = f"{self._file} is of this machine" if self._stack else "`local` is this machine"
            raise UsageError(
                f"{which}, which has no plan: `edgewright compile SPEC` shows what runs here; "
                f"--topology plans for a cloud: {', '.join(known)}"
            )
        if found not in known:
            raise UsageError(f"--topology: {unknown_topology(found)}")
        return found

    @cached_property
    def _document(self) -> "Document":
        from edgewright.spec.document import load

        return load(self._stack.spec if self._stack else self._file)

    @property
    def _bindings(self) -> Mapping[str, Any]:
        if self._options.bindings is not None or self._stack is None:
            return read_bindings(self._options.bindings)
        return self._stack.bindings

    @property
    def _configuration(self) -> Path | None:
        """The file that says how rules are enforced: the one that was named, else the one beside the stack's file."""
        if self._options.policy_config is not None:
            must_be_file(self._options.policy_config)
            return self._options.policy_config
        name = stack_name(self._file)
        if not name:
            return None
        from edgewright.policies.enforcement import file_for

        return file_for(self._file.parent, name)

    def _files(self) -> Any:
        """Where the parts of the spec and of the bindings stand; read when a rule has something to say."""
        from edgewright.plan.led_by import Written
        from edgewright.plan.policies import Files

        document = self._document
        return Files(Written(document.sources), self._written_bindings(), tuple(document.spec.backends))

    @contextmanager
    def _lines_of_bindings(self) -> Generator[None]:
        """Problems of bindings get the line of the file that has them: a compiler sees plain values."""
        try:
            yield
        except SpecError as error:
            if all(problem.place.file != BINDINGS for problem in error.problems):
                raise
            written = self._written_bindings()
            raise SpecError(
                replace(problem, place=written.place(problem.place.path))
                if problem.place.file == BINDINGS and written is not None
                else problem
                for problem in error.problems
            ) from None

    def _written_bindings(self) -> Any:
        from edgewright.plan.led_by import Written
        from edgewright.spec import yaml_reader
        from edgewright.stack import NAMESPACE, written

        if self._options.bindings is not None:
            content = self._options.bindings.read_bytes()
            return Written(yaml_reader.read(content, str(self._options.bindings))[1])
        if self._stack is None:
            return None
        return Written(written(self._file), ("config", f"{NAMESPACE}:bindings"))


def _planner(target: str) -> "Callable[..., Plan]":
    if target == "azure":
        from edgewright.azure.planned import plan as plan_azure

        return plan_azure
    from edgewright.aws.planned import plan as plan_aws

    return plan_aws
