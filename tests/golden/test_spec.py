"""Golden files of loading: bad specs and their errors, OpenAPI documents and the specs that they mean."""

from pathlib import Path

import pytest
import yaml

from edgewright.spec.document import Document, parse
from edgewright.spec.problems import SpecError
from golden_files import assert_golden

FOLDER = Path(__file__).parent / "spec"
BAD = sorted(FOLDER.glob("*.in.*"))
OPENAPI = sorted((FOLDER / "openapi").glob("*.in.*"))


def stem(path: Path) -> str:
    return path.name.split(".in.")[0]


def loaded(path: Path) -> Document | str:
    """The document in a file, or its errors as text."""
    try:
        return parse(path.read_bytes(), path.name)
    except SpecError as error:
        return f"{error}\n"


@pytest.mark.parametrize("path", BAD, ids=stem)
def test_a_bad_spec_gives_these_errors(path: Path) -> None:
    found = loaded(path)
    assert isinstance(found, str), f"{path.name} loads"
    assert_golden(path.with_name(f"{stem(path)}.errors.txt"), found)


@pytest.mark.parametrize("path", OPENAPI, ids=stem)
def test_an_openapi_document_means_this_spec_or_gives_these_errors(path: Path) -> None:
    found = loaded(path)
    if isinstance(found, str):
        assert_golden(path.with_name(f"{stem(path)}.errors.txt"), found)
        return
    spec = found.spec.model_dump(mode="json", by_alias=True, exclude_unset=True)
    warnings = "".join(f"# {problem}\n" for problem in found.warnings)
    text = yaml.safe_dump(spec, sort_keys=False, width=120)
    assert_golden(path.with_name(f"{stem(path)}.spec.yaml"), warnings + text)


def test_there_are_golden_files_for_both() -> None:
    assert len(BAD) >= 10
    assert len(OPENAPI) >= 8
