"""Azure DevOps and GitLab: the examples are valid, call the verbs that GitHub's workflows call, and comment as they do."""

import json
import os
import re
import subprocess
import sys
import threading
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, cast
from urllib.parse import parse_qs, urlsplit

import pytest
import yaml

from edgewright import engine
from edgewright.ci.__main__ import main
from workflows.repository import PROJECT, Repository
from workflows.verbs import Done, call

CI = PROJECT / "docs/ci"
MARKER = "<!-- edgewright -->"


# -- the files


def test_gitlabs_example_is_what_gitlab_takes() -> None:
    is_valid("gitlab-ci", CI / "gitlab-ci.yml")


def test_azures_example_is_what_azure_pipelines_takes(tmp_path: Path) -> None:
    text = (CI / "azure-pipelines.yml").read_text()
    file = tmp_path / "azure-pipelines.yml"
    file.write_text(yaml.safe_dump(as_azures_editor_reads(yaml.load(text, Loader=yaml.BaseLoader))))
    # Its patterns are none of ECMAScript's.
    is_valid("azure-pipelines", file, "--regex-variant", "python")


def as_azures_editor_reads(data: Any) -> Any:
    """Azure's schema is its editor's: values are texts but for truth in a task's inputs, and it knows Microsoft's tasks."""
    if isinstance(data, list):
        return [as_azures_editor_reads(value) for value in data]
    if not isinstance(data, dict):
        return data
    if str(data.get("task", "")).startswith("AWS"):
        return {"bash": data["inputs"]["inlineScript"], **{key: data[key] for key in ("displayName", "env")}}
    found = {key: as_azures_editor_reads(value) for key, value in data.items()}
    if "inputs" in found:
        found["inputs"] = {
            key: {"true": True, "false": False}.get(value, value) for key, value in found["inputs"].items()
        }
    return found


