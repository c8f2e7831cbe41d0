"""The shell steps of the workflows, run for real: what a pull request leaves, what is posted, and what a deployment does.

The plans are edgewright's own, of this project's stacks; GitHub is `github_api`, and the engine's action leaves a plan.
"""

import io
import json
import re
import zipfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from markdown_it import MarkdownIt

from edgewright.ci import offline
from workflows.github_api import REPOSITORY, REPOSITORY_ID, TOKEN, GitHub, serving
from workflows.repository import Repository, git
from workflows.runner import FailedError, Run, commands_in, install, makes_a_venv, workflow

FORK, FORK_ID = "eve/edge", 666
KEY = "a key that nobody could guess, ever"
VARS = {"PULUMI_BACKEND_URL": "s3://state", "AWS_PREVIEW_ROLE": "arn:read", "AWS_DEPLOY_ROLE": "arn:write"}
MARKER = "<!-- edgewright -->"
SHOP = "stacks/shop.edge.yaml"
STACKS = ("aws-balancer-first", "aws-balancer-only", "local")
"""Enough of this project's: the shop and the web application, in one cloud, whose SDK is the faster to import."""


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Repository:
    return Repository.create(tmp_path_factory.mktemp("shop") / "r", stacks=STACKS)


@pytest.fixture
def github() -> Iterator[GitHub]:
    known = GitHub()
    with serving(known):
        yield known
    assert known.wrong == []


def change(shop: Repository, files: Mapping[str, str | bytes | None]) -> tuple[str, str]:
    """A pull request with these files: its head, and what it is when merged."""
    shop.branch("change")
    head = shop.commit(files)
    return head, shop.merge("change")


def public(shop: Repository) -> dict[str, str]:
    """The shop, where orders can suddenly be read without a token."""
    text = shop.read(SHOP)
    wanted = "auth: {scopes: [orders.read]}"
    assert wanted in text
    return {SHOP: text.replace(wanted, "auth: none")}


def pull_request_event(merged: str, *, fork: bool) -> dict[str, Any]:
    head = {"full_name": FORK if fork else REPOSITORY}
    return {
        "event_name": "pull_request",
        "repository": REPOSITORY,
        "sha": merged,
        "ref": "refs/pull/7/merge",
        "run_id": 5,
        "run_attempt": 1,
        "token": TOKEN,
        "event": {"pull_request": {"number": 7, "head": {"repo": head}, "user": {"login": "eve" if fork else "ann"}}},
    }


def planned(shop: Repository, merged: str, folder: Path, *, fork: bool) -> Run:
    """The job that plans without an engine."""
    github = pull_request_event(merged, fork=fork)
    run = Run("preview.yml", "plan", folder / "plan", shop, merged, {"github": github, "vars": VARS})
    install(run)
    run.start()
    assert commands_in(run.log) == []
    return run


def commented(github: GitHub, shop: Repository, head: str, left: Run, folder: Path, *, fork: bool) -> Run:
    """The job that comments, after a run that left that."""
    github.artifacts[5] = left.artifacts
    github.permissions = workflow("comment.yml")["jobs"]["comment"]["permissions"]
    full_name, id_ = (FORK, FORK_ID) if fork else (REPOSITORY, REPOSITORY_ID)
    if not any(pull["head"]["sha"] == head for pull in github.pulls):
        github.pulls.clear()
        github.pull(7, head, head=full_name, head_id=id_)
    event = {
        "repository": {"full_name": REPOSITORY, "default_branch": "main"},
        "workflow_run": {
            "id": 5,
            "event": "pull_request",
            "conclusion": left.conclusion,
            "head_sha": head,
            "head_branch": "change",
            "head_repository": {"full_name": full_name, "id": id_},
        },
    }
    path = folder / "event.json"
    path.write_text(json.dumps(event))
    contexts = {"event_path": path, "github": {"repository": REPOSITORY, "token": TOKEN, "event": event, "run_id": 6}}
    run = Run("comment.yml", "comment", folder / "comment", shop, "main", contexts, api=github.address)
    install(run)
    run.start()
    assert commands_in(run.log) == []
    return run


# -- a pull request, from its push to its comment


