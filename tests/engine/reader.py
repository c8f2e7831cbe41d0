"""Stands in for programs that a reader of docs/azure-aks.md runs: az, kubectl, kubelogin, curl, python3 and pip.

Each takes only what the real one would: commands and parameters by tables of facts (tests/data), names of Azure only if
they were made before, objects of Kubernetes only if the engine has placed them; requests are answered as the spec says.
Started as ``reader.py PROGRAM ARGUMENTS`` in the project's folder; $READER_MEMORY is a folder for what was said before.
"""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
import tomllib
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from http.server import ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from uuid import NAMESPACE_URL, uuid5

import jmespath
import yaml

from edgewright.edge.decide import Decision, Identity, Oracle, Request
from edgewright.edge.model import ApiKeyAuthorizer, Edge, Respond
from edgewright.edge.resolve import resolve
from edgewright.spec.document import load

DATA = Path(__file__).resolve().parents[1] / "data"
STACK = "azure-aks"
PATIENCE = 60
"""Seconds that curl waits for what is forwarded: a busy machine takes long to start a process."""
GLOBAL = ("--output -o", "--query", "--subscription", "--only-show-errors", "--verbose", "--debug")
"""Parameters that every command of az takes."""


class Wrong(Exception):
    """What the real program would refuse, or what is not there."""


# -- what was said before, and what the engine has placed --------------------------------------------------------------


def memory(name: str) -> Path:
    return Path(os.environ["READER_MEMORY"]) / name


def remembered(name: str) -> Any:
    file = memory(name)
    return json.loads(file.read_text()) if file.is_file() else {}


def remember(name: str, found: Any) -> None:
    memory(name).write_text(json.dumps(found))


def resources() -> list[dict[str, Any]]:
    """What the state of the stack names now: type, inputs and outputs."""
    file = Path(f".edgewright/pulumi-state/.pulumi/stacks/edgewright/{STACK}.json")
    if not file.is_file():
        return []
    return list((json.loads(file.read_text())["checkpoint"].get("latest") or {}).get("resources") or [])


def of_type(ending: str) -> list[dict[str, Any]]:
    return [item for item in resources() if item["type"].endswith(f":{ending}")]


def texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for item in value.values():
            yield from texts(item)
    elif isinstance(value, list):
        for item in value:
            yield from texts(item)


def options(arguments: Sequence[str], takes: Sequence[str], flags: Sequence[str] | None) -> tuple[Any, list[str]]:
    """Parameters by their long names, and the rest. flags: those without a value; None: those that no value follows."""
    names = {alias: entry.split()[0].lstrip("-") for entry in [*takes, *(flags or ())] for alias in entry.split()}
    without = {entry.split()[0].lstrip("-") for entry in flags or ()}
    found: dict[str, str] = {}
    rest: list[str] = []
    waiting = list(arguments)
    while waiting:
        word, _, value = waiting.pop(0).partition("=")
        if not word.startswith("-"):
            rest.append(f"{word}={value}" if value else word)
            continue
        if word not in names:
            raise Wrong(f"there is no parameter {word}")
        bare = names[word] in without or (flags is None and (not waiting or waiting[0].startswith("--")))
        if not (value or bare) and not waiting:
            raise Wrong(f"{word} needs a value")
        found[names[word]] = value or ("" if bare else waiting.pop(0))
        if not bare and not found[names[word]]:
            raise Wrong(f"{word} is empty")
    return found, rest


# -- az ----------------------------------------------------------------------------------------------------------------


def az(arguments: list[str]) -> str:
    table: dict[str, dict[str, Any]] = yaml.safe_load((DATA / "azure-cli.yaml").read_text())
    words = next((at for at, word in enumerate(arguments) if word.startswith("-")), len(arguments))
    command = " ".join(arguments[:words])
    if command not in table:
        raise Wrong(f"there is no command `{command}`")
    entry = table[command]
    given, rest = options(arguments[words:], [*GLOBAL, *entry["takes"]], None)
    if rest:
        raise Wrong(f"{rest[0]} belongs to no parameter")
    _check(entry, given)
    answer = SPECIAL.get(command, _told)(entry, given)
    _learn([answer, {key: value for key, value in given.items() if command.endswith("create")}])
    return _shown(answer, given)


