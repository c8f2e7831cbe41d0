"""Documents that are written from the code say what the code says (`make docs` writes them)."""

from pathlib import Path

import pytest

from edgewright.local import capabilities
from edgewright.spec import reference, schema

DOCS = Path(__file__).parents[2] / "docs"


@pytest.mark.parametrize(
    ("name", "text"),
    [("spec.md", reference.text()), ("local.md", capabilities.markdown()), ("edge.schema.json", schema.text())],
)
def test_a_written_document_is_up_to_date(name: str, text: str) -> None:
    assert (DOCS / name).read_text(encoding="utf-8") == text


def test_every_document_that_the_readme_names_is_there() -> None:
    import re

    root = DOCS.parent
    for document in (
        root / "README.md",
        root / "CONTRIBUTING.md",
        *root.glob("docs/**/*.md"),
        *root.glob("examples/*/README.md"),
    ):
        for target in re.findall(r"\]\((?!https?://|#)([^)#]+)", document.read_text(encoding="utf-8")):
            assert (document.parent / target).exists(), f"{document.name} names {target}"
