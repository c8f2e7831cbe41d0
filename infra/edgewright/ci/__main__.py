"""``python -m edgewright.ci VERB``: what the steps of the workflows run. 0: done; 1: it says why not; 2: wrong use."""

import argparse
import json
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, cast

from edgewright.ci import job
from edgewright.ci.job import CiError, say, setting

# Each verb imports what it needs: those with a token run where only Python itself is installed.


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a verb and return its exit status."""
    try:
        given = _parser().parse_args(arguments)
    except SystemExit as stop:
        return int(stop.code or 0)
    try:
        return int(given.run(given) or 0)
    except CiError as error:
        return job.fail(error)


# ---- which stacks


def _stacks(given: argparse.Namespace) -> int:
    """The matrix of the stacks that a change touches, or of all, or of one; fails if another cannot be read."""
    from edgewright.ci import stacks, tree

    head = tree.tree_of(Path.cwd(), given.head)
    known = stacks.cloud_stacks(head)
    chosen = known.stacks
    gone: Sequence[str] = ()
    if given.only:
        chosen = tuple(stack for stack in known.stacks if stack.name == given.only)
        if not chosen:
            raise CiError(f"there is no cloud stack `{given.only}`; there are {', '.join(known.names)}")
    elif given.base and tree.commit_of(Path.cwd(), given.base):
        before, folder = tree.tree_of(Path.cwd(), given.base), stacks.folder_of(head)
        gone = stacks.removed(before, known)
        found = stacks.touched(tree.changed(before, head), known.stacks, folder)
        chosen = tuple(one.stack for one in found)
        say(*(f"{one.stack.name}: {one.because}" for one in found), *(f"gone: {path}" for path in gone))
    elif given.base:
        say(f"there is no revision `{given.base}` here to compare with, so every stack counts as touched")
    say(f"{len(chosen)} of {len(known.stacks)} cloud stacks")
    found_stacks = [stack.to_json() for stack in chosen]
    if given.json:
        job.write(given.json, json.dumps(found_stacks, indent=2).encode())
    job.output(
        stacks=json.dumps(found_stacks),
        matrix=json.dumps({stack["stack"]: stack for stack in found_stacks}),
        any=_truth(chosen),
        affected=_truth(chosen or gone or known.problems),
        tree=head.id,
    )
    return job.fail("\n".join(known.problems)) if known.problems else 0


# ---- a plan without an engine


def _offline(given: argparse.Namespace) -> int:
    """The comment's text, and beside it all of it, planned without an engine; what that prints is made inert."""
    from edgewright.ci.artifacts import WHOLE_FILE

    given.output.parent.mkdir(parents=True, exist_ok=True)
    command = [
        *(sys.executable, "-m", "edgewright.ci.offline", given.base, given.head),
        *("--output", str(given.output), "--whole", str(given.output.with_name(WHOLE_FILE)), "--link", _page()),
    ]
    return job.quietly(command, seconds=given.seconds)


# ---- the engine, where no action calls it


def _pulumi(given: argparse.Namespace) -> int:
    """The engine on a stack, with the policies that hold for it."""
    from edgewright.ci import engine_run, stacks, tree

    head = tree.tree_of(Path.cwd(), "HEAD")
    known = stacks.cloud_stacks(head)
    stack = next((stack for stack in known.stacks if stack.name == given.stack), None)
    if stack is None:
        raise CiError(f"there is no cloud stack `{given.stack}`; there are {', '.join(known.names)}")
    if given.among and given.stack not in {one["stack"] for one in json.loads(given.among.read_bytes())}:
        say(f"{given.stack} is not changed")
        return 0
    if given.operation == "drift":
        return engine_run.drift(stack)
    key = setting("PLAN_KEY") if given.kept else ""
    if given.operation == "preview":
        return engine_run.preview(stack, head.id, given.kept, key)
    if not given.kept:
        raise CiError("an update goes by a plan that a preview has kept: say where with --kept")
    return engine_run.up(stack, head.id, given.kept, key)