def is_valid(schema: str, file: Path, *more: str) -> None:
    program = str(Path(sys.executable).parent / "check-jsonschema")
    about = ("--builtin-schema", f"vendor.{schema}", "--data-transform", schema)
    done = subprocess.run([program, *about, *more, str(file)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-3_000:] + done.stderr[-2_000:]


def scripts(data: Any) -> Iterator[str]:
    """Every line of shell in a pipeline."""
    if isinstance(data, dict):
        for key, value in data.items():
            if key in ("script", "before_script", "bash", "inlineScript"):
                for text in value if isinstance(value, list) else [value]:
                    yield from str(text).splitlines()
            else:
                yield from scripts(value)
    elif isinstance(data, list):
        for value in data:
            yield from scripts(value)


def pipeline(name: str) -> dict[str, Any]:
    return cast("dict[str, Any]", yaml.safe_load((CI / f"{name}.yml").read_text().replace("${{ if", "x${{ if")))


LINES = [(name, line) for name in ("gitlab-ci", "azure-pipelines") for line in scripts(pipeline(name))]


def test_there_are_lines_to_look_at() -> None:
    assert len(LINES) > 20


@pytest.mark.parametrize(("name", "line"), LINES)
def test_a_line_is_one_command_and_its_verb_is_one_of_ours(
    name: str, line: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert "${{" not in line.replace("${{ parameters", "")
    assert "$(" not in re.sub(r"\$\(git rev-parse", "", line), "an expression of the host, in a shell"
    found = re.search(r"-m edgewright\.ci (\S+)", line)
    if found:
        assert main([found[1], "--help"]) == 0
        assert "usage:" in capsys.readouterr().out


def test_the_engine_is_the_one_that_the_tests_run_with() -> None:
    for name in ("gitlab-ci", "azure-pipelines"):
        assert re.findall(r"PULUMI_VERSION\W+(?:value: )?([\d.]+)", (CI / f"{name}.yml").read_text()) == [
            engine.VERSION
        ]


def test_gitlabs_tests_have_the_go_that_the_tools_are_built_with() -> None:
    """The image of its jobs has none."""
    gitlab = pipeline("gitlab-ci")
    given = gitlab["variables"]["GO_VERSION"]
    fetched, path = gitlab["test"]["before_script"]
    assert "/go$GO_VERSION.linux-amd64.tar.gz" in fetched
    assert path == 'export PATH="/usr/local/go/bin:$PATH"'
    for module in (PROJECT / "tools").glob("*/go.mod"):
        needed = re.search(r"^go ([\d.]+)$", module.read_text(), re.MULTILINE)
        assert needed
        assert [*map(int, given.split("."))] >= [*map(int, needed[1].split("."))], module


def test_a_session_of_aws_holds_as_long_as_a_job_of_azure_pipelines_may_take() -> None:
    """By itself the toolkit asks for a quarter of an hour: then neither state nor resources could be written."""
    azure = pipeline("azure-pipelines")
    always = {one["name"]: one["value"] for one in azure["variables"] if "name" in one}
    jobs = {stage["stage"]: stage["jobs"][0] for stage in azure["stages"]}
    for stage in ("Preview", "Deploy"):
        variables = {**always, **jobs[stage]["variables"]}
        assert int(variables["aws.rolecredential.maxduration"]) == 60 * jobs[stage]["timeoutInMinutes"], stage


@pytest.mark.parametrize(("name", "heading"), [("gitlab-ci", "GitLab"), ("azure-pipelines", "Azure DevOps")])
def test_the_provider_of_azure_is_given_all_that_it_needs_to_sign_in_by_openid_connect(name: str, heading: str) -> None:
    """It takes no default subscription then (https://github.com/pulumi/pulumi-azure-native/issues/4751).

    What the file does not set itself is a variable that the docs ask for: both hosts hand those to every job.
    """
    file = (CI / f"{name}.yml").read_text()
    section = (PROJECT / "docs/previews.md").read_text().partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    for variable in ("ARM_USE_OIDC", "ARM_OIDC_TOKEN", "ARM_CLIENT_ID", "ARM_TENANT_ID", "ARM_SUBSCRIPTION_ID"):
        assert re.search(rf"\b{variable}(=|:)", file) or f"`{variable}`" in section, variable


def test_the_stacks_of_gitlabs_matrix_are_those_of_this_repository() -> None:
    files = (path.name.split(".")[1] for path in (PROJECT / "stacks").glob("Pulumi.*.yaml"))
    matrix = pipeline("gitlab-ci")[".each-stack"]["parallel"]["matrix"]
    assert matrix == [{"STACK": sorted(name for name in files if name != "local")}]


def test_every_push_is_tested_and_only_requests_and_main_are_planned() -> None:
    gitlab = pipeline("gitlab-ci")
    assert gitlab["workflow"]["rules"][-1] == {"if": "$CI_COMMIT_BRANCH || $CI_COMMIT_TAG"}
    assert gitlab["test"]["rules"] == [{"if": '$CI_PIPELINE_SOURCE != "schedule"'}]
    kinds = ('"merge_request_event"', '"schedule"', "$CI_COMMIT_BRANCH == $CI_DEFAULT_BRANCH")
    for name in ("plan", "comment", "preview", "planned", "deploy", "drift"):
        assert all(any(kind in rule["if"] for kind in kinds) for rule in gitlab[name]["rules"]), name
    azure = pipeline("azure-pipelines")
    assert azure["trigger"] == {"branches": {"include": ["*"]}}
    stages = {stage["stage"]: stage for stage in azure["stages"]}
    assert stages["Test"]["condition"] == "ne(variables['Build.Reason'], 'Schedule')"
    assert "refs/heads/main" in stages["Plan"]["condition"]
    assert all("Plan" in stages[name]["dependsOn"] for name in ("Comment", "Preview", "Deploy"))


def test_what_holds_a_token_runs_from_main() -> None:
    comment = pipeline("gitlab-ci")["comment"]
    assert comment["script"][0].startswith('git worktree add --detach /tmp/main "origin/$CI_DEFAULT_BRANCH"')
    assert comment["script"][1].startswith("PYTHONPATH=/tmp/main/infra python -m edgewright.ci review")
    stages = {stage["stage"]: stage for stage in pipeline("azure-pipelines")["stages"]}
    holders = [name for name, stage in stages.items() if "System.AccessToken" in json.dumps(stage)]
    assert holders == ["Comment"]
    assert stages["Comment"]["jobs"][0]["steps"][0] == {"checkout": "main", "persistCredentials": False}


def test_no_key_of_a_cloud_stands_in_an_example() -> None:
    for name in ("gitlab-ci", "azure-pipelines"):
        text = (CI / f"{name}.yml").read_text()
        for word in (
            "AWS_SECRET_ACCESS_KEY",
            "AWS_ACCESS_KEY_ID",
            "ARM_CLIENT_SECRET",
            "PULUMI_ACCESS_TOKEN",
            "PASSPHRASE",
        ):
            assert word not in text


# -- the outputs of Azure Pipelines


def test_outputs_are_variables_of_azure_pipelines_and_a_matrix_by_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    repository = Repository.create(tmp_path / "r", stacks=("aws-balancer-only", "azure-aks"))
    monkeypatch.chdir(repository.folder)
    monkeypatch.setenv("TF_BUILD", "True")
    monkeypatch.delenv("GITHUB_OUTPUT", raising=False)
    assert main(["stacks", "--json", str(tmp_path / "stacks.json")]) == 0
    lines = capsys.readouterr().out.splitlines()
    found = dict(re.findall(r"^##vso\[task\.setvariable variable=(\w+);isOutput=true\](.*)$", "\n".join(lines), re.M))
    assert found["any"] == "true"
    assert list(json.loads(found["matrix"])) == ["aws-balancer-only", "azure-aks"]
    assert json.loads(found["matrix"])["azure-aks"]["cloud"] == "azure"
    assert json.loads((tmp_path / "stacks.json").read_text()) == json.loads(found["stacks"])


# -- the engine, called by a verb


PLAN = {"manifest": {}, "resourcePlans": {"urn:pulumi:x::e::a:b:C::x": {"goal": {"v": "hunter2"}, "steps": ["create"]}}}


@pytest.fixture
def engine_stand_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A `pulumi` that writes down how it is called, writes a plan, and fails where the plan that it is given is another."""
    folder = tmp_path / "bin"
    folder.mkdir()
    calls = tmp_path / "calls"
    script = folder / "pulumi"
    script.write_text(
        f"#!{sys.executable}\nimport sys\nfrom pathlib import Path\nwords = sys.argv[1:]\n"
        f"with Path({str(calls)!r}).open('a') as file:\n"
        "    print(*(w for w in words if 'update-plan' not in w), file=file)\n"
        f"plan = {json.dumps(PLAN)!r}\nprint('::error::of the engine')\n"
        "if '--save-plan' in words:\n    Path(words[words.index('--save-plan') + 1]).write_text(plan)\n"
        "if '--plan' in words and Path(words[words.index('--plan') + 1]).read_text() != plan:\n    sys.exit(3)\n"
    )
    script.chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.chdir(Repository.create(tmp_path / "r", stacks=("aws-balancer-only", "azure-aks")).folder)
    return calls


def test_a_preview_keeps_a_sealed_plan_and_an_update_goes_by_it(engine_stand_in: Path, tmp_path: Path) -> None:
    key = {"PLAN_KEY": "k" * 40}
    kept = tmp_path / "kept/plan-azure-aks"
    preview = call(tmp_path, "", "pulumi", "preview", "--stack", "azure-aks", "--kept", str(kept), **key)
    assert preview.ok, preview.log
    assert "1 to create, 0 unchanged" in preview.log
    assert sorted(path.name for path in kept.iterdir()) == ["engine.txt", "plan.sealed"]
    assert b"hunter2" not in (kept / "plan.sealed").read_bytes()
    assert call(tmp_path, "", "pulumi", "up", "--stack", "azure-aks", "--kept", str(kept), **key).ok
    assert call(tmp_path, "", "deploy-kept", "azure", str(tmp_path / "kept"), **key).ok
    assert call(tmp_path, "", "deploy-kept", "aws", str(tmp_path / "kept"), **key).ok
    assert call(tmp_path, "", "pulumi", "drift", "--stack", "azure-aks").ok
    always = "--stack azure-aks --non-interactive --suppress-outputs --color never"
    up = f"up {always} --yes --policy-pack policies --plan"
    assert engine_stand_in.read_text().splitlines() == [
        f"preview {always} --policy-pack policies --save-plan",
        *(up, up),
        f"preview {always} --refresh --expect-no-changes",
    ]


def test_a_plan_of_other_files_is_not_carried_out(engine_stand_in: Path, tmp_path: Path) -> None:
    key = {"PLAN_KEY": "k" * 40}
    about = ("--stack", "azure-aks", "--kept", str(tmp_path / "kept"))
    assert call(tmp_path, "", "pulumi", "preview", *about, **key).ok
    Repository(tmp_path / "r").commit({"stacks/hello.edge.yaml": "name: other\n"})
    done = call(tmp_path, "", "pulumi", "up", *about, **key)
    assert not done.ok
    assert "made of other files" in done.log
    assert len(engine_stand_in.read_text().splitlines()) == 1


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("up", "--stack", "azure-aks"), "an update goes by a plan that a preview has kept"),
        (
            ("preview", "--stack", "nothing"),
            "there is no cloud stack `nothing`; there are aws-balancer-only, azure-aks",
        ),
    ],
)
def test_what_cannot_be_meant_is_refused(
    arguments: tuple[str, ...], said: str, engine_stand_in: Path, tmp_path: Path
) -> None:
    done = call(tmp_path, "", "pulumi", *arguments)
    assert not done.ok
    assert said in done.log
    assert not engine_stand_in.exists()


def test_a_stack_that_is_not_changed_is_not_previewed(engine_stand_in: Path, tmp_path: Path) -> None:
    listed = tmp_path / "stacks.json"
    listed.write_text('[{"stack": "aws-balancer-only"}]')
    for stack, calls in (("azure-aks", 0), ("aws-balancer-only", 1)):
        assert call(tmp_path, "", "pulumi", "preview", "--stack", stack, "--among", str(listed)).ok
        assert (len(engine_stand_in.read_text().splitlines()) if engine_stand_in.exists() else 0) == calls


# -- the comment


@dataclass
class Host:
    """A server that keeps comments as a host does, and refuses what it does not know. comments: id, author, text."""

    name: str
    comments: list[tuple[int, str, str]] = field(default_factory=list[tuple[int, str, str]])
    address: str = ""
    wrong: list[str] = field(default_factory=list[str])

    def variables(self) -> dict[str, str]:
        """What the host puts into the environment of a job."""
        if self.name == "gitlab":
            return {
                "GITLAB_CI": "true",
                "CI_API_V4_URL": f"{self.address}/api/v4",
                "CI_PROJECT_ID": "42",
                "CI_MERGE_REQUEST_IID": "7",
                "CI_JOB_URL": "https://gitlab.example/shop/edge/-/jobs/5",
                "COMMENT_TOKEN": "glpat-x",
            }
        return {
            "TF_BUILD": "True",
            "SYSTEM_COLLECTIONURI": f"{self.address}/",
            "SYSTEM_TEAMPROJECT": "The shop",
            "SYSTEM_PULLREQUEST_PULLREQUESTID": "7",
            "BUILD_REPOSITORY_ID": "abc-1",
            "BUILD_BUILDID": "5",
            "SYSTEM_ACCESSTOKEN": "token",
        }

    def answer(self, method: str, path: str, query: Mapping[str, str], headers: Message, data: Any) -> Any:
        """What it says to a call."""
        act = self._gitlab if self.name == "gitlab" else self._azure
        return act(method, path, query, headers, data)

    def _gitlab(self, method: str, path: str, query: Mapping[str, str], headers: Message, data: Any) -> Any:
        assert headers["PRIVATE-TOKEN"] == "glpat-x"
        notes = "/api/v4/projects/42/merge_requests/7/notes"
        if (method, path) == ("GET", "/api/v4/user"):
            return {"id": "me"}
        if (method, path) == ("GET", notes):
            start = (int(query["page"]) - 1) * int(query["per_page"])
            found = self.comments[start : start + int(query["per_page"])]
            return [{"id": id_, "author": {"id": author}, "body": text, "system": False} for id_, author, text in found]
        assert set(data) == {"body"}
        if (method, path) == ("POST", notes):
            self.comments.append((len(self.comments), "me", data["body"]))
            return {"id": 1}
        assert method == "PUT"
        return self._edit(int(path.removeprefix(f"{notes}/")), data["body"])

    def _azure(self, method: str, path: str, query: Mapping[str, str], headers: Message, data: Any) -> Any:
        assert headers["Authorization"] == "Bearer token"
        threads = "/The%20shop/_apis/git/repositories/abc-1/pullRequests/7/threads"
        if (method, path) == ("GET", "/_apis/connectionData"):
            return {"authenticatedUser": {"id": "me"}}
        assert query == {"api-version": "7.1"}
        if (method, path) == ("GET", threads):
            return {
                "value": [
                    {"id": id_, "comments": [{"id": 1, "author": {"id": author}, "content": text}]}
                    for id_, author, text in self.comments
                ]
            }
        if (method, path) == ("POST", threads):
            [comment] = data["comments"]
            self.comments.append((len(self.comments), "me", comment["content"]))
            return {"id": 1}
        found = re.fullmatch(re.escape(threads) + r"/(\d+)/comments/1", path)
        assert found
        assert method == "PATCH"
        return self._edit(int(found[1]), data["content"])

    def _edit(self, id_: int, text: str) -> Any:
        assert self.comments[id_][1] == "me"
        self.comments[id_] = (id_, "me", text)
        return {"id": id_}


@contextmanager
def serving(host: Host) -> Generator[Host]:
    class Api(BaseHTTPRequestHandler):
        def _serve(self) -> None:
            size = int(self.headers.get("Content-Length") or 0)
            parts = urlsplit(self.path)
            query = {name: values[0] for name, values in parse_qs(parts.query).items()}
            try:
                data = json.loads(self.rfile.read(size)) if size else None
                status, answer = 200, host.answer(self.command, parts.path, query, self.headers, data)
            except (AssertionError, KeyError, ValueError, TypeError) as error:
                host.wrong.append(f"{self.command} {self.path}: {type(error).__name__} {error}")
                status, answer = 400, {"message": "bad"}
            content = json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = do_PUT = do_PATCH = _serve

        def log_message(self, format: str, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Api)
    host.address = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield host
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture(params=["gitlab", "azure"])
def host(request: pytest.FixtureRequest) -> Iterator[Host]:
    with serving(Host(request.param)) as found:
        yield found
    assert found.wrong == []


Review = Callable[[str | None], Done]


@pytest.fixture
def review(host: Host, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Review:
    for name in ("GITLAB_CI", "TF_BUILD"):
        monkeypatch.delenv(name, raising=False)

    def run(text: str | None) -> Done:
        file = tmp_path / "comment.md"
        file.unlink(missing_ok=True)
        if text is not None:
            file.write_text(text)
        return call(tmp_path, "", "review", str(file), **host.variables())

    return run


def test_one_comment_is_made_and_edited_in_place(host: Host, review: Review) -> None:
    host.comments += [(0, "eve", f"{MARKER}\nforged"), (1, "me", "something else")]
    assert review(f"{MARKER}\n`GET /products` loses its JWT check.\n").ok
    assert host.comments[2] == (2, "me", f"{MARKER}\n`GET /products` loses its JWT check.\n")
    assert review(f"{MARKER}\nAnother.\n").ok
    assert host.comments[2][2] == f"{MARKER}\nAnother.\n"
    assert review(None).ok
    assert re.search(
        r"No stack is changed any more, or there is no plan of this commit: \[the run\]\(http\S+\) says which\.",
        host.comments[2][2],
    )
    assert host.comments[0] == (0, "eve", f"{MARKER}\nforged")
    assert len(host.comments) == 3


def test_without_changed_stacks_nothing_is_posted(host: Host, review: Review) -> None:
    assert review(None).ok
    assert host.comments == []


def test_the_comment_is_found_behind_hundreds_of_others(host: Host, review: Review) -> None:
    host.comments += [(number, "ann", "x") for number in range(250)]
    host.comments.append((250, "me", f"{MARKER}\nold"))
    assert review(f"{MARKER}\nnew\n").ok
    assert host.comments[250][2] == f"{MARKER}\nnew\n"
    assert len(host.comments) == 251


def test_a_text_reaches_nobody_and_is_cut(host: Host, review: Review) -> None:
    assert review(f"{MARKER}\n@ann !1 #2 <img src=x> {MARKER}\n" + "word " * 30_000).ok
    text = host.comments[0][2]
    assert len(text) <= 65_536
    assert text.count(MARKER) == 1
    assert "@ann" not in text
    assert "<img" not in text


@pytest.mark.parametrize("content", [b"\xff\xfe", b"x" * 1_000_001])
def test_a_file_that_is_no_comment_is_refused(content: bytes, host: Host, tmp_path: Path) -> None:
    file = tmp_path / "comment.md"
    file.write_bytes(content)
    assert not call(tmp_path, "", "review", str(file), **host.variables()).ok
    file.unlink()
    file.symlink_to("/etc/passwd")
    assert not call(tmp_path, "", "review", str(file), **host.variables()).ok
    assert host.comments == []


def test_elsewhere_there_is_nowhere_to_comment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("GITLAB_CI", "TF_BUILD"):
        monkeypatch.delenv(name, raising=False)
    done = call(tmp_path, "", "review", str(tmp_path / "comment.md"))
    assert "neither a job of GitLab nor one of Azure Pipelines" in done.log
