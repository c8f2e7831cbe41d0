"""Which stacks a change touches: from the files of two revisions, whatever they are called or hold."""

import os
from collections.abc import Mapping
from pathlib import Path

import pytest

from edgewright.ci import stacks, tree
from edgewright.ci.__main__ import main
from edgewright.ci.job import CiError
from workflows.repository import PROJECT, Repository

PROJECT_FILE = "name: edge\nmain: stacks/\nstackConfigDir: stacks\nruntime: python\n"


def stack(spec: str, topology: str = "aws/gateway-first", **bindings: str) -> str:
    lines = [f"edgewright:spec: {spec}", f"edgewright:topology: {topology}", "edgewright:bindings:"]
    lines += [f"  {name}: {value}" for name, value in {"region": "eu-west-1", **bindings}.items()]
    return "config:\n" + "".join(f"  {line}\n" for line in lines)


FILES = {
    "Pulumi.yaml": PROJECT_FILE,
    "README.md": "x",
    "docs/guide.md": "x",
    "infra/edgewright/x.py": "x = 1\n",
    "policies/PulumiPolicy.yaml": "runtime: python\n",
    "requirements.txt": "pulumi\n",
    "stacks/__main__.py": "x = 1\n",
    "stacks/README.md": "x",
    "stacks/shop.edge.yaml": "name: shop\njwks: keys/shop.json\nwaf: ../infra/nothing\n",
    "stacks/web.edge.yaml": "name: web\n",
    "stacks/unused.edge.yaml": "name: unused\n",
    "stacks/keys/shop.json": "{}",
    "stacks/template.json": "{}",
    "stacks/policies.web.json": "{}",
    "stacks/policies.json": "{}",
    "stacks/Pulumi.shop.yaml": stack("shop.edge.yaml"),
    "stacks/Pulumi.shop-azure.yaml": stack("shop.edge.yaml", "azure/gateway-first", template="template.json"),
    "stacks/Pulumi.web.yaml": stack("web.edge.yaml", profile="development"),
    "stacks/Pulumi.local.yaml": stack("shop.edge.yaml", "local"),
}
ALL = ["shop", "shop-azure", "web"]


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Repository:
    return Repository.create(tmp_path_factory.mktemp("shop") / "r", FILES)


def touched_by(repository: Repository, changes: Mapping[str, str | bytes | None]) -> list[str]:
    repository.branch("change")
    before = tree.tree_of(repository.folder, "HEAD")
    repository.commit(changes)
    after = tree.tree_of(repository.folder, "HEAD")
    known = stacks.cloud_stacks(after)
    found = stacks.touched(tree.changed(before, after), known.stacks, stacks.folder_of(after))
    if known.problems:
        raise CiError("\n".join(known.problems))
    return [one.stack.name for one in found]


@pytest.mark.parametrize(
    ("changed", "wanted"),
    [
        ("stacks/Pulumi.shop.yaml", ["shop"]),
        ("stacks/shop.edge.yaml", ["shop", "shop-azure"]),
        ("stacks/web.edge.yaml", ["web"]),
        ("stacks/keys/shop.json", ["shop", "shop-azure"]),
        ("stacks/template.json", ["shop-azure"]),
        ("stacks/policies.web.json", ["web"]),
        ("stacks/policies.json", ["shop", "shop-azure"]),
        ("stacks/unused.edge.yaml", []),
        ("stacks/Pulumi.local.yaml", []),
        ("stacks/README.md", []),
        ("stacks/__main__.py", ALL),
        ("stacks/helper.py", ALL),
        ("infra/edgewright/x.py", ALL),
        ("policies/PulumiPolicy.yaml", ALL),
        ("requirements.txt", ALL),
        ("pyproject.toml", ALL),
        ("PulumiPlugin.yaml", ALL),
        ("requirements-dev.txt", []),
        ("README.md", []),
        ("docs/guide.md", []),
        ("infrastructure.md", []),
    ],
)
def test_a_changed_file_touches_the_stacks_that_are_made_of_it(
    changed: str, wanted: list[str], shop: Repository
) -> None:
    before = FILES.get(changed, "")
    more = "# changed\n" if changed.endswith((".yaml", ".py", ".txt", ".toml")) else " "
    assert touched_by(shop, {changed: before + more}) == wanted


def test_a_removed_document_touches_all_since_nothing_says_who_read_it(shop: Repository) -> None:
    assert touched_by(shop, {"stacks/keys/shop.json": None}) == ALL


def test_a_spec_that_is_gone_touches_the_stacks_that_still_name_it(shop: Repository) -> None:
    assert touched_by(shop, {"stacks/web.edge.yaml": None}) == ["web"]


