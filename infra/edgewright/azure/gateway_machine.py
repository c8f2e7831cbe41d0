"""Cloud-init of a machine that runs the self-hosted gateway of API Management in Docker; no Pulumi import."""

import json
import re
import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

import yaml

HTTP_PORT = 8080
HTTPS_PORT = 8081
STATUS_PATH = "/status-0123456789abcdef"
"""Answers 200 on both ports. That is no proof of health: it was seen with an expired token and under overload."""

IMAGE = "mcr.microsoft.com/azure-api-management/gateway"
USER = 1001
"""User and group of the container, by number."""

_ETC = "/etc/apim-gateway"
_RUN = "/run/apim-gateway"
_BACKUP = "/var/lib/apim-gateway/config"
_FETCH = "/usr/local/sbin/apim-gateway-certificate"
_CERTIFICATE = f"{_RUN}/certificate.pem"

_UUID = r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"
_LABEL = r"[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?"

# A mark of `with_values`, or a plan's token for what only the cloud knows; neither can break a line.
_LATER = re.compile(r"\{\{[a-z_]+\}\}|\$\{[A-Za-z0-9_.:-]+ [A-Za-z0-9_.-]+\}")


@dataclass(frozen=True, slots=True)
class MachineSettings:
    """What a gateway machine needs to know; none of it is secret. Each but ``image_tag`` may be a mark ``{{name}}``.

    gateway_name: its id in API Management; service_name: the API Management service; tenant_id, client_id: of the Entra
    app that may read the gateway's configuration; vault_name, secret_name: where the app's certificate is kept;
    identity_client_id: of the machine's managed identity, which may read it; image_tag: a full version such as 2.13.0;
    neighborhood_host: a name that resolves to all gateways, so that they share their counters; default: none.
    """

    gateway_name: str
    service_name: str
    tenant_id: str
    client_id: str
    vault_name: str
    secret_name: str
    identity_client_id: str
    image_tag: str
    neighborhood_host: str = ""


RULES: Mapping[str, tuple[str, str]] = {
    "gateway_name": (r"[A-Za-z0-9]([A-Za-z0-9-]{0,78}[A-Za-z0-9])?", "1 to 80 letters, digits and hyphens"),
    "service_name": (r"[A-Za-z]([A-Za-z0-9-]{0,48}[A-Za-z0-9])?", "the name of an API Management service"),
    "tenant_id": (_UUID, "a UUID"),
    "client_id": (_UUID, "a UUID"),
    "vault_name": (r"[A-Za-z](?!.*--)[A-Za-z0-9-]{1,22}[A-Za-z0-9]", "the name of a key vault"),
    "secret_name": (r"[A-Za-z0-9-]{1,127}", "1 to 127 letters, digits and hyphens"),
    "identity_client_id": (_UUID, "a UUID"),
    "image_tag": (r"[0-9]+\.[0-9]+\.[0-9]+(-[a-z0-9.]+)?", "a full version such as 2.13.0, which never moves"),
    "neighborhood_host": (rf"(?=.{{0,253}}\Z)({_LABEL}(\.{_LABEL})*)?", "a host name"),
}
"""By field: what it must match as a whole, and how to say so."""


class MachineError(ValueError):
    """Settings of a machine that cannot be used; its text says all that is wrong."""


def mark(name: str) -> str:
    """The text that stands for a value that `with_values` brings later."""
    return f"{{{{{name}}}}}"


def with_values(settings: MachineSettings, values: Mapping[str, str]) -> MachineSettings:
    """The settings with their marks replaced; the values are checked when they are used (`cloud_init`).

    Raises KeyError for a mark that has no value.
    """
    given: dict[str, str] = asdict(settings)
    marks = {key: text[2:-2] for key, text in given.items() if re.fullmatch(r"\{\{[a-z_]+\}\}", text)}
    return replace(settings, **{key: values[name] for key, name in marks.items()})