def _check(entry: Mapping[str, Any], given: Mapping[str, str]) -> None:
    for name in entry.get("needs", ()):
        if not given.get(name):
            raise Wrong(f"--{name} is needed")
    for name, allowed in entry.get("values", {}).items():
        if name in given and given[name] not in allowed:
            raise Wrong(f"--{name} may be one of {', '.join(allowed)}, not {given[name]}")
    known = {*remembered("az.json").get("known", ()), *texts(resources())}
    for name in entry.get("known", ()):
        if name in given and given[name] not in known:
            raise Wrong(f"--{name} is {given[name]!r}, which nothing has said or made before")


def _learn(said: Any) -> None:
    before = remembered("az.json").get("known", [])
    remember("az.json", {"known": sorted({*before, *texts(said), *texts(resources())})})


def _told(entry: Mapping[str, Any], given: Mapping[str, str]) -> Any:
    """The answer of the table, with what was given in it."""
    values = {"subscription": remembered("account.json") or "", **given}

    def filled(value: Any) -> Any:
        if isinstance(value, Mapping):
            return {key: filled(item) for key, item in value.items()}
        if isinstance(value, list):
            return [filled(item) for item in value]
        if not isinstance(value, str):
            return value
        return re.sub(r"\{([a-z:-]+)\}", lambda found: filling(found[1], values), value)

    return filled(entry.get("answer"))


def filling(mark: str, values: Mapping[str, str]) -> str:
    """What stands for a mark of the table: something that was given, or an id made from its name."""
    kind, _, name = mark.partition(":")
    return str(uuid5(NAMESPACE_URL, f"{name} of the reader")) if kind == "guid" else values[mark]


def _shown(answer: Any, given: Mapping[str, str]) -> str:
    if "query" in given:
        answer = jmespath.search(given["query"], answer)
        if answer in (None, []):
            raise Wrong(f"--query {given['query']} finds nothing")
    if given.get("output") == "none" or answer is None:
        return ""
    if given.get("output") == "tsv":
        return "\n".join(str(one) for one in (answer if isinstance(answer, list) else [answer]))
    return json.dumps(answer, indent=2)


def _set_account(entry: Mapping[str, Any], given: Mapping[str, str]) -> Any:
    remember("account.json", given["name"])
    return None


def _make_certificate(entry: Mapping[str, Any], given: Mapping[str, str]) -> Any:
    policy = json.loads(Path(given["policy"].removeprefix("@")).read_text())
    if policy["secretProperties"]["contentType"] != "application/x-pkcs12" or not policy["keyProperties"]["exportable"]:
        raise Wrong("API Management takes a certificate as PKCS #12, with its key")
    subject = policy["x509CertificateProperties"]
    names = ",".join(f"DNS:{name}" for name in subject["subjectAlternativeNames"]["dnsNames"])
    made = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-subj", f"/{subject['subject']}"]
    made += ["-addext", f"subjectAltName={names}", "-keyout", "/dev/null", "-out", str(memory("certificate.pem"))]
    subprocess.run(made, check=True, capture_output=True)
    return {}


def _download_certificate(entry: Mapping[str, Any], given: Mapping[str, str]) -> Any:
    shutil.copy(memory("certificate.pem"), given["file"])
    return None


def _credentials(entry: Mapping[str, Any], given: Mapping[str, str]) -> Any:
    if given["name"] not in {item["outputs"]["name"] for item in of_type("ManagedCluster")}:
        raise Wrong(f"there is no cluster {given['name']}")
    Path(given["file"]).write_text(json.dumps({"kind": "Config", "login": "devicecode"}))
    shutil.copy(f".edgewright/pulumi-state/.pulumi/stacks/edgewright/{STACK}.json", memory("state.json"))
    return None