def test_a_stack_that_is_new_is_touched_and_one_that_is_gone_is_not(shop: Repository) -> None:
    changes = {"stacks/Pulumi.new.yaml": stack("web.edge.yaml"), "stacks/Pulumi.web.yaml": None}
    assert touched_by(shop, changes) == ["new"]


def test_a_change_of_mode_alone_touches(tmp_path: Path) -> None:
    repository = Repository.create(tmp_path / "r", FILES)
    before = tree.tree_of(repository.folder, "HEAD")
    (repository.folder / "stacks/web.edge.yaml").chmod(0o755)
    repository.commit({})
    assert tree.changed(before, tree.tree_of(repository.folder, "HEAD")) == ("stacks/web.edge.yaml",)


def test_no_change_touches_nothing(shop: Repository) -> None:
    assert touched_by(shop, {}) == []


def test_a_spec_that_cannot_be_read_is_touched_by_whatever_lies_beside_it(tmp_path: Path) -> None:
    repository = Repository.create(tmp_path / "r", {**FILES, "stacks/web.edge.yaml": "a: [\n"})
    assert touched_by(repository, {"stacks/unused.edge.yaml": "name: other\n"}) == ["web"]


@pytest.mark.parametrize("bomb", ["large", "aliases"])
def test_a_spec_beyond_the_bounds_is_a_stack_all_the_same(bomb: str, shop: Repository) -> None:
    text = {"large": b"a: " + b"x" * 10_000_000, "aliases": alias_bomb().encode()}[bomb]
    assert touched_by(shop, {"stacks/web.edge.yaml": text}) == ["web"]


