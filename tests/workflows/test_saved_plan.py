"""The plan that reviewers saw is used if it is of the very files that were merged, and of nothing else."""

import io
import json
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from edgewright.ci.sealed import SavedPlan, seal
from workflows.github_api import REPOSITORY, GitHub, serving
from workflows.runner import workflow
from workflows.verbs import Done, call

KEY = "a key that nobody could guess, ever"
MERGED, HEAD, TREE = "d" * 40, "a" * 40, "7" * 40
CONTENT = json.dumps({"manifest": {}, "resourcePlans": {"urn:pulumi:web::e::a:b:C::x": {"steps": ["create"]}}}).encode()


def archive(data: bytes, file: str = "plan.sealed") -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as opened:
        opened.writestr(file, data)
    return made.getvalue()


def preview(number: int, **more: Any) -> dict[str, Any]:
    return {
        "id": number,
        "run_number": number,
        "event": "pull_request",
        "head_sha": HEAD,
        "conclusion": "success",
        "head_repository": {"full_name": REPOSITORY},
        **more,
    }


@pytest.fixture
def github() -> Iterator[GitHub]:
    known = GitHub(permissions=workflow("deploy.yml")["jobs"]["plan"]["permissions"])
    known.pull(7, HEAD, merge_commit_sha=MERGED, merged_at="2026-01-02", state="closed")
    known.runs = [preview(3)]
    known.artifacts[3] = {"plan-web": archive(seal(SavedPlan("web", TREE, CONTENT), KEY))}
    with serving(known):
        yield known
    assert known.wrong == []


def find(github: GitHub, folder: Path, *, key: str = KEY, attempt: str = "1") -> Done:
    return call(
        *(folder, github.address, "find-plan", "--stack", "web", "--tree", TREE, "--base", "main"),
        *("--output", str(folder / "plan.json")),
        GITHUB_SHA=MERGED,
        PLAN_KEY=key,
        GITHUB_RUN_ATTEMPT=attempt,
    )


def test_the_plan_of_the_merged_pull_request_is_found(github: GitHub, tmp_path: Path) -> None:
    done = find(github, tmp_path)
    assert done.outputs == {"found": "true"}, done.log
    assert (tmp_path / "plan.json").read_bytes() == CONTENT


def test_the_permissions_of_the_job_are_those_that_it_needs(github: GitHub, tmp_path: Path) -> None:
    find(github, tmp_path)
    assert github.permissions == {**dict(github.used), "contents": "read", "id-token": "write"}


def other_tree(github: GitHub) -> None:
    github.artifacts[3] = {"plan-web": archive(seal(SavedPlan("web", "8" * 40, CONTENT), KEY))}


def other_stack(github: GitHub) -> None:
    github.artifacts[3] = {"plan-web": archive(seal(SavedPlan("shop", TREE, CONTENT), KEY))}


def tampered(github: GitHub) -> None:
    github.artifacts[3] = {
        "plan-web": archive(seal(SavedPlan("web", TREE, CONTENT), "another key of 32 characters, yes"))
    }


def unsealed(github: GitHub) -> None:
    github.artifacts[3] = {"plan-web": archive(CONTENT)}


def expired(github: GitHub) -> None:
    github.artifacts[3] = {"plan-web": b""}


def other_file(github: GitHub) -> None:
    github.artifacts[3] = {"plan-web": archive(CONTENT, "../plan.sealed")}


def not_merged(github: GitHub) -> None:
    github.pulls[0]["merged_at"] = None


def of_a_fork(github: GitHub) -> None:
    github.pulls[0]["head"]["repo"] = {"full_name": "eve/edge"}


def of_a_fork_that_is_gone(github: GitHub) -> None:
    github.pulls[0]["head"]["repo"] = None


def into_another_branch(github: GitHub) -> None:
    github.pulls[0]["base"]["ref"] = "release"


def no_pull_request(github: GitHub) -> None:
    github.pulls.clear()


def no_preview(github: GitHub) -> None:
    github.runs.clear()


def preview_of_a_fork(github: GitHub) -> None:
    github.runs = [preview(3, head_repository={"full_name": "eve/edge"})]


def failed_later(github: GitHub) -> None:
    github.runs = [preview(4, conclusion="failure"), preview(3)]


