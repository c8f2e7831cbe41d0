"""What every workflow must be, beyond what actionlint and zizmor look for (`make lint-workflows`)."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from edgewright import engine
from edgewright.ci import comment, drift, planned
from workflows.expressions import substitute
from workflows.repository import PROJECT
from workflows.runner import WORKFLOWS, workflow

FILES = sorted(path.name for path in WORKFLOWS.iterdir())
ACTIONS = sorted((PROJECT / ".github/actions").rglob("action.yml"))
PINS = PROJECT / "docs/previews.md"
PIN = re.compile(r"^\s*-?\s*uses: (?P<action>[\w.-]+/[\w./-]+)@(?P<commit>[0-9a-f]{40}) # (?P<tag>v\d+\.\d+\.\d+)$")
READ_ROLE = {"AWS_PREVIEW_ROLE", "AZURE_PREVIEW_CLIENT_ID"}
DEPLOY_ROLE = {"AWS_DEPLOY_ROLE", "AZURE_DEPLOY_CLIENT_ID"}


def jobs() -> Iterator[tuple[str, str, dict[str, Any]]]:
    for file in FILES:
        for name, job in workflow(file)["jobs"].items():
            yield file, name, job


JOBS = list(jobs())
EACH_JOB = pytest.mark.parametrize(("file", "name", "job"), JOBS, ids=[f"{file}-{name}" for file, name, _ in JOBS])
EACH_FILE = pytest.mark.parametrize("file", FILES)


def texts(data: Any) -> Iterator[str]:
    if isinstance(data, str):
        yield data
    elif isinstance(data, dict):
        for value in data.values():
            yield from texts(value)
    elif isinstance(data, list):
        for value in data:
            yield from texts(value)


def test_there_are_the_workflows_that_the_docs_speak_of() -> None:
    assert FILES == ["comment.yml", "deploy.yml", "drift.yml", "preview.yml", "test.yml"]
    said = PINS.read_text()
    assert all(f"`{file}`" in said for file in FILES)


@EACH_FILE
def test_no_workflow_is_triggered_by_what_runs_with_secrets_for_a_fork(file: str) -> None:
    triggers = set(workflow(file)["on"])
    assert not triggers & {
        "pull_request_target",
        "issue_comment",
        "pull_request_review",
        "discussion_comment",
        "issues",
    }
    assert ("workflow_run" in triggers) == (file == "comment.yml")


REQUIRED = {"test.yml": "test", "preview.yml": "plan"}
"""The jobs that docs/previews.md asks main's protection to require."""


@pytest.mark.parametrize(("file", "name"), REQUIRED.items())
def test_a_required_check_is_never_skipped_and_reports_in_a_merge_queue_too(file: str, name: str) -> None:
    """A skipped job counts as one that passed, and a workflow that does not start is waited for without end."""
    definition = workflow(file)
    assert {"pull_request", "merge_group"} <= set(definition["on"])
    assert not {"paths", "paths-ignore"} & {key for of in definition["on"].values() for key in of}
    assert "if" not in definition["jobs"][name]
    assert "needs" not in definition["jobs"][name]
    # A title that is edited cannot start a second check beside it.
    assert "types" not in (definition["on"]["pull_request"] or {})


def asked(path: str) -> dict[str, Any]:
    """What docs/previews.md has a newcomer send to this address of GitHub's API."""
    found = re.search(
        rf"gh api -X PUT repos/ORG/REPO/{path} --input - <<'JSON'\n(.*?)\n    JSON\n", PINS.read_text(), re.DOTALL
    )
    assert found
    return json.loads(found[1])


def test_the_docs_protect_main_by_the_required_checks_of_github_actions_alone() -> None:
    """Anybody who may push can set a status of any name; 15368 is the app whose checks are those of workflows."""
    protection = asked("branches/main/protection")
    request = {"github": {"event_name": "pull_request"}}
    names = {substitute(workflow(file)["jobs"][job]["name"], request) for file, job in REQUIRED.items()}
    assert {(one["context"], one["app_id"]) for one in protection["required_status_checks"]["checks"]} == {
        (name, 15368) for name in names
    }
    assert protection["required_status_checks"]["strict"]