def _deploy_kept(given: argparse.Namespace) -> int:
    """Each stack of a cloud whose plan was kept, one after the other; the first failure ends it."""
    from edgewright.ci import engine_run, stacks, tree
    from edgewright.ci.artifacts import PLAN

    head = tree.tree_of(Path.cwd(), "HEAD")
    for stack in stacks.cloud_stacks(head).stacks:
        kept = given.folder / f"{PLAN}{stack.name}"
        if stack.cloud == given.cloud and kept.is_dir():
            say(f"deploying {stack.name}")
            if status := engine_run.up(stack, head.id, kept, setting("PLAN_KEY")):
                return status
    return 0


# ---- update plans


def _engine(given: argparse.Namespace) -> None:
    """What a saved plan would do, as text for the comment; and the plan, sealed."""
    from edgewright.ci import engine_run

    engine_run.keep(given.plan.read_bytes(), given.stack, given.tree, given.folder, setting("PLAN_KEY"))


def _find_plan(given: argparse.Namespace) -> None:
    """The plan that reviewers saw, if it is still of the same files; else why it is not."""
    from edgewright.ci import saved_plan, update_plan
    from edgewright.ci.github import GitHub

    try:
        if os.environ.get("GITHUB_RUN_ATTEMPT", "1") != "1":
            raise saved_plan.NoPlanError("this run was started again: what was planned first may not hold any more")
        found = saved_plan.of_merged(
            GitHub.of_job(),
            commit=setting("GITHUB_SHA"),
            base=given.base,
            stack=given.stack,
            tree=given.tree,
            key=setting("PLAN_KEY"),
        )
    except saved_plan.NoPlanError as error:
        say(f"a fresh preview is needed: {error}")
        job.output(found="false")
        return
    update_plan.read(found.content)
    job.write(given.output, found.content)
    say("the plan of the pull request is of these very files")
    job.output(found="true")


def _ready(given: argparse.Namespace) -> None:
    """Whether the plan changes anything, shown to those who approve; and the plan, sealed for the deployment."""
    from edgewright.ci import markdown, sealed, update_plan

    content = given.plan.read_bytes()
    plan = update_plan.read(content)
    say(*plan.text().splitlines())
    job.summary(f"### {given.stack}\n\n{markdown.harmless(markdown.block(plan.text()))}")
    if plan.steps:
        data = sealed.seal(sealed.SavedPlan(given.stack, given.tree, content), setting("PLAN_KEY"))
        job.write(given.output, data)
    job.output(changes=_truth(plan.steps))


def _planned(_: argparse.Namespace) -> None:
    """The matrix of the stacks for which this run has kept a plan."""
    from edgewright.ci import planned
    from edgewright.ci.github import GitHub

    kept = planned.kept(GitHub.of_job(), int(setting("GITHUB_RUN_ID")), int(setting("GITHUB_RUN_ATTEMPT")))
    chosen = [stack for stack in _matrix() if stack["stack"] in kept]
    say(f"to deploy: {', '.join(stack['stack'] for stack in chosen) or 'nothing'}")
    job.output(stacks=json.dumps(chosen), any=_truth(chosen))


def _open_plan(given: argparse.Namespace) -> None:
    """The plan that this run has kept and that was approved, unless a later run has planned the stack."""
    from edgewright.ci import planned, saved_plan
    from edgewright.ci.github import GitHub

    run, github = int(setting("GITHUB_RUN_ID")), GitHub.of_job()
    planned.refuse_superseded(github, number=int(setting("GITHUB_RUN_NUMBER")), stack=given.stack)
    found = saved_plan.of_run(github, run=run, stack=given.stack, tree=given.tree, key=setting("PLAN_KEY"))
    job.write(given.output, found.content)


# ---- what is posted


def _comment(_: argparse.Namespace) -> None:
    """Make or edit the comment on the pull request that a run was for."""
    from edgewright.ci import comment
    from edgewright.ci.github import GitHub

    comment.post(GitHub.of_job(), Path(setting("GITHUB_EVENT_PATH")), _server())


def _review(given: argparse.Namespace) -> None:
    """Make or edit the comment on the merge request of GitLab, or the pull request of Azure Repos, of this job."""
    from edgewright.ci import review

    host, page = review.of_job()
    review.post(host, given.file, page)


