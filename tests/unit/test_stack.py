"""A stack's settings: read from its file, and refused with the file and the remedy."""

from pathlib import Path

import pytest

from edgewright.plan.model import NOBODY
from edgewright.stack import StackError, engine_knows, find_root, owner, read, unknown_topology


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "Pulumi.yaml").write_text("{name: shop, runtime: python, stackConfigDir: stacks}")
    (tmp_path / "stacks").mkdir()
    return tmp_path


def stack(root: Path, text: str, name: str = "local") -> None:
    (root / f"stacks/Pulumi.{name}.yaml").write_text(text)


def test_the_spec_is_beside_the_stacks_file_and_the_state_beside_the_project(root: Path) -> None:
    stack(root, "config: {'edgewright:spec': shop.edge.yaml, 'aws:region': eu-west-1}")
    found = read(root, "local")
    assert found.spec == root / "stacks/shop.edge.yaml"
    assert found.state_dir == root / ".edgewright/local"
    assert (found.topology, found.bindings, found.credentials) == ("local", {}, None)


def test_a_spec_below_this_folder_is_named_as_one_would_type_it(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stack(root, "config: {'edgewright:spec': shop.edge.yaml}")
    monkeypatch.chdir(root)
    assert str(read(root, "local").spec) == "stacks/shop.edge.yaml"


def test_bindings_and_plain_credentials_are_read(root: Path) -> None:
    bindings = "{backends: {orders: {address: '127.0.0.1:9001'}}}"
    stack(
        root,
        f"config: {{'edgewright:spec': s, 'edgewright:bindings': {bindings}, "
        "'edgewright:credentials': {'keys:acme': abcdefgh}}",
    )
    found = read(root, "local")
    assert found.bindings == {"backends": {"orders": {"address": "127.0.0.1:9001"}}}
    assert found.credentials == {"keys:acme": "abcdefgh"}


def test_encrypted_credentials_are_not_taken_for_keys(root: Path) -> None:
    stack(root, "config: {'edgewright:spec': s, 'edgewright:credentials': {'keys:acme': {secure: 'v1:xyz'}}}")
    assert read(root, "local").credentials is None


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("config: {}", "edgewright:spec must name the spec"),
        (
            "config: {'edgewright:spec': s, 'edgewright:topology': aws/balancer-last}",
            "there is no `aws/balancer-last`",
        ),
        ("config: {'edgewright:spec': s, 'edgewright:bindings': [1]}", "bindings must be a map"),
        ("config: {'edgewright:spce': s}", "there is no setting edgewright:spce"),
        ("config: [", "a value is missing, or a comma or bracket is too many"),
        ("- 1", "must be a map"),
    ],
)
def test_a_bad_setting_is_refused_with_the_files_name(root: Path, text: str, message: str) -> None:
    stack(root, text)
    with pytest.raises(StackError, match=message) as caught:
        read(root, "local")
    assert "Pulumi.local.yaml" in str(caught.value)


def test_all_that_is_wrong_with_a_stack_is_said_at_once(root: Path) -> None:
    stack(root, "config: {'edgewright:a': 1, 'edgewright:b': 1, 'edgewright:topology': x, 'edgewright:bindings': 5}")
    with pytest.raises(StackError) as caught:
        read(root, "local")
    lines = str(caught.value).splitlines()
    assert [line.partition("edgewright:")[2].partition(" ")[0] for line in lines] == [
        "a;",
        "b;",
        "spec",
        "topology:",
        "bindings",
    ]
    assert all("Pulumi.local.yaml: " in line for line in lines)


def test_a_stack_that_is_not_there_is_answered_with_those_that_are(root: Path) -> None:
    stack(root, "", name="local")
    with pytest.raises(StackError, match=r"there is no stack `prod`.*there are `local`"):
        read(root, "prod")


@pytest.mark.parametrize("name", ["pulumi-state", "../up", ".hidden"])
def test_a_stack_whose_folder_would_not_be_its_own_is_refused(root: Path, name: str) -> None:
    if "/" not in name:
        stack(root, "config: {'edgewright:spec': s}", name=name)
    with pytest.raises(StackError):
        read(root, name)


def test_the_project_is_found_from_a_folder_within_it(root: Path) -> None:
    assert find_root(root / "stacks") == root


def test_outside_a_project_the_answer_names_what_works_there(tmp_path: Path) -> None:
    with pytest.raises(StackError, match="edgewright serve FILE"):
        find_root(tmp_path)


@pytest.mark.parametrize(
    ("state", "known"),
    [
        ('{"checkpoint": {"latest": {"resources": [{"urn": "u"}]}}}', True),
        ('{"checkpoint": {"latest": {"pending_operations": [{"type": "creating"}]}}}', True),
        ('{"checkpoint": {"latest": {"manifest": {}}}}', False),
        ('{"checkpoint": {"latest": null}}', False),
        ("{", True),
        (None, False),
    ],
)
def test_the_engine_is_asked_only_about_a_stack_that_it_may_know(
    root: Path, state: str | None, known: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PULUMI_BACKEND_URL", raising=False)
    if state is not None:
        file = root / ".edgewright/pulumi-state/.pulumi/stacks/shop/local.json"
        file.parent.mkdir(parents=True)
        file.write_text(state)
    assert engine_knows(root, "local") is known


def test_a_topology_that_azure_has_not_is_refused_with_what_does_what_was_meant() -> None:
    said = unknown_topology("azure/balancer-only")
    assert "azure/balancer-first" in said
    assert "azure/appgw-waf" in said
    assert "cannot front API Management" in said
    assert "there are" in unknown_topology("azure/sideways")


def test_resources_of_a_stack_have_the_names_of_its_project_and_of_itself(root: Path) -> None:
    found = owner(root / "stacks", "prod")
    assert (found.project, found.stack) == ("shop", "prod")


def test_a_stack_outside_of_a_project_has_its_own_name_still(tmp_path: Path) -> None:
    found = owner(tmp_path, "prod")
    assert (found.project, found.stack) == (NOBODY.project, "prod")