@pytest.mark.parametrize(
    ("change", "because"),
    [
        (other_tree, "something else was merged since its preview"),
        (other_stack, "of the stack shop"),
        (tampered, "was not sealed with this PLAN_KEY"),
        (unsealed, "was not sealed with this PLAN_KEY"),
        (expired, "has no plan of web, or it is gone"),
        (other_file, "must hold one file, plan.sealed"),
        (not_merged, "no merge of a pull request"),
        (of_a_fork, "no merge of a pull request of this repository"),
        (of_a_fork_that_is_gone, "no merge of a pull request of this repository"),
        (into_another_branch, "no merge of a pull request"),
        (no_pull_request, "no merge of a pull request"),
        (no_preview, "has no preview"),
        (preview_of_a_fork, "has no preview"),
        (failed_later, "the last preview of pull request 7 did not succeed"),
    ],
)
def test_any_other_plan_means_a_fresh_preview_and_the_log_says_why(
    change: Callable[[GitHub], None], because: str, github: GitHub, tmp_path: Path
) -> None:
    change(github)
    done = find(github, tmp_path)
    assert done.ok
    assert done.outputs == {"found": "false"}
    assert f"a fresh preview is needed: {because}" in done.log or because in done.log
    assert not (tmp_path / "plan.json").exists()


def test_a_run_that_is_started_again_previews_afresh(github: GitHub, tmp_path: Path) -> None:
    assert find(github, tmp_path, attempt="2").outputs == {"found": "false"}


def test_the_newest_preview_counts(github: GitHub, tmp_path: Path) -> None:
    github.runs = [preview(3), preview(9), preview(4)]
    github.artifacts[9] = {"plan-web": archive(seal(SavedPlan("web", TREE, CONTENT + b" "), KEY))}
    find(github, tmp_path)
    assert (tmp_path / "plan.json").read_bytes() == CONTENT + b" "


def test_a_weak_key_is_an_error_with_the_remedy_wherever_a_plan_is_sealed(github: GitHub, tmp_path: Path) -> None:
    (tmp_path / "plan.json").write_bytes(CONTENT)
    about = ("--stack", "web", "--tree", TREE, "--plan", str(tmp_path / "plan.json"))
    for verb in (("engine", "--folder", str(tmp_path)), ("ready", "--output", str(tmp_path / "sealed"))):
        done = call(tmp_path, github.address, *verb, *about, PLAN_KEY="weak")
        assert not done.ok
        assert "gh secret set PLAN_KEY" in done.log


def test_an_approved_plan_is_opened_from_the_runs_own_artifacts(github: GitHub, tmp_path: Path) -> None:
    github.artifacts[5] = {"plan-web": archive(seal(SavedPlan("web", TREE, CONTENT), KEY))}
    about = ("--stack", "web", "--tree", TREE, "--output", str(tmp_path / "plan.json"))
    assert call(tmp_path, github.address, "open-plan", *about, PLAN_KEY=KEY).ok
    assert (tmp_path / "plan.json").read_bytes() == CONTENT


def test_a_plan_of_other_files_is_not_deployed(github: GitHub, tmp_path: Path) -> None:
    github.artifacts[5] = {"plan-web": archive(seal(SavedPlan("web", "8" * 40, CONTENT), KEY))}
    about = ("--stack", "web", "--tree", TREE, "--output", str(tmp_path / "plan.json"))
    done = call(tmp_path, github.address, "open-plan", *about, PLAN_KEY=KEY)
    assert not done.ok
    assert "error: the plan was made of other files" in done.log
    assert not (tmp_path / "plan.json").exists()


def test_those_who_approve_see_the_steps_and_a_plan_without_any_is_not_kept(github: GitHub, tmp_path: Path) -> None:
    plan, kept = tmp_path / "plan.json", tmp_path / "sealed"
    about = ("--stack", "web", "--tree", TREE, "--plan", str(plan), "--output", str(kept))
    plan.write_bytes(CONTENT)
    done = call(tmp_path, github.address, "ready", *about, PLAN_KEY=KEY)
    assert done.outputs == {"changes": "true"}
    assert done.summary == "### web\n\n```text\n1 to create, 0 unchanged\n+  a:b:C  x\n```\n\n"
    assert kept.exists()
    kept.unlink()
    plan.write_bytes(CONTENT.replace(b"create", b"same"))
    assert call(tmp_path, github.address, "ready", *about, PLAN_KEY=KEY).outputs == {"changes": "false"}
    assert not kept.exists()