def _drift(given: argparse.Namespace) -> None:
    """What the engine would do to undo the drift that a plan shows; an empty file when there is none."""
    from edgewright.ci import update_plan

    plan = update_plan.read(given.plan.read_bytes())
    say(*plan.text().splitlines())
    job.write(given.output, plan.text().encode() if plan.steps else b"")


def _report(_: argparse.Namespace) -> None:
    """Open, edit or close the issue about drift."""
    from edgewright.ci import drift
    from edgewright.ci.github import GitHub

    github = GitHub.of_job()
    found = drift.collect(github, int(setting("GITHUB_RUN_ID")), drift.names(_matrix()))
    drift.report(github, found, _page())


# ---- what they share


def _matrix() -> list[Mapping[str, str]]:
    """The stacks of an earlier job, which `stacks` has written."""
    found: Any = json.loads(setting("STACKS"))
    return cast("list[Mapping[str, str]]", found)


def _truth(value: object) -> str:
    """As `if:` compares it."""
    return "true" if value else "false"


def _server() -> str:
    return os.environ.get("GITHUB_SERVER_URL") or "https://github.com"


def _page() -> str:
    """The page of this run; on a laptop there is none."""
    if "GITHUB_RUN_ID" not in os.environ:
        return os.environ.get("RUN_PAGE", "")
    return f"{_server()}/{setting('GITHUB_REPOSITORY')}/actions/runs/{int(setting('GITHUB_RUN_ID'))}"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m edgewright.ci", description=__doc__)
    verbs = parser.add_subparsers(metavar="VERB", required=True)

    def verb(name: str, run: Any) -> argparse.ArgumentParser:
        found = verbs.add_parser(name, help=run.__doc__, description=run.__doc__)
        found.set_defaults(run=run)
        return found

    stacks = verb("stacks", _stacks)
    stacks.add_argument("--base", default="", help="the revision before; without one, every stack is touched")
    stacks.add_argument("--head", default="HEAD")
    stacks.add_argument("--only", default="", metavar="STACK")
    stacks.add_argument("--json", type=Path, metavar="FILE", help="write the list there too")

    offline = verb("offline", _offline)
    offline.add_argument("--base", required=True)
    offline.add_argument("--head", default="HEAD")
    offline.add_argument("--output", type=Path, required=True)
    offline.add_argument("--seconds", type=float, default=900)

    for name, run in (("engine", _engine), ("find-plan", _find_plan), ("ready", _ready), ("open-plan", _open_plan)):
        planned = verb(name, run)
        planned.add_argument("--stack", required=True)
        planned.add_argument("--tree", required=True, help="the git tree of the files that a plan is made of")
        if name in ("engine", "ready"):
            planned.add_argument("--plan", type=Path, required=True)
        if name == "engine":
            planned.add_argument("--folder", type=Path, required=True)
        else:
            planned.add_argument("--output", type=Path, required=True)
        if name == "find-plan":
            planned.add_argument("--base", required=True, help="the branch that changes go to")

    pulumi = verb("pulumi", _pulumi)
    pulumi.add_argument("operation", choices=("preview", "up", "drift"))
    pulumi.add_argument("--stack", required=True)
    pulumi.add_argument(
        "--kept", type=Path, metavar="FOLDER", help="where a preview keeps its plan, and an update has it"
    )
    pulumi.add_argument("--among", type=Path, metavar="FILE", help="only if the list that `stacks` wrote has it")

    kept = verb("deploy-kept", _deploy_kept)
    kept.add_argument("cloud", choices=("aws", "azure"))
    kept.add_argument("folder", type=Path)

    verb("planned", _planned)
    verb("comment", _comment)
    review = verb("review", _review)
    review.add_argument("file", type=Path, help="the comment's text; nothing is posted where it is missing")
    drift = verb("drift", _drift)
    drift.add_argument("--plan", type=Path, required=True)
    drift.add_argument("--output", type=Path, required=True)
    verb("report", _report)
    return parser


if __name__ == "__main__":
    sys.exit(main())
