"""The policy pack on the real engine: what it stops, what it lets through, and what it writes.

The stack's program turns TLS down by an override, as a team might for an old client.
"""

import json
import re
import subprocess
from collections.abc import Generator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from edgewright.policies.enforcement import utc_today
from edgewright.up import preview, up
from engine.cloud_project import PACK, CloudProject, cloud_project

Capture = pytest.CaptureFixture[str]

STACK = "aws-balancer-only"
RULE = "lb-listener-min-tls12"
LISTENER = "web-edge-default"
OLD, TODAYS = "ELBSecurityPolicy-2016-08", "ELBSecurityPolicy-TLS13-1-2-Res-PQ-2025-09"
FOUND = f"{RULE}  (aws:lb:Listener: {LISTENER})"

PROGRAM = f'''
from pathlib import Path

import pulumi
import pulumi_aws as aws

from edgewright.aws.balancer_only import BalancerOnly
from edgewright.stack import from_values, values

folder = Path(__file__).resolve().parent
file = folder / "Pulumi.{STACK}.yaml"
settings = from_values(folder.parent, folder, "{STACK}", values(file), source=str(file))
args = {{
    "spec": str(settings.spec),
    "bindings": settings.bindings,
    "overrides": {{"edge": {{"listeners.default": {{"ssl_policy": "{OLD}"}}}}}},
}}
provider = aws.Provider("aws", region=settings.bindings["region"])
BalancerOnly("web", args, pulumi.ResourceOptions(provider=provider))
'''


@pytest.fixture(scope="module")
def weak(tmp_path_factory: pytest.TempPathFactory) -> Generator[CloudProject]:
    """A project whose one program makes a listener that takes TLS 1.0."""
    with cloud_project(tmp_path_factory.mktemp("weak")) as project:
        (project.root / "stacks" / "__main__.py").write_text(PROGRAM)
        project.pulumi(STACK, "stack", "init")
        yield project


def held(project: CloudProject, config: object = None, *words: str) -> "subprocess.CompletedProcess[str]":
    """A preview against the pack. config: of its rules."""
    file = project.root / "policies.json"
    file.write_text(json.dumps(config or {}))
    pack = ("--policy-pack", str(PACK), "--policy-pack-config", str(file))
    return project.pulumi(STACK, "preview", *pack, *words)


def exempt(days: int) -> dict[str, Any]:
    until = utc_today() + timedelta(days=days)
    return {"exemptions": [{"resource": LISTENER, "reason": "terminals of 2014", "expires": until.isoformat()}]}


def test_a_mandatory_violation_stops_the_preview_by_name_and_nothing_is_made(weak: CloudProject) -> None:
    ran = held(weak)
    assert ran.returncode != 0
    assert re.findall(r"\[mandatory\].*", ran.stdout) == [f"[mandatory] [severity: critical]  {FOUND}"]
    assert f"`sslPolicy` is {OLD}" in ran.stdout
    assert weak.state(STACK) == []


def test_a_mandatory_violation_stops_an_update_before_the_resource_is_made(weak: CloudProject) -> None:
    ran = weak.pulumi(STACK, "up", "--yes", "--skip-preview", "--policy-pack", str(PACK))
    assert ran.returncode != 0
    assert f"[mandatory] [severity: critical]  {FOUND}" in ran.stdout, ran.stdout + ran.stderr
    # The listener that only redirects breaks no rule, and may be made before the engine stops.
    listeners = [item["urn"] for item in weak.state(STACK) if item["type"] == "aws:lb/listener:Listener"]
    assert not [urn for urn in listeners if not urn.endswith(f"::{LISTENER}-http")]
    weak.pulumi(STACK, "state", "unprotect", "--all", "--yes")
    assert weak.pulumi(STACK, "destroy", "--yes", "--skip-preview").returncode == 0


def test_an_advisory_violation_is_said_and_stops_nothing(weak: CloudProject) -> None:
    ran = held(weak, {RULE: "advisory"})
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert f"[advisory] [severity: critical]  {FOUND}" in ran.stdout


def test_an_exemption_lets_it_through_to_the_end_of_its_day(weak: CloudProject) -> None:
    ran = held(weak, {RULE: exempt(days=0)})
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert RULE not in ran.stdout


def test_an_exemption_that_is_over_stops_it(weak: CloudProject) -> None:
    ran = held(weak, {RULE: exempt(days=-1)})
    assert ran.returncode != 0
    assert f"[mandatory] [severity: critical]  {FOUND}" in ran.stdout, ran.stdout + ran.stderr
    assert "ended on" in ran.stdout


def test_a_remediation_is_seen_in_the_preview_and_mends_it(weak: CloudProject) -> None:
    ran = held(weak, {RULE: "remediate"}, "--show-policy-remediations", "--diff")
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert f"[remediate]  {RULE}  (aws:lb:Listener: {LISTENER})" in ran.stdout
    assert f'"{OLD}" => "{TODAYS}"' in ran.stdout
    assert re.search(rf'sslPolicy +: "{TODAYS}"', ran.stdout)


def test_edgewright_previews_and_updates_are_stopped_too_and_configured_beside_the_stack(
    clouds: CloudProject, capfd: Capture
) -> None:
    clouds.bind(STACK, profile="development")
    assert preview(STACK, policies=PACK) == 1
    out, err = capfd.readouterr()
    assert "lb-deletion-protection  (aws:lb:LoadBalancer: web-edge)" in out
    assert "Remedy: In the bindings, profile: production." in out
    assert err.endswith(
        "error: stopped by the policy pack:\n"
        "  lb-deletion-protection: web-edge\n"
        "    A load balancer has deletion protection.\n"
        "    `enableDeletionProtection` is not true\n"
        "    Remedy: In the bindings, profile: production.\n"
    ), err
    assert up(STACK, yes=True, policies=PACK) == 1
    assert "lb-deletion-protection" in capfd.readouterr().out
    assert not [item for item in clouds.state(STACK) if item["type"] == "aws:lb/loadBalancer:LoadBalancer"]

    beside = clouds.root / "stacks" / f"policies.{STACK}.json"
    beside.write_text(json.dumps({"lb-deletion-protection": "advisory"}))
    assert preview(STACK, policies=PACK) == 0
    out, err = capfd.readouterr()
    assert "[advisory] [severity: medium]  lb-deletion-protection" in out
    assert "stopped by" not in err
    other = clouds.root / "other.json"
    other.write_text("{}")
    assert preview(STACK, policies=PACK, policy_config=other) == 1


@pytest.mark.parametrize(
    ("said", "problem"),
    [
        ({"policies": Path("stacks")}, "stacks is no policy pack: it has no PulumiPolicy.yaml"),
        ({"policies": PACK, "policy_config": Path("no.json")}, "there is no file no.json"),
        ({"policy_config": Path("some.json")}, "some.json configures a policy pack, and none is named"),
    ],
)
def test_what_cannot_be_a_pack_is_said_before_the_engine_is_started(
    said: dict[str, Any], problem: str, clouds: CloudProject, capfd: Capture
) -> None:
    assert preview(STACK, **said) == 1
    assert up(STACK, yes=True, **said) == 1
    out, errors = capfd.readouterr()
    assert errors.count(problem) == 2
    assert "Previewing" not in out
    assert not (clouds.root / ".edgewright").exists()