def test_a_fork_that_opens_a_route_to_everybody_gets_a_plan_and_a_comment_that_says_so_first(
    shop: Repository, github: GitHub, tmp_path: Path
) -> None:
    head, merged = change(shop, public(shop))
    left = planned(shop, merged, tmp_path, fork=True)
    assert left.steps["Plan without an engine"] in ("success", "failure"), left.log
    assert list(left.artifacts) == ["comment", "whole"], left.log
    stacks = [stack["stack"] for stack in json.loads(left.results()["stacks"])]
    assert stacks == ["aws-balancer-first"]
    assert left.results()["tree"] == shop.tree(merged)

    run = commented(github, shop, head, left, tmp_path, fork=True)
    assert run.conclusion == "success", run.log
    [comment] = github.comments[7]
    body = comment["body"]
    assert body.startswith(f"{MARKER}\n")
    assert "From a fork: this was made by the code of `eve/edge`" in body
    assert 0 < body.index("ANY /orders/*") < 2_500
    assert len(body) <= 65_536

    # The next push changes something else: the comment is edited in place.
    head, merged = change(shop, {SHOP: shop.read(SHOP).replace("expose_headers: [x-request-id]", "max_age: 10s")})
    again = planned(shop, merged, tmp_path / "again", fork=True)
    commented(github, shop, head, again, tmp_path, fork=True)
    assert github.writes == ["comment on 7", "edit 7000"]
    assert github.comments[7][0]["body"] != body


def test_a_change_of_no_stack_leaves_nothing_and_says_nothing(shop: Repository, github: GitHub, tmp_path: Path) -> None:
    head, merged = change(shop, {"README.md": "hello", "docs/x.md": "hello"})
    left = planned(shop, merged, tmp_path, fork=False)
    assert left.conclusion == "success", left.log
    assert left.artifacts == {}
    assert left.results()["any"] == "false"
    commented(github, shop, head, left, tmp_path, fork=False)
    assert github.writes == []


def test_a_huge_change_is_cut_below_githubs_limit(shop: Repository, github: GitHub, tmp_path: Path) -> None:
    routes = "".join(
        f"  GET /things/{number}/with/a/long/path/{{id}}: {{backend: orders, auth: none}}\n" for number in range(600)
    )
    head, merged = change(shop, {SHOP: shop.read(SHOP) + routes})
    left = planned(shop, merged, tmp_path, fork=False)
    assert "comment" in left.artifacts, left.log
    run = commented(github, shop, head, left, tmp_path, fork=False)
    assert run.conclusion == "success", run.log
    body = github.comments[7][0]["body"]
    assert 20_000 < len(body) <= 65_536
    assert f"All of it is in [the artifact](https://github.com/{REPOSITORY}/actions/runs/5)" in body
    whole = zipfile.ZipFile(io.BytesIO(left.artifacts["whole"])).read("whole.md").decode()
    assert "left out here" not in whole
    for number in range(600):
        assert f"GET /things/{number}/with/a/long/path/{{id}}`" in whole


def test_a_folder_called_like_a_revision_hides_nothing(shop: Repository, github: GitHub, tmp_path: Path) -> None:
    main = git(shop.folder, "rev-parse", "main").strip()
    paths = ("Pulumi.yaml", SHOP, "stacks/Pulumi.aws-balancer-first.yaml")
    decoys = {f"{name}/{path}": shop.read(path) for name in ("HEAD", "HEAD^1", main) for path in paths}
    head, merged = change(shop, {**public(shop), **decoys})
    left = planned(shop, merged, tmp_path, fork=True)
    commented(github, shop, head, left, tmp_path, fork=True)
    assert "ANY /orders/*" in github.comments[7][0]["body"], left.log


def test_a_spec_with_an_error_gets_a_comment_that_says_it_and_a_red_check(
    shop: Repository, github: GitHub, tmp_path: Path
) -> None:
    head, merged = change(
        shop, {SHOP: shop.read(SHOP).replace("GET /products:", "GET /products: {backnd: orders}\n  GET /p:")}
    )
    left = planned(shop, merged, tmp_path, fork=False)
    assert left.conclusion == "failure"
    commented(github, shop, head, left, tmp_path, fork=False)
    assert "backnd" in github.comments[7][0]["body"]


