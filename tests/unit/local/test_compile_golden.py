"""Specs and what the local compiler makes of them, as pairs of files that people review; Envoy accepts each."""

import asyncio
from pathlib import Path
from typing import Any

import pytest
import yaml

from edgewright.edge.resolve import resolve
from edgewright.local import plan
from edgewright.local.compile import Compiled, compile_edge
from edgewright.local.process import Scrubber
from edgewright.local.reviewable import review
from edgewright.local.state import StateFolder
from edgewright.spec.model import EdgeSpec
from edgewright.spec.problems import SpecError
from golden_files import assert_golden

FOLDER = Path(__file__).parents[2] / "golden" / "local"
CASES = sorted(path.name.removesuffix(".in.yaml") for path in FOLDER.glob("*.in.yaml"))
COMPILED = [name for name in CASES if name != "refused"]


def compiled(name: str) -> Compiled:
    spec, *bindings = yaml.safe_load_all((FOLDER / f"{name}.in.yaml").read_text(encoding="utf-8"))
    return compile_edge(resolve(EdgeSpec.model_validate(spec)), bindings[0] if bindings else {})


@pytest.mark.parametrize("name", COMPILED)
def test_a_spec_compiles_to_what_was_reviewed(name: str) -> None:
    result = compiled(name)
    texts = review(result.artifact)
    # The same for every edge: once is enough.
    common = texts.pop("common")
    if name == "slice":
        assert_golden(FOLDER / "common.out.yaml", common)
    texts["edge"] += "".join(f"# {finding}\n" for finding in result.findings)
    for part, text in texts.items():
        # A balancer knows listeners and address lists only.
        if part == "balancer" and name not in ("slice", "network"):
            continue
        assert_golden(FOLDER / f"{name}.{part}.out.yaml", text)


def test_what_every_connection_manager_has_does_not_depend_on_the_edge() -> None:
    assert review(compiled("slice").artifact)["common"] == review(compiled("network").artifact)["common"]


def test_everything_that_cannot_be_carried_is_told_at_once_with_what_would_carry_it() -> None:
    with pytest.raises(SpecError) as caught:
        compiled("refused")
    assert_golden(FOLDER / "refused.out.txt", f"{caught.value}\n")


@pytest.mark.parametrize("name", COMPILED)
def test_envoy_accepts_what_is_compiled(name: str, tmp_path: Path) -> None:
    state = StateFolder(tmp_path / "state")
    state.prepare()
    state.folder("log")
    scrub = Scrubber()
    made = plan.make(state, compiled(name).artifact, {}, scrub)
    asyncio.run(plan.validate(state, list(made.nodes.values()), scrub))


def test_what_is_printed_for_review_reads_back_as_yaml() -> None:
    texts: dict[str, Any] = {part: yaml.safe_load(text) for part, text in review(compiled("slice").artifact).items()}
    names = [route["name"] for route in texts["gateway"]["routes"][0]["virtual_hosts"][0]["routes"]]
    assert "GET /products" in names
