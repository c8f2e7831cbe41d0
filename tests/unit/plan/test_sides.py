"""Folders and git revisions as sides of a comparison: every stack planned, nothing run, nothing read from outside."""

import json
import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import yaml

from edgewright.cli import main
from edgewright.plan.comment import comment
from edgewright.plan.diff import Diff, StackDiff, diff
from edgewright.plan.planning import NO_OPTIONS, Options
from edgewright.plan.revision import is_safe
from edgewright.plan.show_changes import text_of_stacks
from edgewright.policies import rules
from edgewright.usage import UsageError
from unit.plan.rendered import Page
from unit.plan.test_comment import NASTY
from unit.plan.test_policies import SPEC, STACK, rule

WITHOUT_RULES = Options(policies=False)
OTHER = STACK.replace("shop.edge.yaml", "other.edge.yaml")
SECRET = "name: top-secret-name\nlistener: {protocol: http, port: 80}\nroutes: {GET /: top-secret-route}\n"


@pytest.fixture(autouse=True)
def only_one_rule(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rules, "ALL", (rule("on-vpc", "aws:ec2/vpc:Vpc", path="cidrBlock", severity="low"),))


def project(folder: Path, **files: str) -> Path:
    """A project with two stacks; files: by name, ``__`` for a slash and ``_`` for a dot."""
    (folder / "stacks").mkdir(parents=True)
    written = {
        "Pulumi.yaml": "{name: shop, runtime: python, stackConfigDir: stacks}\n",
        "stacks/shop.edge.yaml": SPEC,
        "stacks/other.edge.yaml": SPEC.replace("name: shop", "name: other"),
        "stacks/Pulumi.shop.yaml": STACK,
        "stacks/Pulumi.other.yaml": OTHER,
    }
    for name, text in (written | files).items():
        (folder / name).write_text(text)
    return folder


@pytest.fixture
def sides(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Path, Path]]:
    """The same project twice."""
    monkeypatch.chdir(tmp_path)
    yield project(tmp_path / "base"), project(tmp_path / "head")


@pytest.fixture
def only_head(sides: tuple[Path, Path]) -> tuple[Path, Path]:
    """One stack, new on HEAD: nothing else is planned."""
    for folder, names in zip(sides, (("shop", "other"), ("other",)), strict=True):
        for name in names:
            (folder / f"stacks/Pulumi.{name}.yaml").unlink()
    return sides


def compared(sides: tuple[Path, Path], options: Options = WITHOUT_RULES) -> Diff:
    return diff(str(sides[0]), str(sides[1]), options)


def one(found: Diff, name: str) -> StackDiff:
    return next(stack for stack in found.stacks if stack.name == name)


def errors(found: Diff, name: str = "shop") -> str:
    after = one(found, name).after
    assert after is not None and after.plan is None
    return after.errors


# -- stacks ------------------------------------------------------------------------------------------------------------


def test_each_stack_is_compared_and_one_of_the_same_files_is_planned_once(sides: tuple[Path, Path]) -> None:
    spec = sides[1] / "stacks/shop.edge.yaml"
    spec.write_text(
        SPEC.replace("ANY /orders/*:\n    backend: orders", "ANY /orders/*:\n    backend: orders\n    auth: none")
    )
    found = compared(sides)
    shop, other = one(found, "shop"), one(found, "other")
    assert shop.changes is not None and [point.where for point in shop.changes.weaker] == ["ANY /orders/*"]
    assert other.same and other.before is other.after


def test_a_stack_that_comes_and_one_that_goes(sides: tuple[Path, Path]) -> None:
    (sides[0] / "stacks/Pulumi.shop.yaml").unlink()
    (sides[1] / "stacks/Pulumi.other.yaml").unlink()
    found = compared(sides)
    shop, other = one(found, "shop"), one(found, "other")
    assert shop.before is None and shop.changes is not None and len(shop.changes.routes_added) == 2
    assert other.after is None and other.changes is not None and len(other.changes.routes_removed) == 2