def _rest(entry: Mapping[str, Any], given: Mapping[str, str]) -> Any:
    """A list of what a gateway has: by the schema's resource types and version, of what is in the state."""
    asked = urlsplit(given["url"] if "url" in given else given["uri"])
    pattern = r"/subscriptions/[^/]+/resourceGroups/([^/]+)/providers/(Microsoft\.ApiManagement/service)/([^/]+)/(\w+)/([^/]+)/(\w+)"
    found = re.fullmatch(pattern, asked.path)
    if found is None:
        raise Wrong(f"{asked.path} is no list of a part of API Management")
    group, service, name, kind, part, items = found.groups()
    schema = json.loads((DATA / "arm" / "Microsoft.ApiManagement.json").read_text())
    if f"{service}/{kind}/{items}" not in {one.get("description") for one in schema["resourceDefinitions"].values()}:
        raise Wrong(f"there is no {service}/{kind}/{items}")
    if asked.query != f"api-version={schema['id'].split('/')[-2]}":
        raise Wrong(f"{asked.query} is not the version of the schema, {schema['id']}")
    typed = {"hostnameConfigurations": "GatewayHostnameConfiguration", "apis": "GatewayApiEntityTag"}[items]
    inputs = [item["inputs"] for item in of_type(typed)]
    inputs = [
        one for one in inputs if (one["serviceName"], one["gatewayId"], one["resourceGroupName"]) == (name, part, group)
    ]
    return {"value": [{"name": one.get("hcId") or one.get("apiId"), "properties": one} for one in inputs]}


def _purge(entry: Mapping[str, Any], given: Mapping[str, str]) -> Any:
    if any(given["service-name"] == item["outputs"].get("name") for item in of_type("ApiManagementService")):
        raise Wrong("it is not deleted yet")
    return None


SPECIAL: Mapping[str, Callable[[Mapping[str, Any], Mapping[str, str]], Any]] = {
    "account set": _set_account,
    "keyvault certificate create": _make_certificate,
    "keyvault certificate download": _download_certificate,
    "aks get-credentials": _credentials,
    "rest": _rest,
    "apim deletedservice purge": _purge,
}
"""Commands that do more than answer."""


# -- kubectl and kubelogin ---------------------------------------------------------------------------------------------

KINDS = {
    "deployments": "Deployment",
    "deployment": "Deployment",
    "services": "Service",
    "service": "Service",
    "serviceaccount": "ServiceAccount",
    "pods": "Deployment",
    "events": "Deployment",
}
"""Kinds by what kubectl calls them; pods and events are those of Deployments."""


def kubelogin(arguments: list[str]) -> str:
    if arguments[:1] != ["convert-kubeconfig"]:
        raise Wrong(f"there is no command {arguments[:1]}")
    given, rest = options(arguments[1:], ["--login -l", "--context", "--kubeconfig"], [])
    if rest or given.get("login") not in ("azurecli", "devicecode", "interactive", "msi", "spn", "workloadidentity"):
        raise Wrong(f"no way to log in: {arguments}")
    file = Path(os.environ["KUBECONFIG"])
    file.write_text(json.dumps({**json.loads(file.read_text()), "login": given["login"]}))
    return ""


def kubectl(arguments: list[str]) -> str:
    config = json.loads(Path(os.environ["KUBECONFIG"]).read_text())
    if config["login"] != "azurecli":
        raise Wrong("it would ask for a code in a browser")
    table: dict[str, dict[str, Any]] = yaml.safe_load((DATA / "kubectl.yaml").read_text())
    words = 2 if " ".join(arguments[:2]) in table else 1
    verb = " ".join(arguments[:words])
    if verb not in table:
        raise Wrong(f"there is no verb {verb}")
    given, rest = options(arguments[words:], table[verb]["takes"], table[verb]["flags"])
    if not rest:
        raise Wrong("of what?")
    if rest[0] == "nodes" and verb == "get":
        return "node/system\nnode/user"
    found = [one for what in rest[0].split(",") for one in _objects(what, given)]
    if verb in ("logs", "rollout status", "port-forward") and "/" not in rest[0]:
        raise Wrong(f"{verb} is of one, such as deployment/NAME")
    if verb == "port-forward":
        return _forward(found[0], rest[1])
    return "\n".join(f"{one['kind']}/{one['metadata']['name']}" for one in found)