MATRIX = [{"stack": "web", "cloud": "aws"}, {"stack": "shop", "cloud": "azure"}]


def to_deploy(github: GitHub, folder: Path, *, attempt: int = 1) -> list[str]:
    done = call(folder, github.address, "planned", STACKS=json.dumps(MATRIX), GITHUB_RUN_ATTEMPT=str(attempt))
    assert done.ok, done.log
    stacks = [stack["stack"] for stack in json.loads(done.outputs["stacks"])]
    assert done.outputs["any"] == ("true" if stacks else "false")
    return stacks


def test_only_stacks_with_a_plan_are_deployed(github: GitHub, tmp_path: Path) -> None:
    github.job(5, "Plan (web)")
    github.job(5, "Plan (shop)")
    github.job(5, "Stacks")
    github.artifacts[5] = {"plan-web": b"x", "engine-shop": b"x"}
    assert to_deploy(github, tmp_path) == ["web"]
    github.artifacts[5] = {}
    assert to_deploy(github, tmp_path) == []


@pytest.mark.parametrize(
    ("what", "conclusion"),
    [
        ("its plan fails this time", "failure"),
        ("its plan takes too long this time", "cancelled"),
        ("its plan has no changes this time, and so is not kept", "success"),
        ("its plan is not made again, since it did not fail", None),
    ],
)
def test_in_a_run_that_is_started_again_a_plan_of_an_earlier_attempt_is_not_deployed(
    what: str, conclusion: str | None, github: GitHub, tmp_path: Path
) -> None:
    github.artifacts[5] = {"plan-web": b"x", "plan-shop": b"x"}
    github.made = {"plan-web": "2026-01-02T09:10:00Z", "plan-shop": "2026-01-02T10:10:00Z"}
    github.job(5, "Plan (web)")
    github.job(5, "Plan (shop)", "failure")
    github.job(5, "Plan (shop)", attempt=2)
    if conclusion:
        github.job(5, "Plan (web)", conclusion, attempt=2)
    assert to_deploy(github, tmp_path, attempt=2) == ["shop"], what


def test_of_plans_of_one_name_the_newest_counts(github: GitHub, tmp_path: Path) -> None:
    """A run that is started again may keep what an earlier attempt has left beside what this one uploads."""
    github.earlier[5] = {"plan-web": archive(seal(SavedPlan("web", TREE, b"old"), KEY))}
    github.artifacts[5] = {"plan-web": archive(seal(SavedPlan("web", TREE, CONTENT), KEY))}
    github.made = {"plan-web": "2026-01-02T10:10:00Z"}
    github.job(5, "Plan (web)")
    github.job(5, "Plan (web)", attempt=2)
    assert to_deploy(github, tmp_path, attempt=2) == ["web"]
    about = ("--stack", "web", "--tree", TREE, "--output", str(tmp_path / "plan.json"))
    assert call(tmp_path, github.address, "open-plan", *about, PLAN_KEY=KEY).ok
    assert (tmp_path / "plan.json").read_bytes() == CONTENT


def test_a_plan_that_is_approved_after_a_later_one_was_made_is_not_carried_out(github: GitHub, tmp_path: Path) -> None:
    """It would bring back what was there before the later change."""
    github.artifacts[5] = {"plan-web": archive(seal(SavedPlan("web", TREE, CONTENT), KEY))}
    about = ("--stack", "web", "--tree", TREE, "--output", str(tmp_path / "plan.json"))
    github.deployments = [{"id": id_, "run_number": id_ - 3, "head_branch": "main"} for id_ in (4, 5, 6, 7)]
    github.job(4, "Plan (web)")  # before this one
    github.job(6, "Plan (other)")
    github.job(7, "Plan (web)", "failure")
    assert call(tmp_path, github.address, "open-plan", *about, PLAN_KEY=KEY).ok
    (tmp_path / "plan.json").unlink()
    github.job(6, "Plan (web)")
    github.job(6, "Plan (other)", attempt=2)
    done = call(tmp_path, github.address, "open-plan", *about, PLAN_KEY=KEY)
    assert not done.ok
    assert "error: run 3 has a newer plan of web" in done.log
    assert not (tmp_path / "plan.json").exists()