def test_a_bad_spec_says_its_errors_with_the_paths_of_the_project(sides: tuple[Path, Path]) -> None:
    (sides[1] / "stacks/shop.edge.yaml").write_text(SPEC.replace("backend: pages,", "backend: page,"))
    found = compared(sides)
    assert errors(found).startswith("stacks/shop.edge.yaml:11:")
    assert "did you mean `pages`?" in errors(found)
    assert found.stops and one(found, "other").same


def test_a_bad_spec_on_base_stops_nobody(sides: tuple[Path, Path]) -> None:
    (sides[0] / "stacks/shop.edge.yaml").write_text("routes: [")
    found = compared(sides)
    assert not found.stops
    assert "could not be planned before" in comment(found)
    assert "All of it looks new, because it could not be planned before:\n  stacks/shop.edge.yaml:" in text_of_stacks(
        found
    )


def test_what_is_wrong_with_several_stacks_is_said_once_in_the_terminal(sides: tuple[Path, Path]) -> None:
    (sides[1] / "stacks/policies.json").write_text('{"on-vpcs": "advisory"}')
    found = compared(sides, NO_OPTIONS)
    assert text_of_stacks(found) == (
        "== other, shop cannot be planned\nstacks/policies.json: `on-vpcs` is no rule; did you mean `on-vpc`?\n"
    )


def test_a_configuration_that_is_named_is_the_one_that_whoever_typed_it_sees(sides: tuple[Path, Path]) -> None:
    Path("strict.json").write_text(json.dumps({"on-vpc": "mandatory"}))
    (sides[1] / "strict.json").write_text(json.dumps({"on-vpc": "disabled"}))
    assert compared(sides, Options(policy_config=Path("strict.json"))).stops


@pytest.mark.parametrize(
    ("content", "status", "said"),
    [
        (None, 2, "edgewright: there is no file strict.json\n"),
        ("{", 1, "edgewright: strict.json: is no JSON: line 1, column 2:"),
    ],
)
def test_a_configuration_that_is_named_and_cannot_be_used_is_said_once_before_anything_is_planned(
    sides: tuple[Path, Path], capsys: pytest.CaptureFixture[str], content: str | None, status: int, said: str
) -> None:
    if content is not None:
        Path("strict.json").write_text(content)
    assert main(["diff", str(sides[0]), str(sides[1]), "--policy-config", "strict.json"]) == status
    out, err = capsys.readouterr()
    assert (out, err.count("strict.json"), err.startswith(said)) == ("", 1, True)


def test_a_bad_stacks_file_says_its_errors_with_their_lines(only_head: tuple[Path, Path]) -> None:
    file = only_head[1] / "stacks/Pulumi.shop.yaml"
    file.write_text(STACK.replace("region: eu-west-1", "region: 12\n    regoin: eu-west-1"))
    assert errors(compared(only_head)).splitlines() == [
        "stacks/Pulumi.shop.yaml:5:5: error: region: it should be a valid string",
        "stacks/Pulumi.shop.yaml:6:5: error: regoin: there is no such setting; did you mean `region`?",
    ]
    file.write_text(STACK.replace("aws/balancer-only", "aws/balancer-last"))
    assert errors(compared(only_head)).startswith("stacks/Pulumi.shop.yaml: edgewright:topology: there is no `aws/")


def test_bad_bindings_of_a_stack_on_this_machine_have_their_lines_too(only_head: tuple[Path, Path]) -> None:
    file = only_head[1] / "stacks/Pulumi.shop.yaml"
    file.write_text("config:\n  edgewright:spec: shop.edge.yaml\n  edgewright:bindings:\n    backends: {order: {}}\n")
    assert errors(compared(only_head)).startswith("stacks/Pulumi.shop.yaml:4:16: error: backends.order: ")