def _objects(what: str, given: Mapping[str, str]) -> list[dict[str, Any]]:
    """What the engine has placed, of a kind, in a namespace."""
    kind, _, name = what.partition("/")
    if kind not in KINDS:
        raise Wrong(f"there is no kind {kind}")
    space = given.get("namespace", "default")
    placed = [item["inputs"] for item in resources() if item["type"].startswith("kubernetes:")]
    if space not in {one["metadata"]["name"] for one in placed if one["kind"] == "Namespace"}:
        raise Wrong(f"there is no namespace {space}")
    found = [one for one in placed if one["kind"] == KINDS[kind] and one["metadata"].get("namespace") == space]
    if name:
        found = [one for one in found if one["metadata"]["name"] == name]
    if "selector" in given:
        label, _, value = given["selector"].partition("=")
        found = [one for one in found if one["spec"]["template"]["metadata"]["labels"].get(label) == value]
    if not found:
        raise Wrong(f"there is no {what} in {space} like {given}")
    return found


def _forward(deployment: Mapping[str, Any], ports: str) -> str:
    """Until it is stopped: curl finds what is forwarded where."""
    local, _, remote = ports.partition(":")
    container = deployment["spec"]["template"]["spec"]["containers"][0]
    if int(remote) not in {item["containerPort"] for item in container["ports"]}:
        raise Wrong(f"nothing listens on {remote}")
    signal.signal(signal.SIGTERM, _stop)
    remember("forward.json", {"local": int(local), "path": container["readinessProbe"]["httpGet"]["path"]})
    time.sleep(2 * PATIENCE)
    return ""


def _stop(_number: int, _frame: object) -> None:
    os._exit(0)


# -- curl --------------------------------------------------------------------------------------------------------------

_CURL = ("--cacert", "--resolve", "--output -o", "--write-out -w", "--header -H", "--retry")
_CURL_FLAGS = ("--silent -s", "--no-progress-meter", "--parallel -Z", "--parallel-immediate", "--retry-connrefused")


def curl(arguments: list[str]) -> str:
    given, rest = options(arguments, _CURL, _CURL_FLAGS)
    (url,) = rest
    count = 1
    several = re.search(r"\[1-(\d+)\]", url)
    if several:
        if "parallel" not in given:
            raise Wrong("one after the other is not at once")
        count, url = int(several[1]), url.replace(several[0], "1")
    asked = urlsplit(url)
    host = asked.hostname or ""
    if host == "localhost":
        found = [(_status(asked.port or 80, asked.path), "")]
    elif host.endswith(".azure-api.net"):
        found = [(_way_round(host.partition(".")[0]), "")]
    else:
        found = _ask(given, host, asked.path + (f"?{asked.query}" if asked.query else ""), count)
    if "write-out" in given:
        if given.get("output") != "/dev/null" or given["write-out"] != "%{http_code}\\n":
            raise Wrong("only the status is written")
        return "\n".join(str(status) for status, _ in found)
    return "\n".join(body for _, body in found)


def _status(port: int, path: str) -> int:
    limit = time.monotonic() + PATIENCE
    while not (found := remembered("forward.json")):
        if time.monotonic() > limit:
            raise Wrong("nothing is forwarded")
        time.sleep(0.1)
    if found != {"local": port, "path": path}:
        raise Wrong(f"the gateway's probe asks {found}")
    return 200


def _way_round(service: str) -> int:
    """What the service's own gateway answers: by the beginning of the policy that was placed."""
    (policy,) = [item["inputs"] for item in of_type("ApiPolicy")]
    first = re.search(
        r"<inbound>\s*<choose>\s*<when condition=\"@\((.*?)\)\">.*?<set-status code=\"(\d+)\"",
        policy["value"],
        re.DOTALL,
    )
    if policy["serviceName"] != service or first is None or first[1] != "context.Deployment.Gateway.IsManaged":
        raise Wrong(f"{service} lets requests in")
    return int(first[2])


