"""Reads the first server of an OpenAPI document: the listener's host, port and protocol, and the path before routes."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import cast
from urllib.parse import urlsplit

from edgewright.spec.openapi_reader import Node, Reader, mapping
from edgewright.spec.problems import Path
from edgewright.spec.shown import shown

_PROTOCOLS = {"https": "https", "http": "http", "wss": "https", "ws": "http"}
_PORTS = {"https": 443, "http": 80}
_LONGEST = 2_000


@dataclass(frozen=True, slots=True)
class Server:
    """What a server says; a listener without fields where its URL is relative, a prefix without a slash at its end."""

    listener: dict[str, object] = field(default_factory=dict[str, object])
    prefix: str = ""


def server(reader: Reader) -> Server:
    """The document's first server; others are warned of."""
    servers = reader.root.get("servers")
    if servers is None:
        return Server()
    path: Path = ("servers",)
    if not isinstance(servers, list | tuple):
        reader.error(
            path, f"expected a list, got {shown(servers)}", "write `servers: [{url: https://api.shop.example}]`"
        )
        return Server()
    items = cast("list[object]", servers)
    if len(items) > 1:
        reader.warn((*path, 1), "only the first server is used", "write `listeners` in `x-edge` for more")
    if not items:
        return Server()
    first = items[0]
    if not isinstance(first, Mapping) or not isinstance(cast("Mapping[str, object]", first).get("url"), str):
        reader.error((*path, 0), "the server has no `url`", "write `url: https://api.shop.example/v1`")
        return Server()
    node = Node(cast("Mapping[str, object]", first), (*path, 0))
    if len(str(node.get("url"))) > _LONGEST:
        reader.error((*node.path, "url"), f"it is longer than {_LONGEST} characters", "write a shorter one")
        return Server()
    return _parsed(_filled(node, reader), (*node.path, "url"), reader)


def _filled(node: Node, reader: Reader) -> str:
    """The URL with its variables' defaults."""
    variables = node.get("variables")
    known = mapping(variables)

    def value(match: re.Match[str]) -> str:
        default = mapping(known.get(match[1])).get("default")
        if isinstance(default, str):
            return default
        what = f"the server's variable `{match[1][:40]}` has no default"
        reader.error((*node.path, "url"), what, "give it one under `variables`, as a text")
        return ""

    return re.sub(r"\{([^{}]*)\}", value, str(node.get("url")))


def _parsed(url: str, path: Path, reader: Reader) -> Server:
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        reader.error(path, f"{shown(url)} is not a URL", "write it like `https://api.shop.example/v1`")
        return Server()
    if parts.query or parts.fragment:
        reader.error(path, "a server's URL has no query and no fragment", "leave it out")
    if parts.username is not None:
        reader.error(path, "a server's URL has no user and no password", "leave them out, and use `security`")
    prefix = parts.path.rstrip("/")
    if prefix and not prefix.startswith("/"):
        prefix = f"/{prefix}"
    if not parts.scheme and not host:
        return Server(prefix=prefix)
    protocol = _PROTOCOLS.get(parts.scheme)
    if protocol is None or not host:
        reader.error(path, f"{shown(url)} is not the URL of a server", "write it like `https://api.shop.example/v1`")
        return Server(prefix=prefix)
    listener: dict[str, object] = {"host": host, "protocol": protocol}
    if port is not None and port != _PORTS[protocol]:
        listener["port"] = port
    return Server(listener, prefix)
