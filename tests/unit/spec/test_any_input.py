"""Whatever is loaded, it is a document or a SpecError, and nothing else."""

from pathlib import Path
from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st

from edgewright.spec.document import Document, from_data, parse
from edgewright.spec.problems import SpecError
from unit.edge.specs import SHOP

GOLDEN = Path(__file__).resolve().parents[2] / "golden" / "spec"
SEEDS = [path.read_bytes() for path in sorted(GOLDEN.rglob("*.in.*"))]

KEYS = st.sampled_from(
    [*SHOP, "openapi", "paths", "x-edge", "servers", "security", "components", "$ref", "/a", "get"]
) | st.text(max_size=3)
LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.binary(max_size=3)
DATA = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS | st.integers(), inner, max_size=4),
    max_leaves=12,
)


def accepts_or_explains(load: Any, value: Any) -> None:
    try:
        document = load(value)
    except SpecError as error:
        assert error.problems
        assert str(error).isprintable() or "\n" in str(error)
        for problem in error.problems:
            assert str(problem).isprintable()
    else:
        assert isinstance(document, Document)


@settings(max_examples=80)
@given(st.binary(max_size=200))
@example(b"\xef\xbb\xbf")
@example(b"? ? ?")
@example(b"%")
def test_any_bytes(content: bytes) -> None:
    accepts_or_explains(parse, content)


@settings(max_examples=80)
@given(st.text(st.sampled_from("abc:-?{}[]&*!|>'\"#%@`,<\\ \n\t0~="), max_size=60))
def test_any_text_of_yaml_characters(text: str) -> None:
    accepts_or_explains(parse, text.encode())


@settings(max_examples=80)
@given(st.sampled_from(SEEDS), st.data())
def test_any_damage_to_a_file(seed: bytes, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(seed)))
    length = data.draw(st.integers(0, 20))
    accepts_or_explains(parse, seed[:start] + data.draw(st.binary(max_size=4)) + seed[start + length :])


@settings(max_examples=80)
@given(DATA)
def test_any_python_data(value: Any) -> None:
    accepts_or_explains(from_data, value)


@settings(max_examples=80)
@given(st.sampled_from(list(SHOP)), DATA)
def test_any_field_of_a_spec(field: str, value: Any) -> None:
    accepts_or_explains(from_data, {**SHOP, field: value})


@settings(max_examples=80)
@given(st.sampled_from(["info", "servers", "paths", "components", "x-edge", "security"]), DATA)
def test_any_part_of_an_openapi_document(field: str, value: Any) -> None:
    base: dict[str, Any] = {
        "openapi": "3.1.0",
        "x-edge": {"backends": {"a": {"port": 1}}},
        "paths": {"/a": {"get": {}}},
    }
    accepts_or_explains(from_data, {**base, field: value})