def test_the_rules_are_run_as_each_side_configures_them(sides: tuple[Path, Path]) -> None:
    (sides[1] / "stacks/policies.json").write_text(json.dumps({"on-vpc": "mandatory"}))
    found = compared(sides, NO_OPTIONS)
    shop = one(found, "shop")
    assert shop.changes is not None and [item.level for item in shop.changes.policies_added] == ["mandatory"]
    assert shop.changes.policies_added[0].led_by == ("network (stacks/Pulumi.shop.yaml:7)",)
    assert found.stops


def test_a_stack_on_this_machine_is_compared_by_its_routes(sides: tuple[Path, Path]) -> None:
    local = "config: {'edgewright:spec': hello.edge.yaml}\n"
    spec = (
        "name: hello\nlistener: {protocol: http, port: 8080}\nbackends: {web: {port: 9000}}\nroutes:\n  GET /a: web\n"
    )
    for folder, text in zip(sides, (spec, spec + "  GET /b: web\n"), strict=True):
        (folder / "stacks/Pulumi.local.yaml").write_text(local)
        (folder / "stacks/hello.edge.yaml").write_text(text)
    changes = one(compared(sides), "local").changes
    assert changes is not None and [route.key for route in changes.routes_added] == ["GET /b"]


def test_a_stacks_file_is_compared_with_the_same_stack_of_a_folder(sides: tuple[Path, Path]) -> None:
    found = diff(str(sides[0]), str(sides[1] / "stacks/Pulumi.shop.yaml"), WITHOUT_RULES)
    assert [stack.name for stack in found.stacks] == ["shop"]
    assert found.stacks[0].same


@pytest.mark.parametrize("name", ["nowhere", "base/stacks/shop.edge.yaml", "-x", ""])
def test_what_cannot_be_compared_is_refused(sides: tuple[Path, Path], name: str) -> None:
    with pytest.raises(UsageError):
        diff(name, str(sides[1]), Options(topology="aws/balancer-only"))


def test_folders_without_a_stack_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"no Pulumi\.<stack>\.yaml"):
        diff(str(tmp_path), str(tmp_path), WITHOUT_RULES)


# -- whatever a pull request brings ------------------------------------------------------------------------------------


def test_nothing_of_a_folder_is_run(sides: tuple[Path, Path], tmp_path: Path) -> None:
    mark = tmp_path / "ran"
    code = f"open({str(mark)!r}, 'w')\n"
    for name in ("stacks/__main__.py", "sitecustomize.py", "edgewright.py", "pulumi.py", "stacks/yaml.py", "json.py"):
        (sides[1] / name).write_text(code)
    (sides[1] / "stacks/shop.edge.yaml").write_text(SPEC.replace("20s", "21s"))
    assert not compared(sides).stops
    assert not mark.exists()


def outside_by_path(head: Path, secret: Path) -> None:
    (head / "stacks/Pulumi.shop.yaml").write_text(
        STACK.replace("shop.edge.yaml", os.path.relpath(secret, head / "stacks"))
    )


def outside_by_absolute_path(head: Path, secret: Path) -> None:
    (head / "stacks/Pulumi.shop.yaml").write_text(STACK.replace("shop.edge.yaml", str(secret)))


def outside_by_link(head: Path, secret: Path) -> None:
    (head / "stacks/shop.edge.yaml").unlink()
    (head / "stacks/shop.edge.yaml").symlink_to(secret)


def outside_by_linked_folder(head: Path, secret: Path) -> None:
    (head / "stacks/link").symlink_to(secret.parent)
    (head / "stacks/Pulumi.shop.yaml").write_text(STACK.replace("shop.edge.yaml", f"link/{secret.name}"))


def outside_by_linked_stack(head: Path, secret: Path) -> None:
    (head / "stacks/Pulumi.shop.yaml").unlink()
    (head / "stacks/Pulumi.shop.yaml").symlink_to(secret)


def outside_by_linked_configuration(head: Path, secret: Path) -> None:
    (head / "stacks/policies.json").symlink_to(secret)


