"""One issue about drift: opened, edited in place, closed; somebody else's issue is left alone."""

import io
import json
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from workflows.github_api import GitHub, serving
from workflows.runner import workflow
from workflows.verbs import Done, call

STACKS = json.dumps([{"stack": "web", "cloud": "aws"}, {"stack": "shop", "cloud": "azure"}])
URN = "urn:pulumi:web::edge::aws:lb/listener:Listener::https"


@pytest.fixture
def github() -> Iterator[GitHub]:
    known = GitHub(permissions=workflow("drift.yml")["jobs"]["report"]["permissions"])
    with serving(known):
        yield known
    assert known.wrong == []


def found(github: GitHub, **texts: str) -> None:
    """What the jobs of the run have left for each stack."""
    github.artifacts[5], github.jobs[5] = {}, []
    for stack, text in texts.items():
        github.job(5, f"Drift ({stack})")
        made = io.BytesIO()
        with zipfile.ZipFile(made, "w") as opened:
            opened.writestr("drift.txt", text)
        github.artifacts[5][f"drift-{stack}"] = made.getvalue()


def report(github: GitHub, folder: Path) -> Done:
    done = call(folder, github.address, "report", STACKS=STACKS)
    assert done.ok, done.log
    return done


def test_without_drift_there_is_no_issue(github: GitHub, tmp_path: Path) -> None:
    found(github, web="", shop="")
    report(github, tmp_path)
    assert github.issues == []


def test_drift_opens_one_issue_that_names_the_stack_and_the_steps(github: GitHub, tmp_path: Path) -> None:
    found(github, web="1 to update, 9 unchanged\n~  aws:lb/listener:Listener  https\n", shop="")
    report(github, tmp_path)
    [issue] = github.issues
    assert issue["title"] == "Drift: what runs differs from main"
    assert "### web\n\n```text\n1 to update, 9 unchanged\n~  aws:lb/listener:Listener  https\n```" in issue["body"]
    assert "shop" not in issue["body"].partition("actions/runs/5")[2]


def test_the_issue_is_edited_while_it_is_open_and_closed_when_all_is_well(github: GitHub, tmp_path: Path) -> None:
    found(github, web="1 to update\n", shop="")
    report(github, tmp_path)
    found(github, web="1 to update\n", shop="2 to delete\n")
    report(github, tmp_path)
    [issue] = github.issues
    assert "### shop" in issue["body"]
    found(github, web="", shop="")
    report(github, tmp_path)
    assert (issue["state"], issue["state_reason"]) == ("closed", "completed")
    assert "No stack differs any more" in github.comments[issue["number"]][0]["body"]
    found(github, web="1 to update\n", shop="")
    report(github, tmp_path)
    assert [one["state"] for one in github.issues] == ["closed", "open"]


def test_a_stack_that_could_not_be_looked_at_is_told_and_keeps_the_issue_open(github: GitHub, tmp_path: Path) -> None:
    found(github, shop="")
    report(github, tmp_path)
    assert "Not checked, since the job failed or there is no answer: `web`." in github.issues[0]["body"]


def test_what_an_earlier_attempt_has_left_is_no_answer_where_the_last_one_failed(
    github: GitHub, tmp_path: Path
) -> None:
    """The run is started again: its artifacts are still there, and `shop` is not looked at again."""
    found(github, web="", shop="1 to update\n")
    github.job(5, "Drift (web)", "failure", attempt=2)
    report(github, tmp_path)
    assert "Not checked, since the job failed or there is no answer: `web`." in github.issues[0]["body"]
    assert "### shop" in github.issues[0]["body"]


def test_an_issue_of_somebody_else_is_left_alone(github: GitHub, tmp_path: Path) -> None:
    marker = "<!-- edgewright drift -->\nmine"
    for user, body in (("eve", marker), ("github-actions[bot]", "words\n" + marker)):
        github.issues.append({"number": len(github.issues), "state": "open", "user": user, "title": "x", "body": body})
    found(github, web="1 to update\n", shop="")
    report(github, tmp_path)
    assert [one["body"] for one in github.issues[:2]] == [marker, "words\n" + marker]
    assert len(github.issues) == 3


def test_the_permissions_of_the_job_are_those_that_it_needs(github: GitHub, tmp_path: Path) -> None:
    found(github, web="1 to update\n", shop="")
    report(github, tmp_path)
    needed = {scope: "write" if (scope, "write") in github.used else "read" for scope, _ in github.used}
    assert github.permissions == {**needed, "contents": "read"}


def test_text_of_a_stack_stays_in_its_block_and_below_the_limit(github: GitHub, tmp_path: Path) -> None:
    found(github, web="1 to update\n```\n@ann ::error::\n" + "~  a:b:C  x\n" * 12_000, shop="")
    report(github, tmp_path)
    body = github.issues[0]["body"]
    assert len(body) < 65_536
    assert "@ann" not in body
    assert "````text\n" in body


def test_a_plan_with_steps_is_drift_and_one_without_is_an_empty_file(github: GitHub, tmp_path: Path) -> None:
    plan, file = tmp_path / "plan.json", tmp_path / "drift/drift.txt"
    for step, text in (("update", "1 to update, 0 unchanged\n~  aws:lb/listener:Listener  https\n"), ("same", "")):
        plan.write_text(json.dumps({"manifest": {}, "resourcePlans": {URN: {"steps": ["refresh", step]}}}))
        assert call(tmp_path, github.address, "drift", "--plan", str(plan), "--output", str(file)).ok
        assert file.read_text() == text