def test_the_docs_let_main_alone_deploy_whether_or_not_it_is_protected() -> None:
    """Where no branch is protected, "protected branches" are all of them."""
    policy = asked("environments/production")["deployment_branch_policy"]
    assert policy == {"protected_branches": False, "custom_branch_policies": True}
    assert "repos/ORG/REPO/environments/production/deployment-branch-policies -f name=main\n" in PINS.read_text()


@pytest.mark.parametrize(
    ("file", "job", "name"),
    [
        ("preview.yml", "preview", comment.PREVIEW_JOB),
        ("deploy.yml", "plan", planned.JOB),
        ("drift.yml", "drift", drift.JOB),
    ],
)
def test_the_jobs_of_stacks_have_the_names_that_the_verbs_look_for(file: str, job: str, name: str) -> None:
    assert workflow(file)["jobs"][job]["name"] == f"{name} (${{{{ matrix.stack }}}})"


def test_a_push_and_a_pull_request_have_no_check_of_one_name() -> None:
    """The commit is the same, and of two checks with one name the last counts."""
    name = workflow("test.yml")["jobs"]["test"]["name"]
    shown = {event: substitute(name, {"github": {"event_name": event}}) for event in workflow("test.yml")["on"]}
    assert shown == {"push": "Test of a push", "pull_request": "Test", "merge_group": "Test"}


def test_every_commit_of_main_is_tested_and_elsewhere_a_newer_push_ends_an_older_test() -> None:
    group = workflow("test.yml")["concurrency"]["group"]

    def of(ref: str, sha: str, event: str = "push") -> str:
        return substitute(group, {"github": {"event_name": event, "ref": ref, "sha": sha, "event": {}}})

    assert of("refs/heads/main", "1") != of("refs/heads/main", "2")
    assert of("refs/heads/change", "1") == of("refs/heads/change", "2") != of("refs/heads/other", "1")
    assert of("refs/heads/change", "1") != of("refs/heads/change", "1", "merge_group")


@EACH_FILE
def test_a_workflow_grants_nothing_that_a_job_does_not_ask_for(file: str) -> None:
    assert workflow(file)["permissions"] == {}


@EACH_JOB
def test_a_job_says_its_permissions_its_machine_and_its_time(file: str, name: str, job: dict[str, Any]) -> None:
    assert isinstance(job["permissions"], dict)
    assert job["permissions"]["contents"] == "read"
    assert job["runs-on"] == "ubuntu-24.04"
    assert 5 <= int(job["timeout-minutes"]) <= 180
    assert job["name"]


@EACH_JOB
def test_only_these_jobs_may_write_or_sign_in(file: str, name: str, job: dict[str, Any]) -> None:
    writes = {scope for scope, level in job["permissions"].items() if level == "write"}
    assert writes == {
        ("comment.yml", "comment"): {"pull-requests"},
        ("drift.yml", "report"): {"issues"},
        ("preview.yml", "preview"): {"id-token"},
        ("drift.yml", "drift"): {"id-token"},
        ("deploy.yml", "plan"): {"id-token"},
        ("deploy.yml", "deploy"): {"id-token"},
    }.get((file, name), set())


@EACH_JOB
def test_a_job_that_may_write_to_github_runs_no_code_but_mains_and_installs_nothing(
    file: str, name: str, job: dict[str, Any]
) -> None:
    if not {"pull-requests", "issues"} & {scope for scope, level in job["permissions"].items() if level == "write"}:
        assert "GITHUB_TOKEN" not in job.get("env", {})
        return
    assert [step.get("uses", "").partition("@")[0] for step in job["steps"]] == ["actions/checkout", ""]
    checkout, post = job["steps"]
    assert checkout["with"] == {"persist-credentials": "false", "sparse-checkout": "infra"}
    assert re.fullmatch(r"python3 -m edgewright\.ci \w+", post["run"])