@pytest.mark.parametrize(
    "lead",
    [
        outside_by_path,
        outside_by_absolute_path,
        outside_by_link,
        outside_by_linked_folder,
        outside_by_linked_stack,
        outside_by_linked_configuration,
    ],
)
def test_a_path_that_leads_out_of_the_folder_is_not_read(
    only_head: tuple[Path, Path], tmp_path: Path, lead: Callable[[Path, Path], None]
) -> None:
    secret = tmp_path / "secret.yaml"
    secret.write_text(SECRET)
    lead(only_head[1], secret)
    found = compared(only_head, NO_OPTIONS)
    assert "leads out of the folder" in errors(found)
    assert "top-secret" not in text_of_stacks(found) + comment(found)


def test_stacks_in_a_folder_elsewhere_are_not_looked_for(sides: tuple[Path, Path], tmp_path: Path) -> None:
    project(tmp_path / "elsewhere", **{"stacks/Pulumi.third.yaml": STACK})
    for name in ("../elsewhere/stacks", str(tmp_path / "elsewhere/stacks")):
        (sides[1] / "Pulumi.yaml").write_text(f"{{name: shop, runtime: python, stackConfigDir: {name}}}\n")
        assert {stack.name for stack in compared(sides).stacks} == {"shop", "other"}


def test_stacks_are_gone_that_do_not_lie_where_pulumi_yaml_says(sides: tuple[Path, Path]) -> None:
    (sides[1] / "Pulumi.yaml").write_text("{name: shop, runtime: python, stackConfigDir: nowhere}\n")
    assert {(stack.name, stack.state) for stack in compared(sides).stacks} == {
        ("shop", "is deleted"),
        ("other", "is deleted"),
    }


def test_what_is_no_file_is_not_waited_for(only_head: tuple[Path, Path]) -> None:
    (only_head[1] / "stacks/shop.edge.yaml").unlink()
    os.mkfifo(only_head[1] / "stacks/shop.edge.yaml")
    assert "there is no file stacks/shop.edge.yaml" in errors(compared(only_head))


def bomb() -> str:
    return "a0: &a0 [x, x, x, x, x, x, x, x, x]\n" + "".join(
        f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 9)
    )


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (bomb, "aliases stand for more than"),
        (lambda: "name: " + "x" * 10_000_000, "it is larger than 8 MB"),
        (lambda: "a: " + "[" * 100_000, "more than 64 deep"),
        (lambda: "a: " + "{a: " * 100_000, "more than 64 deep"),
        (lambda: "name: shop\0\n", "U+0000"),
        (lambda: "&a [*a]", "stands within what it stands for"),
        (lambda: "!!python/object/apply:os.system [id]", "tag"),
        (lambda: "", ""),
    ],
)
@pytest.mark.parametrize("name", ["stacks/shop.edge.yaml", "stacks/Pulumi.shop.yaml"])
def test_what_would_take_all_memory_is_refused(
    only_head: tuple[Path, Path], name: str, text: Callable[[], str], said: str
) -> None:
    (only_head[1] / name).write_text(text())
    found = compared(only_head)
    assert said in errors(found)
    assert len(comment(found)) < 10_000


OURS = {
    "h2",
    "h3",
    "h4",
    "p",
    "ul",
    "li",
    "strong",
    "code",
    "pre",
    "br",
    "em",
    "blockquote",
    "table",
    "thead",
    "tbody",
} | {
    *("tr", "th", "td", "details", "summary", "a"),
}


@pytest.mark.parametrize("place", ["GET /orders", "orders", "main"])
@pytest.mark.parametrize("name", NASTY[:2])
def test_a_hostile_spec_is_text_in_the_comment(only_head: tuple[Path, Path], name: str, place: str) -> None:
    spec = yaml.safe_load(SPEC.replace("ANY /orders/*", "GET /orders"))
    renamed = json.loads(json.dumps(spec).replace(json.dumps(place)[1:-1], json.dumps(place + name)[1:-1]))
    (only_head[1] / "stacks/shop.edge.yaml").write_text(json.dumps(renamed))
    page = Page(comment(compared(only_head)))
    assert {tag for tag, _ in page.elements} <= OURS
    links = [str(dict(attributes)["href"]) for tag, attributes in page.elements if tag == "a"]
    assert [link for link in links if not link.startswith("https://docs.aws.amazon.com/")] == []
    assert page.comments == [" edgewright "]
    assert page.references == []