def problems(settings: MachineSettings) -> list[str]:
    """What is wrong with settings; marks are taken as right."""
    given: dict[str, str] = asdict(settings)
    return [
        f"{key} is {given[key]!r}; it must be {words}" for key, (_, words) in RULES.items() if not fits(key, given[key])
    ]


def cloud_init(settings: MachineSettings) -> str:
    """The ``#cloud-config`` of a machine, less than 16 KiB, without secrets.

    Ubuntu or Debian, with a way out to their packages, the container's registry, the vault and API Management.
    Raises MachineError when a setting is not as `RULES` say.
    """
    wrong = problems(settings)
    if wrong:
        raise MachineError("; ".join(wrong))
    # No line is wrapped: where, would follow from the length of values that only the cloud knows.
    return "#cloud-config\n" + yaml.safe_dump(_document(settings), sort_keys=False, width=sys.maxsize)


def fits(key: str, value: str) -> bool:
    """Whether a value is as `RULES` say, or is only known later."""
    later = key != "image_tag" and _LATER.fullmatch(value) is not None
    return later or re.fullmatch(RULES[key][0], value) is not None


def _document(settings: MachineSettings) -> dict[str, Any]:
    return {
        "package_update": True,
        "packages": ["docker.io"],
        "write_files": [
            _file(f"{_ETC}/gateway.env", _environment(settings)),
            _file(f"{_ETC}/certificate.json", json.dumps(_vault(settings), indent=2) + "\n"),
            _file(_FETCH, FETCH_CERTIFICATE, "0755"),
            _file("/etc/systemd/system/apim-gateway.service", _gateway_unit(settings.image_tag)),
            _file("/etc/systemd/system/apim-gateway-certificate.service", _REFRESH_UNIT),
            _file("/etc/systemd/system/apim-gateway-certificate.timer", _TIMER),
        ],
        "runcmd": [
            ["systemctl", "daemon-reload"],
            ["systemctl", "enable", "--now", "apim-gateway.service", "apim-gateway-certificate.timer"],
        ],
    }


def _file(path: str, content: str, permissions: str = "0644") -> dict[str, str]:
    return {"path": path, "owner": "root:root", "permissions": permissions, "content": content}


def _environment(settings: MachineSettings) -> str:
    """In the format of ``docker --env-file``: one ``name=value`` a line, without quotes.

    Not a systemd EnvironmentFile, whose names may have no dots.
    """
    values = {
        "gateway.name": settings.gateway_name,
        "config.service.endpoint": f"{settings.service_name}.configuration.azure-api.net",
        "config.service.auth": "azureAdApp",
        "config.service.auth.azureAd.tenantId": settings.tenant_id,
        "config.service.auth.azureAd.clientId": settings.client_id,
        "config.service.auth.azureAd.certificatePath": _CERTIFICATE,
        "neighborhood.host": settings.neighborhood_host,
    }
    return "".join(f"{name}={value}\n" for name, value in values.items() if value)


def _vault(settings: MachineSettings) -> dict[str, Any]:
    return {
        "vault": settings.vault_name,
        "secret": settings.secret_name,
        "identity": settings.identity_client_id,
        "path": _CERTIFICATE,
        "owner": USER,
    }


def _gateway_unit(tag: str) -> str:
    """The certificate is fetched by ExecStartPre and not by a required unit: systemd does not try those again.

    The root file system is writable, since the gateway does not support another. Host networking: gateways find each
    other by the machines' own addresses (UDP 4290 and 4291). The tag was matched against `RULES`.
    """
    run = [
        "/usr/bin/docker run --rm --name apim-gateway",
        "--network host",
        f"--env-file {_ETC}/gateway.env",
        f"--user {USER}:{USER}",
        "--cap-drop ALL",
        "--security-opt no-new-privileges",
        "--log-driver journald",
        f"--volume {_RUN}:{_RUN}:ro",
        f"--volume {_BACKUP}:/apim/config",
        f"{IMAGE}:{tag}",
    ]
    return "\n".join(
        [
            "[Unit]",
            "Description=Self-hosted gateway of API Management",
            "Requires=docker.service",
            "After=docker.service network-online.target",
            "Wants=network-online.target",
            "StartLimitIntervalSec=0",
            "",
            "[Service]",
            f"ExecStartPre=/usr/bin/install -d -o {USER} -g {USER} -m 0700 {_BACKUP}",
            f"ExecStartPre={_FETCH}",
            "ExecStartPre=-/usr/bin/docker rm --force apim-gateway",
            f"ExecStart={' '.join(run)}",
            "ExecStop=/usr/bin/docker stop -t 60 apim-gateway",
            "TimeoutStartSec=300",
            "TimeoutStopSec=75",
            "Restart=always",
            "RestartSec=10",
            "",
            "[Install]",
            "WantedBy=multi-user.target",
            "",
        ]
    )