@EACH_JOB
def test_a_checkout_keeps_no_token_and_takes_no_other_revision(file: str, name: str, job: dict[str, Any]) -> None:
    for step in job["steps"]:
        if step.get("uses", "").startswith("actions/checkout@"):
            assert step["with"]["persist-credentials"] == "false"
            assert not {"ref", "repository", "token"} & set(step["with"])


@EACH_JOB
def test_no_expression_reaches_a_shell(file: str, name: str, job: dict[str, Any]) -> None:
    for step in job["steps"]:
        assert "${{" not in step.get("run", "")
        assert "eval" not in step.get("run", "")


@EACH_JOB
def test_shell_steps_are_one_command(file: str, name: str, job: dict[str, Any]) -> None:
    for step in job["steps"]:
        if "run" in step:
            assert "\n" not in step["run"].strip(), "logic belongs in Python, with tests"


@EACH_JOB
def test_a_secret_goes_to_one_step_and_only_to_it(file: str, name: str, job: dict[str, Any]) -> None:
    outside = {**job, "steps": [{**step, "env": {}} for step in job["steps"]]}
    assert not [text for text in texts(outside) if "secrets." in text or "github.token" in text]
    named = {found for text in texts(job) for found in re.findall(r"secrets\.(\w+)", text)}
    assert named <= {"PLAN_KEY"}, "no long-lived key of a cloud"


@EACH_JOB
def test_a_fork_is_given_neither_a_secret_nor_a_role(file: str, name: str, job: dict[str, Any]) -> None:
    if "pull_request" not in workflow(file)["on"]:
        return
    trusted = "github.event.pull_request.head.repo.full_name == github.repository" in job.get("if", "")
    reaches = [text for text in texts(job) if "secrets." in text or "vars." in text]
    assert trusted or not reaches
    assert trusted or job["permissions"] == {"contents": "read"}


@EACH_JOB
def test_what_deploys_is_guarded_by_an_environment_and_nothing_else_has_its_roles(
    file: str, name: str, job: dict[str, Any]
) -> None:
    roles = {found for text in texts(job) for found in re.findall(r"vars\.(\w+)", text)}
    if (file, name) == ("deploy.yml", "deploy"):
        assert job["environment"] == "${{ matrix.environment }}"
        assert roles & DEPLOY_ROLE == DEPLOY_ROLE
        assert not roles & READ_ROLE
    else:
        assert "environment" not in job
        assert not roles & DEPLOY_ROLE


def test_a_stack_is_deployed_once_at_a_time_and_never_interrupted() -> None:
    deploy = workflow("deploy.yml")["jobs"]["deploy"]
    assert deploy["concurrency"] == {"group": "deploy-${{ matrix.stack }}", "cancel-in-progress": "false"}


def test_no_run_ends_the_plans_of_another_deployment() -> None:
    """Which of two pushes starts its jobs first is not said: the older one could end the newer."""
    assert "concurrency" not in workflow("deploy.yml")["jobs"]["plan"]
    assert "github.run_id" in workflow("deploy.yml")["concurrency"]["group"]


@EACH_FILE
def test_a_workflow_or_its_jobs_have_a_concurrency(file: str) -> None:
    assert workflow(file)["concurrency"]["group"]


def engine_steps() -> Iterator[tuple[str, dict[str, str]]]:
    for file, name, job in JOBS:
        for step in job["steps"]:
            if step.get("uses", "").startswith("pulumi/actions@"):
                yield f"{file} {name}", step["with"]


EACH_STEP = pytest.mark.parametrize(("where", "given"), list(engine_steps()))


@EACH_STEP
def test_the_engine_is_the_one_that_the_tests_run_with(where: str, given: dict[str, str]) -> None:
    assert given["pulumi-version"] == engine.VERSION


@EACH_STEP
def test_every_operation_of_the_engine_goes_by_a_plan(where: str, given: dict[str, str]) -> None:
    assert given["plan"] == "${{ runner.temp }}/update-plan.json"
    assert given["command"] in ("preview", "up")
    assert given["suppress-outputs"] == "true"
    assert "comment-on-pr" not in given