def alias_bomb() -> str:
    lines = ["a0: &a0 [keys/shop.json]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 30)]
    return "\n".join(lines) + "\n"


@pytest.mark.parametrize(
    ("changes", "wanted"),
    [
        ({"stacks/shop.edge.yaml": "-> /etc/passwd"}, "stacks/shop.edge.yaml: it is a symbolic link"),
        ({"stacks/Pulumi.web.yaml": "-> ../../../proc/self/environ"}, "stacks/Pulumi.web.yaml: it is a symbolic link"),
        ({"stacks/Pulumi.web.yaml": stack("/etc/passwd")}, "stacks/Pulumi.web.yaml: edgewright:spec leads out of"),
        ({"stacks/Pulumi.web.yaml": stack("../../etc/passwd")}, "stacks/Pulumi.web.yaml: edgewright:spec leads out of"),
        (
            {"stacks/Pulumi.$(touch x).yaml": stack("web.edge.yaml")},
            "stacks/Pulumi.$(touch x).yaml: a stack's name has",
        ),
        ({"stacks/Pulumi.a\n::set-env::.yaml": stack("web.edge.yaml")}, "a stack's name has letters"),
        ({"stacks/Pulumi.web.yaml": "a: [\n"}, "stacks/Pulumi.web.yaml:"),
        ({"Pulumi.yaml": "- a\n"}, "Pulumi.yaml: it must be a map"),
        ({"Pulumi.yaml": None}, "there is no Pulumi.yaml"),
    ],
)
def test_what_a_stack_may_not_be_made_of_is_refused(
    changes: Mapping[str, str | bytes | None], wanted: str, shop: Repository
) -> None:
    with pytest.raises(CiError) as error:
        touched_by(shop, changes)
    assert wanted in str(error.value)
    assert "root:" not in str(error.value)


def test_everything_that_is_wrong_is_said_at_once(shop: Repository) -> None:
    changes = {"stacks/Pulumi.web.yaml": "a: [\n", "stacks/shop.edge.yaml": "-> /etc/passwd"}
    with pytest.raises(CiError) as error:
        touched_by(shop, changes)
    assert str(error.value).count("stacks/shop.edge.yaml: it is") == 1  # though two stacks are made of it
    assert "stacks/Pulumi.web.yaml:" in str(error.value)


def test_a_matrix_has_the_cloud_the_environment_and_the_policies_of_each_stack(tmp_path: Path) -> None:
    repository = Repository.create(tmp_path / "r", FILES)
    assert [one.to_json() for one in stacks.cloud_stacks(tree.tree_of(repository.folder, "HEAD")).stacks] == [
        {"stack": "shop", "cloud": "aws", "environment": "production", "policies": "stacks/policies.json"},
        {"stack": "shop-azure", "cloud": "azure", "environment": "production", "policies": "stacks/policies.json"},
        {"stack": "web", "cloud": "aws", "environment": "development", "policies": "stacks/policies.web.json"},
    ]


def test_without_any_policies_configuration_the_matrix_names_none(tmp_path: Path) -> None:
    files = {path: text for path, text in FILES.items() if "policies." not in path}
    repository = Repository.create(tmp_path / "r", files)
    assert {one.policies for one in stacks.cloud_stacks(tree.tree_of(repository.folder, "HEAD")).stacks} == {""}


def test_more_stacks_than_a_matrix_takes_are_refused(tmp_path: Path) -> None:
    files = {f"Pulumi.s{number}.yaml": stack("web.edge.yaml") for number in range(257)}
    repository = Repository.create(tmp_path / "r", {"Pulumi.yaml": "name: x\nruntime: python\n", **files})
    known = stacks.cloud_stacks(tree.tree_of(repository.folder, "HEAD"))
    assert known.stacks == ()
    assert "257 stacks" in known.problems[0]


def test_the_stacks_of_this_repository_are_those_of_its_clouds(tmp_path: Path) -> None:
    repository = Repository.create(tmp_path / "r")
    found = [one.name for one in stacks.cloud_stacks(tree.tree_of(repository.folder, "HEAD")).stacks]
    files = (path.name.split(".")[1] for path in (PROJECT / "stacks").glob("Pulumi.*.yaml"))
    assert found == sorted(name for name in files if name != "local")


def test_a_stack_that_cannot_be_read_does_not_hide_the_others(shop: Repository) -> None:
    shop.branch("change")
    shop.commit({"stacks/Pulumi.web.yaml": "a: [\n", "stacks/Pulumi.$(id).yaml": stack("web.edge.yaml")})
    known = stacks.cloud_stacks(tree.tree_of(shop.folder, "HEAD"))
    assert known.names == ("shop", "shop-azure")
    assert len(known.problems) == 2


@pytest.mark.parametrize(
    ("what", "changes", "gone"),
    [
        ("its file goes", {"stacks/Pulumi.web.yaml": None, "stacks/web.edge.yaml": None}, ["web"]),
        ("it is renamed", {"stacks/Pulumi.web.yaml": None, "stacks/Pulumi.site.yaml": stack("web.edge.yaml")}, ["web"]),
        ("it is of no cloud any more", {"stacks/Pulumi.web.yaml": stack("web.edge.yaml", "local")}, ["web"]),
        ("the folder is another", {"Pulumi.yaml": PROJECT_FILE.replace("Dir: stacks", "Dir: elsewhere")}, ALL),
        ("it cannot be read", {"stacks/Pulumi.web.yaml": "a: [\n"}, []),
        ("its file is a link", {"stacks/Pulumi.web.yaml": "-> Pulumi.shop.yaml"}, []),
        ("it stays", {"stacks/Pulumi.web.yaml": stack("shop.edge.yaml")}, []),
        ("one of this machine goes", {"stacks/Pulumi.local.yaml": None}, []),
    ],
)
def test_cloud_stacks_that_are_none_any_more_are_told(
    what: str, changes: Mapping[str, str | bytes | None], gone: list[str], shop: Repository
) -> None:
    shop.branch("change")
    before = tree.tree_of(shop.folder, "HEAD")
    shop.commit(changes)
    known = stacks.cloud_stacks(tree.tree_of(shop.folder, "HEAD"))
    assert list(stacks.removed(before, known)) == [f"stacks/Pulumi.{name}.yaml" for name in gone], what


def test_a_revision_that_is_not_there_is_an_error_and_no_option_of_git(tmp_path: Path) -> None:
    repository = Repository.create(tmp_path / "r", FILES)
    for revision in ("0" * 40, "nothing", "--output=x", ""):
        assert tree.commit_of(repository.folder, revision) is None
        with pytest.raises(CiError, match="fetch-depth"):
            tree.tree_of(repository.folder, revision)
    assert not os.path.exists(repository.folder / "x")  # noqa: PTH110


def test_where_git_reads_nothing_its_own_words_are_the_error(tmp_path: Path) -> None:
    with pytest.raises(CiError, match="not a git repository"):
        tree.tree_of(tmp_path, "HEAD")


def test_a_base_that_is_not_there_touches_every_stack_and_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    shop = Repository.create(tmp_path / "r", FILES)
    for name in ("GITHUB_OUTPUT", "TF_BUILD"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.chdir(shop.folder)
    assert main(["stacks", "--base", "nothing"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "there is no revision `nothing` here to compare with, so every stack counts as touched",
        "3 of 3 cloud stacks",
    ]


def test_two_commits_of_the_same_files_have_the_same_tree(tmp_path: Path) -> None:
    repository = Repository.create(tmp_path / "r", FILES)
    repository.branch("change")
    repository.commit({"stacks/web.edge.yaml": "name: other\n"})
    merged = repository.merge("change")
    assert merged != repository.head
    assert tree.tree_of(repository.folder, merged).id == tree.tree_of(repository.folder, "change").id
