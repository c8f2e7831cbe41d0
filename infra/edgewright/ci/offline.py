"""``python -m edgewright.ci.offline BASE HEAD --output FILE --whole FILE``: the comment's text, without an engine.

`edgewright diff` plans both sides with its own code, which is the change's here. A change to that code would then be on
both sides, and so on neither: where one is part of the change, BASE is planned by BASE's code, in processes of its own.
What this prints is the change's own words: `edgewright.ci offline` runs it, and lets nothing of it be a command.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

from edgewright.ci import tree
from edgewright.ci.job import CiError, fail
from edgewright.plan import show_json
from edgewright.plan.comment import comment
from edgewright.plan.diff import Diff, StackDiff, diff_of_revisions, pair
from edgewright.plan.planning import Options
from edgewright.plan.revision import extract
from edgewright.plan.sides import FolderSide, Planned
from edgewright.usage import UsageError

CODE = "infra/"
"""What plans are made by."""

_GIT_SECONDS = 300
"""How long a command of git may take."""

_PLAN_SECONDS = 300
"""How long a stack's plan by main's own code may take."""


def compared(repository: Path, base: str, head: str) -> Diff:
    """What changes between two revisions."""
    changed = tree.changed(tree.tree_of(repository, base), tree.tree_of(repository, head))
    if any(path.startswith(CODE) for path in changed):
        return Diff(tuple(_each_by_its_own_code(repository, base, head)))
    return diff_of_revisions(base, head, repository, Options())


def _each_by_its_own_code(repository: Path, base: str, head: str) -> Iterator[StackDiff]:
    with tempfile.TemporaryDirectory(prefix="edgewright-") as folder, _checked_out(repository, base) as before:
        old, new = FolderSide.of(before), FolderSide.of(extract(head, repository, Path(folder)))
        for name in sorted({*old.stacks, *new.stacks}):
            yield pair(
                name,
                _planned_by_base(old, name) if name in old.stacks else None,
                new.plan(name, Options()) if name in new.stacks else None,
            )


@contextmanager
def _checked_out(repository: Path, revision: str) -> Generator[Path]:
    """A revision's files in a folder beside the repository, without the hooks that a checkout may have."""
    with tempfile.TemporaryDirectory(prefix="edgewright-") as made:
        folder = Path(made).resolve() / "base"
        git = ["git", "-C", str(repository), "-c", "core.hooksPath=/dev/null", "worktree"]
        commit = tree.commit_of(repository, revision) or revision
        subprocess.run([*git, "add", "--quiet", "--detach", str(folder), commit], check=True, timeout=_GIT_SECONDS)
        try:
            yield folder
        finally:
            subprocess.run([*git, "remove", "--force", str(folder)], check=False, timeout=_GIT_SECONDS)


def _planned_by_base(side: FolderSide, name: str) -> Planned:
    """The plan of a stack by the code that lies beside it; by ours where that code gives none that can be read here."""
    try:
        done = subprocess.run(
            [sys.executable, "-m", "edgewright", "plan", str(side.stacks[name].relative_to(side.root)), "--json"],
            cwd=side.root,
            env={**os.environ, "PYTHONPATH": str(side.root / CODE)},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
            timeout=_PLAN_SECONDS,
        )
        found: Any = json.loads(done.stdout)
        return Planned(show_json.read(cast("Mapping[str, Any]", found)))
    except (subprocess.TimeoutExpired, ValueError, show_json.PlanFormatError):
        return side.plan(name, Options())


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the comment, and all of it; 1 where an update would be stopped."""
    parser = argparse.ArgumentParser(prog="python -m edgewright.ci.offline")
    parser.add_argument("base")
    parser.add_argument("head")
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--whole", type=Path, required=True, help="where every row is written")
    parser.add_argument("--link", default="")
    given = parser.parse_args(arguments)
    try:
        found = compared(Path.cwd(), given.base, given.head)
        text = comment(found, given.link)
    except (CiError, UsageError) as error:
        return fail(error)
    given.output.write_text(text, encoding="utf-8")
    given.whole.write_text(comment(found, most=None), encoding="utf-8")
    return 1 if found.stops else 0


if __name__ == "__main__":
    sys.exit(main())