def test_a_change_of_the_code_is_compared_with_what_main_plans_by_its_own(
    shop: Repository, github: GitHub, tmp_path: Path
) -> None:
    """Here main's code says another thing than the change's: the tests' own, of which main has an older copy."""
    target = "infra/edgewright/aws/target_groups.py"
    now = shop.read(target)
    shop.branch("main-before")
    old = shop.commit({target: now + '\nOLDER = "main has this"\n', "infra/edgewright/cli.py": OLDER_CLI})
    git(shop.folder, "checkout", "--quiet", "-B", "change", old)
    head = shop.commit({target: now, "infra/edgewright/cli.py": shop.read("infra/edgewright/cli.py")})
    git(shop.folder, "checkout", "--quiet", "--detach", old)
    git(shop.folder, "merge", "--quiet", "--no-ff", "--no-edit", head)
    merged = shop.head
    git(shop.folder, "checkout", "--quiet", "main")
    left = planned(shop, merged, tmp_path, fork=False)
    assert "comment" in left.artifacts, left.log
    commented(github, shop, head, left, tmp_path, fork=False)
    assert "aws-balancer-only" in github.comments[7][0]["body"]
    assert "as main once said" in github.comments[7][0]["body"]


def test_code_of_main_that_does_not_end_is_replaced_by_that_of_the_change(
    shop: Repository, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = shop.read("infra/edgewright/cli.py")
    shop.branch("main-before")
    old = shop.commit({"infra/edgewright/cli.py": "import time\n\ntime.sleep(600)\n"})
    git(shop.folder, "checkout", "--quiet", "-B", "change", old)
    head = shop.commit({"infra/edgewright/cli.py": now})
    monkeypatch.setattr(offline, "_PLAN_SECONDS", 2)
    found = offline.compared(shop.folder, old, head)
    assert found.stacks
    assert [stack.state for stack in found.stacks if not stack.same] == []


OLDER_CLI = """
import json, sys
from edgewright.plan.planning import Options, planned
from edgewright.plan.show_json import to_json
from pathlib import Path

def main():
    data = to_json(planned(Path(sys.argv[2]), Options()))
    data["decisions"] = ["as main once said"]
    print(json.dumps(data))
    return 0
"""


def test_a_merge_queue_that_rebases_is_planned_with_every_commit_that_it_puts_on_main(
    shop: Repository, tmp_path: Path
) -> None:
    """The last commit alone touches no stack."""
    main = git(shop.folder, "rev-parse", "main")
    shop.branch("change")
    shop.commit(public(shop))
    head = shop.commit({"README.md": "hello"})
    event = {"merge_group": {"base_sha": main, "head_sha": head}}
    queue = {"event_name": "merge_group", "repository": REPOSITORY, "sha": head, "run_id": 5, "event": event}
    run = Run("preview.yml", "plan", tmp_path, shop, head, {"github": queue, "vars": VARS})
    install(run)
    run.start()
    assert [stack["stack"] for stack in json.loads(run.results()["stacks"])] == ["aws-balancer-first"], run.log
    assert "comment" in run.artifacts


# -- hostile changes


WORDS = (
    "@everyone fixes #1, eve/other#2, GH-3 https://github.com/eve/other/issues/4 $(touch x) `touch x` | a | b |\n"
    "::error::x\n##[add-mask]x\n<!-- edgewright -->\n<img src=x onerror=alert(1)><script>alert(1)</script>\n"
    "[Approve](https://evil.example) ![x](https://evil.example/p.png) </details></summary>\n```\n~~~\n# Heading\n"
)


def names_that_are_refused(shop: Repository) -> dict[str, str | bytes | None]:
    names = (*(f"GET /{word}" for word in WORDS.split()), f"GET /{WORDS}", WORDS)
    routes = "".join(f"  {json.dumps(name)}: {{backend: orders, auth: none}}\n" for name in names)
    return {SHOP: shop.read(SHOP) + routes}


def names_that_are_accepted(shop: Repository) -> dict[str, str | bytes | None]:
    names = ("$(touch-x)", "@everyone", "!(x)", "GH-1/issues/1", "::set-env::", "~~x~~/__y__", "$x$", "*")
    routes = "".join(
        f"  {json.dumps(f'GET /{name}')}: {{respond: {{status: 200, body: {json.dumps(WORDS)}}}, auth: none}}\n"
        for name in names
    )
    return {SHOP: shop.read(SHOP) + routes}


def alias_bomb(shop: Repository) -> dict[str, str | bytes | None]:
    lines = ["a0: &a0 [x, x]"] + [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 40)]
    return {SHOP: shop.read(SHOP) + "\n".join(lines) + "\n"}


