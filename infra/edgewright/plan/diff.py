"""BASE and HEAD, planned and compared stack by stack: what `edgewright diff` shows."""

import tempfile
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from edgewright.plan import changes as comparing
from edgewright.plan.changes import Changes
from edgewright.plan.model import Plan
from edgewright.plan.planning import Options
from edgewright.plan.sides import FileSide, FolderSide, Planned, Side
from edgewright.usage import UsageError, must_be_file, read_bindings


@dataclass(frozen=True, slots=True)
class StackDiff:
    """A stack on both sides. before, after: None where it is not there; changes: None where one has no plan."""

    name: str
    before: Planned | None
    after: Planned | None
    changes: Changes | None = None

    @property
    def same(self) -> bool:
        """Whether nothing is to be said of it."""
        return self.before is not None and self.changes is not None and self.changes.nothing

    @property
    def broken(self) -> bool:
        """Whether HEAD has it, and it cannot be planned."""
        return self.after is not None and self.after.plan is None

    @property
    def state(self) -> str:
        """What happens to it as a whole, in a few words."""
        if self.after is None:
            return "is deleted"
        if self.broken:
            return "cannot be planned"
        if self.before is None:
            return "is new"
        return "changes; it could not be planned before" if self.before.plan is None else "changes"

    @property
    def stops(self) -> bool:
        """Whether an update of it would be stopped by the rules, or cannot even be planned."""
        plan = self.after.plan if self.after is not None else None
        return self.broken or (plan is not None and plan.policies is not None and plan.policies.stop)


@dataclass(frozen=True, slots=True)
class Diff:
    """All stacks of both sides, by name."""

    stacks: tuple[StackDiff, ...]

    @property
    def stops(self) -> bool:
        """Whether something of HEAD would not go through."""
        return any(stack.stops for stack in self.stacks)


def diff(before: str, after: str, options: Options) -> Diff:
    """Plan and compare. Raises UsageError, and what planning a file raises."""
    options = _named_here(options)
    with _opened(before) as base, _opened(after) as head:
        return Diff(tuple(_compared(base, head, options)))


def diff_of_revisions(before: str, after: str, here: Path, options: Options) -> Diff:
    """The same of two revisions of git, whatever files and folders are called like them. Raises UsageError."""
    with _revision(before, here) as base, _revision(after, here) as head:
        return Diff(tuple(_compared(base, head, options)))


def _compared(base: Side, head: Side, options: Options) -> Iterator[StackDiff]:
    if isinstance(base, FileSide) and isinstance(head, FileSide):
        before, after = base.plan(options), head.plan(options)
        yield pair(head.name or base.name, before, after)
        return
    single = base if isinstance(base, FileSide) else head if isinstance(head, FileSide) else None
    if single is not None and not single.name:
        raise UsageError(
            f"{single.file}: only a stack's file is compared with a folder or a revision, which has stacks"
        )
    names = [single.name] if single is not None else sorted({*_names(base), *_names(head)})
    if not names:
        raise UsageError("there is no stack on either side: no Pulumi.<stack>.yaml")
    for name in names:
        # What is made of the same files is the same: it is planned once, for what the rules say of it.
        mark = _mark(base, name)
        after = _planned(head, name, options)
        before = after if mark and mark == _mark(head, name) else _planned(base, name, options)
        yield pair(name, before, after)


def _named_here(options: Options) -> Options:
    """Options whose files are those of whoever typed them, wherever a side lies; read once, so that they are said once.

    Raises UsageError for a file that is not there, and EnforcementError for one that cannot be used.
    """
    bindings, rules = options.bindings, options.policy_config
    if bindings is not None:
        read_bindings(bindings)
    if rules is not None:
        from edgewright.policies.enforcement import for_file
        from edgewright.policies.rules import ALL

        must_be_file(rules)
        for_file(rules, ALL)
    return replace(
        options,
        bindings=bindings.absolute() if bindings is not None else None,
        policy_config=rules.absolute() if rules is not None else None,
    )


def _names(side: Side) -> list[str]:
    return [side.name] if isinstance(side, FileSide) else list(side.stacks)


def _mark(side: Side, name: str) -> str:
    return side.mark(name) if isinstance(side, FolderSide) and name in side.stacks else ""


def _planned(side: Side, name: str, options: Options) -> Planned | None:
    if isinstance(side, FileSide):
        return side.plan(options)
    return side.plan(name, options) if name in side.stacks else None


def pair(name: str, before: Planned | None, after: Planned | None) -> StackDiff:
    """A stack on both sides, compared as far as there are plans."""
    old = before.plan if before is not None else None
    new = after.plan if after is not None else None
    if old is not None and new is not None:
        return StackDiff(name or new.name, before, after, comparing.compare(old, new))
    # What comes or goes as a whole is compared with nothing; so is what nobody can say how it was before.
    one = new if after is not None else old
    if one is None:
        return StackDiff(name, before, after)
    nothing = Plan(one.name, one.topology, (), (), (), (), ())
    found = replace(comparing.compare(*((nothing, one) if after is not None else (one, nothing))), other=())
    # An edge that goes protects nothing less, and one that comes has nothing to be better than.
    found = replace(found, stronger=()) if after is not None else replace(found, weaker=())
    return StackDiff(name, before, after, found)


@contextmanager
def _opened(text: str) -> Generator[Side]:
    """What was typed: a file, a folder, or a revision of git, whose files lie in a temporary folder meanwhile."""
    path = Path(text)
    if not text or text.startswith("-"):
        raise UsageError(f"`{text}` is empty or begins with `-`: no file, and no revision either")
    if path.is_dir():
        yield FolderSide.of(path)
    elif path.exists():
        yield FileSide(path)
    else:
        with _revision(text, Path.cwd()) as side:
            yield side


@contextmanager
def _revision(text: str, here: Path) -> Generator[Side]:
    from edgewright.plan.revision import extract

    with tempfile.TemporaryDirectory(prefix="edgewright-") as made:
        yield FolderSide.of(extract(text, here, Path(made)))
