"""Documents that are written from the code say what the code says (`make docs` writes them)."""

import re
from pathlib import Path

import pytest

from edgewright.cli import main
from edgewright.local import capabilities
from edgewright.spec import reference, schema

DOCS = Path(__file__).parents[2] / "docs"


@pytest.mark.parametrize(
    ("name", "text"),
    [("spec.md", reference.text()), ("local.md", capabilities.markdown()), ("edge.schema.json", schema.text())],
)
def test_a_written_document_is_up_to_date(name: str, text: str) -> None:
    assert (DOCS / name).read_text(encoding="utf-8") == text


def test_the_spec_of_the_readme_is_good_and_its_problems_are_those_that_are_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    readme = (DOCS.parent / "README.md").read_text(encoding="utf-8")
    (spec,) = re.findall(r"^```yaml\n(.*?)^```$", readme, re.DOTALL | re.MULTILINE)
    (shown,) = re.findall(r"^\$ edgewright check shop.edge.yaml\n(.*?)^```$", readme, re.DOTALL | re.MULTILINE)
    monkeypatch.chdir(tmp_path)
    file = tmp_path / "shop.edge.yaml"
    file.write_text(spec)
    assert main(["check", file.name]) == 0
    capsys.readouterr()
    misspelt = spec.replace("{orders: 90, orders-next: 10}", "ordres")
    file.write_text(f"{misspelt}  GET /me:         {{backend: orders, cache: {{ttl: 60s}}}}\n")
    assert main(["check", file.name]) == 1
    assert capsys.readouterr().err == shown


def test_every_document_that_the_readme_names_is_there() -> None:
    root = DOCS.parent
    for document in (
        root / "README.md",
        root / "CONTRIBUTING.md",
        *root.glob("docs/**/*.md"),
        *root.glob("examples/*/README.md"),
    ):
        for target in re.findall(r"\]\((?!https?://|#)([^)#]+)", document.read_text(encoding="utf-8")):
            assert (document.parent / target).exists(), f"{document.name} names {target}"
