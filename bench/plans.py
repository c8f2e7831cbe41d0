"""What an offline plan costs: CPU and peak memory of whole `edgewright plan` processes, and a plain program beside
them.
"""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from bench.times import Time

_AUTHORIZER = {
    "jwt": {
        "issuer": "https://login.bench.example/",
        "audiences": ["api://bench"],
        "jwks_uri": "https://login.bench.example/keys",
    }
}
_CHECK = {"path": "/healthz", "interval": "10s", "timeout": "5s"}

# The plain program: a resource for each route, as a program without a body would have it.
_PLAIN = """
import sys
import pulumi
from pulumi.runtime import Mocks, set_mocks
class Answers(Mocks):
    def new_resource(self, args): return f"{args.name}-id", args.inputs
    def call(self, args): return {}
set_mocks(Answers())
import pulumi_aws as aws
@pulumi.runtime.test
def program():
    api = aws.apigatewayv2.Api("api", protocol_type="HTTP")
    link = aws.apigatewayv2.VpcLink("link", subnet_ids=["a", "b"], security_group_ids=["g"])
    for number in range(int(sys.argv[1])):
        integration = aws.apigatewayv2.Integration(f"i{number}", api_id=api.id, integration_type="HTTP_PROXY",
            integration_method="ANY", connection_type="VPC_LINK", connection_id=link.id, integration_uri="arn:x")
        aws.apigatewayv2.Route(f"r{number}", api_id=api.id, route_key=f"GET /r{number}",
            target=integration.id.apply(lambda found: f"integrations/{found}"))
program()
"""


def spec(routes: int, *, waf: bool = False, prefix: bool = False) -> dict[str, Any]:
    """A spec with so many routes over ten backends, half of them with a token."""
    found: dict[str, Any] = {
        "name": "bench",
        "listener": {"host": "api.bench.example"},
        "authorizers": {"main": _AUTHORIZER},
        "backends": {f"b{number}": {"port": 8080, "health_check": _CHECK} for number in range(10)},
        "defaults": {"auth": "main", "timeout": {"request": "10s"}},
        "routes": {},
    }
    for number in range(routes):
        auth: object = "none" if number % 2 else {"scopes": ["read"]}
        key = f"ANY /r{number}/*" if prefix else f"GET /r{number}"
        found["routes"][key] = {"backend": f"b{number % 10}", "auth": auth}
    if waf:
        found["waf"] = {"managed": ["core"], "rate_per_ip": "50/s"}
    return found


SCENARIOS: tuple[tuple[str, str, int, dict[str, Any], dict[str, Any]], ...] = (
    ("gateway-first, 300 routes (goal 1 s, 150 MiB)", "aws/gateway-first", 300, {}, {}),
    ("gateway-first, 1,000 routes (goal 2 s)", "aws/gateway-first", 1000, {}, {"limits": {"http_routes": 1000}}),
    ("gateway-first, 300 routes and a WAF (goal 1.8 s)", "aws/gateway-first", 280, {"waf": True}, {}),
    ("balancer-first, 300 routes (goal 2 s)", "aws/balancer-first", 280, {"waf": True}, {}),
    ("balancer-only, 300 routes (goal 2 s)", "aws/balancer-only", 300, {"waf": True, "prefix": True}, {}),
    ("balancer-only, 100 rules and no WAF (goal 0.9 s)", "aws/balancer-only", 96, {}, {"limits": {"alb_rules": 200}}),
    ("Azure gateway-first, 300 routes (goal 2 s, 250 MiB)", "azure/gateway-first", 300, {}, {}),
    ("Azure gateway-first, 1,000 routes (goal 2.5 s)", "azure/gateway-first", 1000, {}, {}),
    ("Azure balancer-first, 300 routes (goal 2 s, 250 MiB)", "azure/balancer-first", 300, {}, {}),
    ("Azure balancer-first, 1,000 routes (goal 2.5 s)", "azure/balancer-first", 1000, {}, {}),
    ("Azure appgw-waf, 300 routes and a WAF (goal 2 s, 250 MiB)", "azure/appgw-waf", 300, {"waf": True}, {}),
    ("Azure appgw-waf, 1,000 routes and a WAF (goal 2.5 s)", "azure/appgw-waf", 1000, {"waf": True}, {}),
    ("Azure front-door, 300 routes and a WAF (goal 2 s, 250 MiB)", "azure/front-door", 300, {"waf": True}, {}),
    ("Azure front-door, 1,000 routes and a WAF (goal 2.5 s)", "azure/front-door", 1000, {"waf": True}, {}),
)


def measure_plans(folder: Path, *, runs: int, say: Callable[[str], None]) -> list[Time]:
    """All of them, and the plain program."""
    folder.mkdir(parents=True, exist_ok=True)
    found: list[Time] = []
    # The rules are run, and none of them makes a plan fail: what is measured is a plan, whatever is said of it.
    rules = folder / "policies.json"
    rules.write_text(json.dumps({"all": "advisory"}))
    for what, topology, routes, options, bindings in SCENARIOS:
        say(what)
        file, bound = folder / "bench.edge.yaml", folder / "bindings.yaml"
        file.write_text(json.dumps(spec(routes, **options)))
        where = {"location": "westeurope"} if topology.startswith("azure/") else {"region": "eu-west-1"}
        bound.write_text(json.dumps({**where, **bindings}))
        command = [sys.executable, "-m", "edgewright.cli", "plan", str(file), "--topology", topology]
        command += ["--bindings", str(bound), "--policy-config", str(rules), "--json"]
        note = _where(command)  # first: a run before those that count keeps the code that Python compiles
        found.append(replace(_measure(what, command, runs), note=note))
    for routes in (300, 1000):
        what = f"beside it: a plain program with a resource a route, {routes}"
        say(what)
        found.append(_measure(what, [sys.executable, "-c", _PLAIN, str(routes)], runs))
    return found


def _measure(what: str, command: list[str], runs: int) -> Time:
    seconds: list[float] = []
    memory = 0
    for _ in range(runs):
        used, peak = _run(command)
        seconds.append(used)
        memory = max(memory, peak)
    return Time(what, tuple(seconds), memory)


def _where(command: list[str]) -> str:
    """Where the CPU time of a plan goes, of one more run: ``edgewright plan --timings``."""
    done = subprocess.run([*command, "--timings"], check=True, capture_output=True, text=True, env=_environment())
    lines = (line.partition("  ") for line in done.stderr.splitlines() if line.endswith(" s of CPU"))
    told = {what.partition(" (")[0]: figure.split()[0] for what, _, figure in lines}
    return ", ".join(f"{what} {figure}" for what, figure in told.items() if what != "in all")


def _environment() -> dict[str, str]:
    """Ours, where Python keeps the code that it compiles, as wherever a package is installed: without it each run
    would compile all of edgewright once more."""
    return {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}


def _run(command: list[str]) -> tuple[float, int]:
    """CPU seconds and the peak memory in bytes of a whole process; CalledProcessError when it fails."""
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, env=_environment())
    errors = process.stderr.read() if process.stderr else b""
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        raise subprocess.CalledProcessError(os.waitstatus_to_exitcode(status), command, stderr=errors)
    return usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024