def ten_megabytes(shop: Repository) -> dict[str, str | bytes | None]:
    return {SHOP: shop.read(SHOP).encode() + b"# " + b"x" * 10_000_000 + b"\n"}


def link_to_passwords(_: Repository) -> dict[str, str | bytes | None]:
    return {SHOP: "-> /etc/passwd"}


def path_to_passwords(shop: Repository) -> dict[str, str | bytes | None]:
    stack = "stacks/Pulumi.aws-balancer-first.yaml"
    return {stack: shop.read(stack).replace("shop.edge.yaml", "/etc/passwd")}


def commands_as_errors(_: Repository) -> dict[str, str | bytes | None]:
    return {SHOP: '"::error::x\\n::set-output name=any::no":\n  - "##[add-mask]y"\n::stop-commands::z: 1\n'}


def stack_named_as_a_command(shop: Repository) -> dict[str, str | bytes | None]:
    text = shop.read("stacks/Pulumi.aws-balancer-first.yaml")
    return {"stacks/Pulumi.$(touch x)\n::error::.yaml": text}


@pytest.mark.parametrize(
    "attack",
    [
        names_that_are_refused,
        names_that_are_accepted,
        alias_bomb,
        ten_megabytes,
        link_to_passwords,
        path_to_passwords,
        commands_as_errors,
        stack_named_as_a_command,
    ],
)
def test_a_hostile_change_alters_nothing_but_its_own_text(
    attack: Callable[[Repository], dict[str, str | bytes | None]], shop: Repository, github: GitHub, tmp_path: Path
) -> None:
    other = github.comment(8, "of another pull request")
    forged = github.comment(7, f"{MARKER}\nforged", {"login": "eve", "type": "User"})
    head, merged = change(shop, attack(shop))
    before = git(shop.folder, "status", "--porcelain")
    left = planned(shop, merged, tmp_path, fork=True)
    run = commented(github, shop, head, left, tmp_path, fork=True)
    assert run.conclusion == "success", run.log

    assert not list(tmp_path.rglob("x"))
    assert git(shop.folder, "status", "--porcelain") == before
    assert set(left.artifacts) <= {"comment", "whole"}
    assert other["body"] == "of another pull request"
    assert forged["body"] == f"{MARKER}\nforged"
    bodies = [one["body"] for one in github.comments[7] if one is not forged]
    assert len(bodies) <= 1
    for body in bodies:
        assert "root:" not in body
        assert body.count(MARKER) == 1
        assert len(body) <= 65_536
        shown = MarkdownIt("gfm-like").render(body)
        for never in ("<script", "<img", "@everyone", "fixes #", "GH-3", "other#2", "/issues/4"):
            assert never not in shown, shown
        assert set(re.findall(r'href="([^"]*)"', shown)) <= {f"https://github.com/{REPOSITORY}/actions/runs/5"}
        assert shown.count("<details>") == shown.count("</details>")
    assert "root:" not in left.log + run.log


def test_after_an_attack_an_ordinary_change_is_planned_as_ever(shop: Repository, tmp_path: Path) -> None:
    head, merged = change(shop, public(shop))
    assert "comment" in planned(shop, merged, tmp_path, fork=True).artifacts
    assert head


# -- what a fork does not get


def test_a_fork_gets_no_preview_of_the_engine(shop: Repository, tmp_path: Path) -> None:
    _, merged = change(shop, public(shop))
    needs = {"plan": {"outputs": {"any": "true", "stacks": "[]", "tree": "1"}}}
    for fork, conclusion in ((True, "skipped"), (False, "success")):
        github = pull_request_event(merged, fork=fork)
        run = engine_run("preview.yml", "preview", shop, merged, tmp_path / str(fork), github, needs)
        assert run.conclusion == conclusion, run.log
        assert bool(run.artifacts) != fork


def test_dependabot_gets_none_either_and_without_a_backend_nobody_does(shop: Repository, tmp_path: Path) -> None:
    _, merged = change(shop, {})
    needs = {"plan": {"outputs": {"any": "true", "stacks": "[]", "tree": "1"}}}
    github = pull_request_event(merged, fork=False)
    run = engine_run("preview.yml", "preview", shop, merged, tmp_path / "1", github, needs, vars={})
    assert run.conclusion == "skipped"
    github["event"]["pull_request"]["user"]["login"] = "dependabot[bot]"
    run = engine_run("preview.yml", "preview", shop, merged, tmp_path / "2", github, needs)
    assert run.conclusion == "skipped"