def _ask(given: Mapping[str, str], host: str, target: str, count: int) -> list[tuple[int, str]]:
    (address,) = {
        item["outputs"]["ipAddress"] for item in of_type("PublicIPAddress") if item["urn"].endswith("-address")
    }
    if given.get("resolve") != f"{host}:443:{address}":
        raise Wrong(f"{host} is at {address}, not where {given.get('resolve')} says")
    named = subprocess.run(
        ["openssl", "x509", "-in", given["cacert"], "-noout", "-ext", "subjectAltName"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    if f"DNS:{host}" not in named:
        raise Wrong(f"the certificate is for {named}")
    edge = resolve(load(Path("stacks/hello.edge.yaml")))
    (name, _, value) = given.get("header", "").partition(": ")
    headers = {name.lower(): value} if name else {}
    decision = Oracle(edge).decide(
        Request("GET", target, host=host, headers=headers, identities=_identities(edge, headers))
    )
    if decision.route is None:
        return [(decision.status or 0, "")]
    route = edge.route(decision.route)
    (api,) = [item["inputs"] for item in of_type("Api") if item["type"].startswith("azure-native")]
    if f'"{urlsplit(target).path}"' not in api["value"]:
        raise Wrong(f"{decision.route} is in the spec, and was not brought up")
    burst = route.throttle.burst if route.throttle is not None and decision.throttle is not None else count
    answer = (decision.status or 200, _body(edge, decision))
    return [answer if at < burst else (429, "") for at in range(count)]


def _identities(edge: Edge, headers: Mapping[str, str]) -> dict[str, Identity]:
    """Who a key is of, by the keys that the stack exports."""
    found: dict[str, Identity] = {}
    for authorizer in edge.authorizers.values():
        if not isinstance(authorizer, ApiKeyAuthorizer) or authorizer.source.name not in headers:
            continue
        asked = ["pulumi", "stack", "output", "keys", "--show-secrets", "--json", "--stack", STACK]
        keys = json.loads(subprocess.run(asked, capture_output=True, text=True, check=True).stdout)
        for client in authorizer.clients:
            if keys[f"{authorizer.name}:{client}"] == headers[authorizer.source.name]:
                found[authorizer.name] = Identity(client=client)
    return found


def _body(edge: Edge, decision: Decision) -> str:
    """The route's own answer, or that of the sample service whose script was placed."""
    action = edge.route(decision.route or "").action
    if isinstance(action, Respond):
        return action.body
    if decision.status is not None:
        return ""
    backend = decision.targets[0][0]
    if backend not in {item["inputs"]["metadata"]["name"] for item in of_type("Service")}:
        raise Wrong(f"there is no Service {backend}")
    (script,) = [
        item["inputs"]["data"]["echo.py"] for item in of_type("ConfigMap") if "echo.py" in item["inputs"]["data"]
    ]
    os.environ["SERVICE"] = backend
    module: dict[str, Any] = {"__name__": "echo"}
    exec(script, module)
    server = ThreadingHTTPServer(("127.0.0.1", 0), module["Echo"])
    threading.Thread(target=server.serve_forever, daemon=True).start()
    with urllib.request.urlopen(f"http://127.0.0.1:{server.server_port}{decision.path}", timeout=10) as answer:
        return str(answer.read().decode()).strip()


# -- python3 and pip ---------------------------------------------------------------------------------------------------


def python3(arguments: list[str]) -> str:
    if arguments != ["-m", "venv", ".venv"]:
        raise Wrong(f"only `-m venv .venv`, not {arguments}")
    Path(".venv/bin").mkdir(parents=True)
    Path(".venv/bin/activate").write_text("")
    return ""


def pip(arguments: list[str]) -> str:
    command, *rest = arguments
    given, more = options(rest, ["--requirement -r", "--editable -e"], [])
    extras = re.fullmatch(r"\.\[(.*)\]", given["editable"])
    if command != "install" or more or extras is None or not Path(given["requirement"]).is_file():
        raise Wrong(f"{arguments} installs nothing of this repository")
    there = tomllib.loads(Path("pyproject.toml").read_text())["project"]["optional-dependencies"]
    if not set(extras[1].split(",")) <= set(there):
        raise Wrong(f"there are the extras {', '.join(there)}")
    return ""


PROGRAMS: Mapping[str, Callable[[list[str]], str]] = {
    "az": az,
    "kubectl": kubectl,
    "kubelogin": kubelogin,
    "curl": curl,
    "python3": python3,
    "pip": pip,
}


def main(arguments: Sequence[str]) -> int:
    """Do what the program would; 2 for what it would refuse."""
    program, *rest = arguments
    try:
        said = PROGRAMS[program](rest)
    except Wrong as wrong:
        print(f"{program} {' '.join(rest)}: {wrong}", file=sys.stderr)
        return 2
    if said:
        print(said)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