def test_a_defect_says_where_it_is_and_nothing_of_the_spec(
    only_head: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise ValueError("top-secret-name")

    (only_head[1] / "stacks/shop.edge.yaml").write_text(SPEC.replace("20s", "21s"))
    monkeypatch.setattr("edgewright.edge.resolve.resolve", broken)
    assert errors(compared(only_head)).startswith("unexpected ValueError: a defect of edgewright, at test_sides.py:")


# -- git ---------------------------------------------------------------------------------------------------------------


def git(folder: Path, *arguments: str) -> None:
    who = ("-c", "user.name=a", "-c", "user.email=a@shop.example", "-c", "commit.gpgsign=false")
    subprocess.run(["git", *who, *arguments], cwd=folder, check=True, capture_output=True)


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A repository whose project is in a folder of it; `before` is tagged, and HEAD has another timeout."""
    top = tmp_path / "repository"
    folder = project(top / "edge")
    git(top, "init", "-q", "-b", "main")
    git(top, "add", "-A")
    git(top, "commit", "-qm", "one")
    git(top, "tag", "before")
    (folder / "stacks/shop.edge.yaml").write_text(SPEC.replace("20s", "21s"))
    git(top, "commit", "-qam", "two")
    monkeypatch.chdir(folder)
    return top


def timeouts(found: Diff) -> list[tuple[str | None, str | None]]:
    changes = one(found, "shop").changes
    assert changes is not None
    return [(item.before, item.after) for route in changes.routes_changed for item in route.changes]


def test_two_revisions_are_compared(repository: Path) -> None:
    found = diff("before", "HEAD", WITHOUT_RULES)
    assert timeouts(found) == [("20s", "21s")]
    assert one(found, "other").same


@pytest.mark.parametrize(
    ("written", "sides", "told"),
    [
        ("edge/stacks/shop.edge.yaml", ["HEAD", "main"], True),
        ("edge/stacks/new.json", ["HEAD", "main"], True),
        ("edge/notes.txt", ["HEAD", "main"], False),
        ("other/values.yaml", ["HEAD", "main"], False),
        ("edge/stacks/shop.edge.yaml", ["before", "before"], False),
        ("edge/stacks/shop.edge.yaml", ["before", "HEAD"], False),
    ],
)
def test_where_nothing_changes_what_is_not_committed_is_called_to_mind(
    repository: Path, written: str, sides: list[str], told: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    (repository / written).parent.mkdir(exist_ok=True)
    (repository / written).write_text("more: yes\n")
    main(["diff", *sides, "--no-policies"])
    note = "note: what is not committed is not in `main`; `edgewright diff HEAD .` compares it\n"
    assert capsys.readouterr().err == (note if told else "")


def test_a_revision_is_compared_with_what_is_being_written(repository: Path) -> None:
    (repository / "edge/stacks/shop.edge.yaml").write_text(SPEC.replace("20s", "22s"))
    assert timeouts(diff("HEAD", ".", WITHOUT_RULES)) == [("21s", "22s")]
    assert timeouts(diff("HEAD", "stacks/Pulumi.shop.yaml", WITHOUT_RULES)) == [("21s", "22s")]


def test_errors_of_a_revision_name_no_temporary_folder(repository: Path) -> None:
    (repository / "edge/stacks/shop.edge.yaml").write_text(SPEC.replace("backend: pages,", "backend: page,"))
    git(repository, "commit", "-qam", "three")
    assert errors(diff("before", "HEAD", WITHOUT_RULES)).startswith("stacks/shop.edge.yaml:11:")


def test_what_git_could_take_for_an_option_is_refused(repository: Path) -> None:
    for name in ("--upload-pack=touch ran", "-x", "--output=ran"):
        with pytest.raises(UsageError, match="begins with `-`"):
            diff("before", name, WITHOUT_RULES)
    assert not list(repository.rglob("ran"))


def refused(revision: str) -> str:
    """Why a revision is not compared, after what is said of all."""
    with pytest.raises(UsageError) as caught:
        diff(revision, "HEAD", WITHOUT_RULES)
    said, _, why = str(caught.value).partition(" that git knows here")
    assert said == f"`{revision}` is no file, no folder and no revision"
    return why


def test_an_unknown_revision_is_refused(repository: Path) -> None:
    assert refused("nowhere") == ""


def test_what_keeps_git_from_knowing_a_revision_is_said(
    repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    git(tmp_path, "clone", "-q", "--depth", "1", f"file://{repository}", "clone")
    monkeypatch.chdir(tmp_path / "clone")
    assert refused("before") == ": the clone is shallow; `git fetch --unshallow` gets the rest"
    git(tmp_path / "clone", "checkout", "-q", "--detach")
    git(tmp_path / "clone", "branch", "-qD", "main")
    assert refused("main") == "; did you mean `origin/main`?"
    monkeypatch.chdir(tmp_path)
    assert "not a git repository" in refused("before")
    monkeypatch.setenv("PATH", "")
    assert refused("before") == ": there is no git on PATH"


def test_links_of_a_revision_are_not_taken(repository: Path, tmp_path: Path) -> None:
    secret = tmp_path / "secret.yaml"
    secret.write_text(SECRET)
    outside_by_link(repository / "edge", secret)
    git(repository, "commit", "-qam", "three")
    found = diff("before", "HEAD", WITHOUT_RULES)
    assert "there is no file stacks/shop.edge.yaml" in errors(found)
    assert "top-secret" not in comment(found)


def test_no_filter_and_no_hook_of_a_revision_is_run(repository: Path, tmp_path: Path) -> None:
    mark = tmp_path / "ran"
    git(repository, "config", "filter.evil.smudge", f"touch {mark}; cat")
    git(repository, "config", "core.fsmonitor", f"touch {mark}")
    hook = repository / ".git/hooks/post-checkout"
    hook.write_text(f"#!/bin/sh\ntouch {mark}\n")
    hook.chmod(0o755)
    (repository / ".gitattributes").write_text("*.yaml filter=evil export-subst\n")
    (repository / "edge/stacks/shop.edge.yaml").write_text(SPEC.replace("20s", "23s") + "# $Format:%an$\n")
    git(repository, "-c", "core.fsmonitor=false", "-c", "filter.evil.smudge=cat", "add", "-A")
    git(repository, "-c", "core.fsmonitor=false", "commit", "-qm", "three")
    mark.unlink(missing_ok=True)
    assert timeouts(diff("before", "HEAD", WITHOUT_RULES)) == [("20s", "23s")]
    assert not mark.exists()


@pytest.mark.parametrize(
    ("path", "safe"),
    [
        ("stacks/a.yaml", True),
        ("../a.yaml", False),
        ("/etc/a.yaml", False),
        ("a/../../b.yaml", False),
        (".GIT/a.yaml", False),
    ],
)
def test_a_path_of_a_tree_that_leads_elsewhere_is_not_written(path: str, safe: bool) -> None:
    from pathlib import PurePosixPath

    assert is_safe(PurePosixPath(path)) is safe


# -- the command -------------------------------------------------------------------------------------------------------


def test_the_comment_is_written_to_a_file_and_its_status_says_what_would_stop(
    sides: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output = tmp_path / "comment.md"
    command = ["diff", str(sides[0]), str(sides[1]), "--markdown", "--output", str(output)]
    assert main(command) == 0
    assert output.read_text().startswith("<!-- edgewright -->\n## No stack changes\n")
    (sides[1] / "stacks/policies.json").write_text(json.dumps({"on-vpc": "mandatory"}))
    assert main(command) == 1
    assert "**1 new stops the update**" in output.read_text()
    assert capsys.readouterr().out == ""


def test_a_stack_that_cannot_be_planned_is_status_1_after_all_is_written(
    sides: tuple[Path, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    (sides[1] / "stacks/shop.edge.yaml").write_text("routes: [")
    assert main(["diff", str(sides[0]), str(sides[1])]) == 1
    printed = capsys.readouterr().out
    assert "== shop cannot be planned" in printed and "no change: other" in printed


def test_two_specs_are_compared_as_ever(sides: tuple[Path, Path], capsys: pytest.CaptureFixture[str]) -> None:
    files = [str(folder / "stacks/shop.edge.yaml") for folder in sides]
    assert main(["diff", *files, "--topology", "aws/balancer-only"]) == 0
    assert capsys.readouterr().out == "Nothing changes: the same routes, resources and findings.\n"


def test_a_kept_plan_is_compared_with_what_the_spec_says_now(
    sides: tuple[Path, Path], capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    stack = sides[1] / "stacks/Pulumi.shop.yaml"
    assert main(["plan", str(stack), "--json"]) == 0
    kept = tmp_path / "kept.json"
    kept.write_text(capsys.readouterr().out)
    (sides[1] / "stacks/shop.edge.yaml").write_text(SPEC.replace("20s", "21s"))
    assert main(["diff", str(kept), str(stack), "--markdown"]) == 0
    assert "`timeout`: `20s` → `21s`" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b'{"version": ', ":1:13: is no JSON: Expecting value"),
        (b'{"version": "\xff"}', ": is no UTF-8 text"),
        (b"[" * 100_000, ": is nested too deeply, or has a number that is too long"),
        (b'{"version": 1' + b"0" * 5_000 + b"}", ": is nested too deeply, or has a number that is too long"),
        (b"{}", ": this is no plan: it has no `version`; write one with `edgewright plan SPEC --json`"),
    ],
    ids=("no JSON", "no UTF-8", "nested", "a long number", "no plan"),
)
def test_a_file_that_is_no_kept_plan_says_its_name_and_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], content: bytes, said: str
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("kept.json").write_bytes(content)
    assert main(["diff", "kept.json", "kept.json"]) == 1
    assert capsys.readouterr().err == f"edgewright: kept.json{said}\n"


def test_what_would_be_planned_otherwise_is_no_option_for_a_plan_that_was_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("kept.json", "strict.json"):
        Path(name).write_text("{}")
    for options in (["--no-policies"], ["--topology", "aws/balancer-only"], ["--policy-config", "strict.json"]):
        assert main(["plan", "kept.json", *options]) == 2
        assert "kept.json is a plan that was kept" in capsys.readouterr().err


def test_a_spec_may_be_json(sides: tuple[Path, Path], capsys: pytest.CaptureFixture[str]) -> None:
    file = sides[1] / "shop.edge.json"
    file.write_text(json.dumps(yaml.safe_load(SPEC)))
    assert main(["plan", str(file), "--topology", "aws/balancer-only", "--no-policies"]) == 0
    assert capsys.readouterr().out.startswith("shop on aws/balancer-only: 2 routes")


def test_a_comment_that_cannot_be_written_is_no_defect(
    sides: tuple[Path, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["diff", str(sides[0]), str(sides[1]), "--output", "nowhere/comment.md"]) == 1
    assert capsys.readouterr().err == "edgewright: nowhere/comment.md: No such file or directory\n"


def test_a_link_that_is_none_is_wrong_use(sides: tuple[Path, Path], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["diff", str(sides[0]), str(sides[1]), "--markdown", "--link", "javascript:x"]) == 2
    assert "is no address" in capsys.readouterr().err
