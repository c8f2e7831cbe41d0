"""docs/policy-packs.md does what it says: each of its packs is run, each of its configurations is used."""

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import yaml

from edgewright.policies.enforcement import check, for_stack, load
from edgewright.policies.levels import default_level
from edgewright.policies.rules import ALL, named
from edgewright.policies.view import Subject
from policies.analyzer import REPOSITORY, Diagnostic, running
from policies.examples import urn_of
from policies.guide import COMMANDS, FENCE, FILES, GUIDE, SAID, write

BALANCER = "aws:lb/loadBalancer:LoadBalancer"
UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
SHOP = Subject(urn_of(BALANCER, "shop"), BALANCER, "shop", {"idleTimeout": 300.0, "dropInvalidHeaderFields": False})
PACKS = sorted(Path(name).parent.name for name in FILES if name.endswith("__main__.py"))


def as_shown(found: Diagnostic, severity: str) -> str:
    """A diagnostic as the engine prints it."""
    return f"[{found.level}] [severity: {severity}]  {found.rule}  (aws:lb:LoadBalancer: shop)\n{found.message}\n"


def test_the_guide_is_read_whole() -> None:
    assert {language for language, _ in FENCE.findall(GUIDE)} == {"sh", "yaml", "python", "json", "text"}
    files = sum(language in {"yaml", "python", "json"} for language, _ in FENCE.findall(GUIDE))
    assert (len(FILES), PACKS) == (files, ["aws-only", "guard", "mine"])
    assert len(COMMANDS) == 4


@pytest.mark.parametrize("name", PACKS)
def test_a_pack_of_the_guide_runs(tmp_path: Path, name: str) -> None:
    write(tmp_path)
    assert yaml.safe_load((tmp_path / name / "PulumiPolicy.yaml").read_text())["runtime"]
    with running(tmp_path / name) as pack:
        info = pack.info()
        expected = {"guard": len(ALL), "aws-only": sum(rule.types[0].startswith("aws:") for rule in ALL), "mine": 3}
        assert (info.name, len(info.policies)) == (name, expected[name])
        found = {item.rule: item for item in pack.analyze(SHOP).diagnostics}
        assert "alb-drop-invalid-headers" in found
        assert ("alb-short-idle-timeout" in found) == (name == "mine")
        assert "lb-has-listener" in {item.rule for item in pack.analyze_stack([SHOP]).diagnostics}


def test_a_violation_and_a_doubt_read_as_the_guide_shows_them(tmp_path: Path) -> None:
    write(tmp_path)
    with running(tmp_path / "guard") as pack:
        pack.configure({"all": "disabled", "alb-drop-invalid-headers": "mandatory"})
        (violation,) = pack.analyze(SHOP).diagnostics
        unknown = Subject(SHOP.urn, BALANCER, "shop", {"dropInvalidHeaderFields": UNKNOWN})
        (doubt,) = pack.analyze(unknown).diagnostics
    assert [as_shown(violation, "high"), as_shown(doubt, "high")] == list(SAID)


@pytest.mark.parametrize("name", [name for name in FILES if name.endswith(".json")])
def test_a_configuration_of_the_guide_can_be_used(name: str) -> None:
    load(json.loads(FILES[name]), ALL)


def test_the_files_of_stacks_are_found_by_the_names_that_the_guide_says(tmp_path: Path) -> None:
    write(tmp_path)
    common, prod = for_stack(tmp_path / "stacks", "dev"), for_stack(tmp_path / "stacks", "prod")
    tagged = default_level(named("lb-tagged")[0])
    assert (common.levels["lb-tagged"], prod.levels["lb-tagged"]) == ("disabled", tagged)
    assert (common.exemptions, len(prod.exemptions)) == ((), 1)


def test_the_exemption_of_the_guide_holds_until_its_day_and_fails_afterwards() -> None:
    rules = named("alb-drop-invalid-headers")
    enforcement = load(json.loads(FILES["stacks/policies.prod.json"]), rules)
    assert [item.kind for item in check([SHOP], rules, enforcement, date(2099, 6, 30))] == ["exempt"]
    assert [item.kind for item in check([SHOP], rules, enforcement, date(2099, 7, 1))] == [
        "violation",
        "expired exemption",
    ]


def test_the_remediation_of_the_guide_writes_the_value(tmp_path: Path) -> None:
    write(tmp_path)
    with running(tmp_path / "guard") as pack:
        values: dict[str, Any] = json.loads(FILES["mend.json"])
        pack.configure(values)
        (written,) = pack.remediate(SHOP)
    assert written.properties == {**SHOP.properties, "dropInvalidHeaderFields": True}


def test_what_the_guide_installs_can_be_installed() -> None:
    assert "pip install './edgewright[policies]'" in GUIDE
    assert "\npolicies = [" in (REPOSITORY / "pyproject.toml").read_text(encoding="utf-8")