# -- from a preview to a deployment


PLAN = {
    "manifest": {},
    "resourcePlans": {
        "urn:pulumi:web::edge::aws:lb/listener:Listener::https": {"goal": {"value": "hunter2"}, "steps": ["update"]}
    },
}


def engine_run(
    file: str,
    job: str,
    shop: Repository,
    revision: str,
    folder: Path,
    github: Mapping[str, Any],
    needs: Mapping[str, Any],
    *,
    api: str = "",
    vars: Mapping[str, str] = VARS,
    inputs: Mapping[str, str] | None = None,
) -> Run:
    """A job with the engine, whose action leaves a plan; what it was asked for is in its log."""

    def signs_in(run: Run, given: Mapping[str, str]) -> None:
        makes_a_venv(run, "venv")
        run.log += f"sign in: {given['cloud']} {given['aws-role']}\n"

    def pulumi(run: Run, given: Mapping[str, str]) -> None:
        plan = Path(given["plan"])
        if given["command"] == "preview":
            plan.write_text(json.dumps(PLAN))
        elif json.loads(plan.read_text()) != PLAN:
            raise FailedError
        run.log += f"pulumi {given['command']} {given['stack-name']} {given.get('policyPackConfigs', '-')}\n"

    run = Run(
        *(file, job, folder, shop, revision),
        contexts={
            "github": dict(github),
            "vars": dict(vars),
            "needs": dict(needs),
            "inputs": dict(inputs or {}),
            "secrets": {"PLAN_KEY": KEY},
            "matrix": {"stack": "web", "cloud": "aws", "environment": "production", "policies": "stacks/policies.json"},
        },
        api=api,
        actions={"./.github/actions/engine": signs_in, "pulumi/actions": pulumi},
    )
    install(run)
    run.start()
    assert commands_in(run.log) == []
    return run


def push_event(commit: str, before: str) -> dict[str, Any]:
    return {
        "event_name": "push",
        "repository": REPOSITORY,
        "sha": commit,
        "ref": "refs/heads/main",
        "run_id": 9,
        "run_number": 3,
        "run_attempt": 1,
        "token": TOKEN,
        "event": {"before": before, "repository": {"default_branch": "main"}},
    }