_REFRESH_UNIT = f"""\
[Unit]
Description=Renews the certificate of the self-hosted gateway
After=network-online.target
Wants=network-online.target

[Service]
Type=oneshot
ExecStart={_FETCH} --refresh
"""

# Spread over hours: the gateways of a scale set must not restart together.
_TIMER = """\
[Unit]
Description=Renews the certificate of the self-hosted gateway daily

[Timer]
OnCalendar=daily
RandomizedDelaySec=6h
Persistent=true

[Install]
WantedBy=timers.target
"""

FETCH_CERTIFICATE = '''\
#!/usr/bin/python3
"""Gets the certificate of the gateway's Entra app from Key Vault, by the managed identity of this machine.

Without arguments (before the gateway starts) an older certificate will do when a new one cannot be had. With --refresh
every failure counts, and a gateway that runs is started anew when the certificate changed.
"""
import base64
import json
import os
import subprocess
import sys
import urllib.parse
import urllib.request

SETTINGS = "/etc/apim-gateway/certificate.json"
METADATA = "http://169.254.169.254/metadata/identity/oauth2/token?"


def get(address, headers):
    """What an address answers; never through a proxy, which the metadata service does not serve."""
    direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with direct.open(urllib.request.Request(address, headers=headers), timeout=10) as answer:
        return json.load(answer)


def fetch(settings):
    """The bytes of the file.

    Unverified: which formats the gateway reads. Key Vault keeps a certificate with its key as PEM or as PKCS#12 without
    password, in base64; both are written as they are. PEM is the likelier to work.
    """
    query = {
        "api-version": "2018-02-01",
        "resource": "https://vault.azure.net",
        "client_id": settings["identity"],
    }
    token = get(METADATA + urllib.parse.urlencode(query), {"Metadata": "true"})["access_token"]
    address = "https://{vault}.vault.azure.net/secrets/{secret}?api-version=7.4".format(**settings)
    found = get(address, {"Authorization": "Bearer " + token})
    if found.get("contentType") == "application/x-pkcs12":
        return base64.b64decode(found["value"])
    return found["value"].encode()


def write(path, content, owner):
    """Whether the file changed. It is replaced at once, and is never readable to others."""
    folder = os.path.dirname(path)
    os.makedirs(folder, mode=0o700, exist_ok=True)
    os.chown(folder, owner, owner)
    if os.path.exists(path):
        with open(path, "rb") as file:
            if file.read() == content:
                return False
    new = path + ".new"
    if os.path.exists(new):
        os.remove(new)
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        os.fchown(file.fileno(), owner, owner)
        file.write(content)
    os.replace(new, path)
    return True


def main(arguments):
    """0, or 1 when there is no certificate that can be used."""
    refresh = "--refresh" in arguments
    with open(SETTINGS) as file:
        settings = json.load(file)
    try:
        changed = write(settings["path"], fetch(settings), settings["owner"])
    except (OSError, KeyError, ValueError) as error:
        print("the certificate could not be fetched:", error, file=sys.stderr)
        return 1 if refresh or not os.path.exists(settings["path"]) else 0
    if refresh and changed:
        subprocess.run(["systemctl", "try-restart", "--no-block", "apim-gateway.service"], check=True)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
'''
"""The script that fetches the certificate; what it needs to know is in a JSON file beside it."""