@EACH_STEP
def test_the_policy_pack_is_on_wherever_a_change_is_decided(where: str, given: dict[str, str]) -> None:
    if where == "drift.yml drift":
        assert given["refresh"] == "true"
    else:
        assert given["policyPacks"] == "policies"
        assert given["policyPackConfigs"] == "${{ matrix.policies }}"


def test_the_engines_own_action_installs_before_it_signs_in() -> None:
    action = yaml.load((PROJECT / ".github/actions/engine/action.yml").read_text(), Loader=yaml.BaseLoader)
    steps = [step["name"] for step in action["runs"]["steps"]]
    assert steps.index("Install what the stacks need") < min(
        index for index, name in enumerate(steps) if name.startswith("Sign in")
    )
    assert action["runs"]["steps"][0]["with"] == {"pulumi-version": engine.VERSION}


def test_a_deployment_stays_signed_in_for_as_long_as_it_may_take() -> None:
    """By default a session of AWS ends after an hour, and one of Pulumi Cloud after two: then no state can be written."""
    action = yaml.load((PROJECT / ".github/actions/engine/action.yml").read_text(), Loader=yaml.BaseLoader)
    inputs = {step["name"]: step.get("with", {}) for step in action["runs"]["steps"]}
    assert inputs["Sign in to AWS"]["role-duration-seconds"] == "${{ inputs.seconds }}"
    assert inputs["Sign in to Pulumi Cloud"]["token-expiration"] == "${{ inputs.seconds }}"
    seconds = action["inputs"]["seconds"]["default"]
    for file, name, job in JOBS:
        for step in job["steps"]:
            if step.get("uses") == "./.github/actions/engine":
                given = int(step["with"].get("seconds", seconds))
                assert given >= 60 * int(job["timeout-minutes"]), (file, name)
                assert given == 3_600 or f"--max-session-duration {given}" in PINS.read_text()
                assert given == 3_600 or f"tokens of {given}\nseconds" in PINS.read_text()


def uses() -> Iterator[tuple[Path, str]]:
    for path in (*(WORKFLOWS / file for file in FILES), *ACTIONS):
        for line in path.read_text().splitlines():
            if re.match(r"\s*(- )?uses:", line):
                yield path, line


@pytest.mark.parametrize(("path", "line"), list(uses()))
def test_an_action_is_pinned_by_commit_with_its_version(path: Path, line: str) -> None:
    if "uses: ./" not in line:
        assert PIN.match(line), line


def test_each_pin_stands_in_the_docs_with_two_sources_and_no_other_does() -> None:
    pinned = {(found["action"], found["commit"], found["tag"]) for _, line in uses() if (found := PIN.match(line))}
    rows = re.findall(
        r"^\| `([\w.-]+/[\w.-]+)` \| `([0-9a-f]{40})` \| (v[\d.]+) \| ([^|]+) \| ([^|]+) \|$",
        PINS.read_text(),
        re.MULTILINE,
    )
    assert {row[:3] for row in rows} == pinned
    assert all(first.strip() and second.strip() and first.strip() != second.strip() for *_, first, second in rows)


def test_ignored_findings_say_why() -> None:
    for path in (*(WORKFLOWS / file for file in FILES), *ACTIONS):
        for found in re.findall(r"zizmor: ignore\[[\w-]+\](.*)", path.read_text()):
            assert len(found.split()) >= 5, found


def test_the_lint_is_part_of_make_test() -> None:
    text = (PROJECT / "Makefile").read_text()
    assert re.search(r"^test:.*\blint-workflows\b", text, re.MULTILINE)
    recipe = re.search(r"^lint-workflows:.*\n((?:\t.*\n)+)", text, re.MULTILINE)
    assert recipe
    assert "actionlint -shellcheck" in recipe[1]
    assert "--persona=pedantic" in recipe[1]
    assert "--offline" in recipe[1]