@pytest.mark.parametrize("moved", [False, True], ids=["main stayed", "main moved on"])
def test_what_was_merged_is_deployed_by_the_plan_that_reviewers_saw_or_a_fresh_one(
    moved: bool, github: GitHub, tmp_path: Path
) -> None:
    repository = Repository.create(tmp_path / "r", stacks=STACKS)
    before = repository.head
    head, merge = change(repository, public(repository))
    tree = repository.tree(merge)
    preview = engine_run(
        *("preview.yml", "preview", repository, merge, tmp_path / "preview", pull_request_event(merge, fork=False)),
        {"plan": {"outputs": {"any": "true", "stacks": "[]", "tree": tree}}},
    )
    assert set(preview.artifacts) == {"engine-web", "plan-web"}
    assert "sign in: aws arn:read" in preview.log
    assert "pulumi preview web stacks/policies.json" in preview.log
    assert all(b"hunter2" not in data and b"https" not in data for data in preview.artifacts.values())

    # It is merged, maybe after another change.
    git(repository.folder, "checkout", "--quiet", "main")
    if moved:
        repository.commit({"stacks/web.edge.yaml": repository.read("stacks/web.edge.yaml") + "# more\n"})
    git(repository.folder, "merge", "--quiet", "--squash", "change")
    commit = repository.commit({})
    github.artifacts[5] = preview.artifacts
    github.runs = [
        {
            "id": 5,
            "run_number": 1,
            "event": "pull_request",
            "head_sha": head,
            "conclusion": "success",
            "head_repository": {"full_name": REPOSITORY},
        }
    ]
    github.pull(7, head, merge_commit_sha=commit, merged_at="2026-01-02", state="closed")

    # Which stacks, then their plans.
    push = push_event(commit, before)
    stacks = Run("deploy.yml", "stacks", tmp_path / "stacks", repository, commit, {"github": push, "vars": VARS})
    install(stacks)
    stacks.start()
    assert stacks.conclusion == "success", stacks.log
    outputs = stacks.results()
    assert "aws-balancer-first" in outputs["stacks"]
    assert ("aws-balancer-only" in outputs["stacks"]) == moved

    jobs = workflow("deploy.yml")["jobs"]
    github.permissions = jobs["plan"]["permissions"]
    needs = {"stacks": {"outputs": outputs}}
    about = (repository, commit)
    plan = engine_run(*("deploy.yml", "plan", *about, tmp_path / "plan", push, needs), api=github.address)
    assert plan.conclusion == "success", plan.log
    assert ("pulumi preview" in plan.log) == moved
    assert "1 to update, 0 unchanged" in plan.summary
    assert set(plan.artifacts) == {"plan-web"}

    # Those that have changes, then the deployment that was approved.
    github.artifacts[9] = plan.artifacts
    github.job(9, "Plan (web)")
    github.deployments = [{"id": 9, "run_number": 3, "head_branch": "main"}]
    github.permissions = jobs["ready"]["permissions"]
    matrix = json.dumps([{"stack": "web", "environment": "production"}, {"stack": "other"}])
    needs = {"stacks": {"outputs": {**outputs, "stacks": matrix}}}
    ready = engine_run("deploy.yml", "ready", *about, tmp_path / "ready", push, needs, api=github.address)
    assert json.loads(ready.results()["stacks"]) == [{"stack": "web", "environment": "production"}]

    github.permissions = jobs["deploy"]["permissions"]
    needs = {**needs, "ready": {"outputs": ready.results()}}
    deploy = engine_run("deploy.yml", "deploy", *about, tmp_path / "deploy", push, needs, api=github.address)
    assert deploy.conclusion == "success", deploy.log
    assert "sign in: aws arn:write" in deploy.log
    assert "pulumi up web stacks/policies.json" in deploy.log


def test_by_hand_one_stack_is_planned_afresh_and_an_unknown_one_is_refused(shop: Repository, tmp_path: Path) -> None:
    git(shop.folder, "checkout", "--quiet", "main")
    dispatch = {**push_event(shop.head, ""), "event_name": "workflow_dispatch", "event": {}}
    for name, conclusion in (("aws-balancer-only", "success"), ("$(id)", "failure")):
        run = Run(
            *("deploy.yml", "stacks", tmp_path / conclusion, shop, "main"),
            contexts={"github": dispatch, "vars": VARS, "inputs": {"stack": name}},
        )
        install(run)
        run.start()
        assert run.conclusion == conclusion, run.log
        if conclusion == "success":
            assert [one["stack"] for one in json.loads(run.results()["stacks"])] == ["aws-balancer-only"]


def test_a_push_whose_beginning_is_unknown_deploys_all(shop: Repository, tmp_path: Path) -> None:
    push = push_event("main", "0" * 40)
    run = Run("deploy.yml", "stacks", tmp_path, shop, "main", {"github": push, "vars": VARS})
    install(run)
    run.start()
    assert len(json.loads(run.results()["stacks"])) == 2


def test_drift_is_checked_for_every_stack_and_told_in_one_issue(
    shop: Repository, github: GitHub, tmp_path: Path
) -> None:
    event = {**push_event("main", ""), "event_name": "schedule", "event": {}}
    stacks = Run("drift.yml", "stacks", tmp_path / "stacks", shop, "main", {"github": event, "vars": VARS})
    install(stacks)
    stacks.start()
    outputs = stacks.results()
    assert len(json.loads(outputs["stacks"])) == 2
    needs = {"stacks": {"outputs": {**outputs, "stacks": json.dumps([{"stack": "web"}])}}}
    drift = engine_run("drift.yml", "drift", shop, "main", tmp_path / "drift", event, needs)
    assert set(drift.artifacts) == {"drift-web"}
    assert "sign in: aws arn:read" in drift.log

    github.artifacts[9] = drift.artifacts
    github.job(9, "Drift (web)")
    github.permissions = workflow("drift.yml")["jobs"]["report"]["permissions"]
    report = engine_run("drift.yml", "report", shop, "main", tmp_path / "report", event, needs, api=github.address)
    assert report.conclusion == "success", report.log
    assert "~  aws:lb/listener:Listener  https" in github.issues[0]["body"]
