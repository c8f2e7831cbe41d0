"""Pieces of Envoy configuration that recur: typed extensions, addresses, matchers, durations."""

import re
from typing import Any

Json = dict[str, Any]

_TYPE = "type.googleapis.com/envoy."


def typed(name: str, **fields: Any) -> Json:
    """A message of Envoy's API by its name below ``envoy.``, with its type URL."""
    return {"@type": _TYPE + name, **fields}


def extension(name: str, message: str, **fields: Any) -> Json:
    """An extension: a name of ours, and its configuration."""
    return {"name": name, "typed_config": typed(message, **fields)}


def on_route(message: str, **fields: Any) -> Json:
    """A route's configuration of a filter that is switched off elsewhere: being there switches it on."""
    return typed("config.route.v3.FilterConfig", config=typed(message, **fields))


ON: Json = typed("config.route.v3.FilterConfig", config={})
"""Switches a filter on for a route, with the settings that it has."""


def seconds(milliseconds: int) -> str:
    """A protobuf duration: 1500 is ``1.5s``."""
    return f"{milliseconds / 1000:.3f}".rstrip("0").rstrip(".") + "s"


def pipe(path: str) -> Json:
    """A unix socket that only its owner may use."""
    return {"pipe": {"path": path, "mode": 0o600}}


def socket(address: str, port: int) -> Json:
    """A TCP address."""
    return {"socket_address": {"address": address, "port_value": port}}


def exact(text: str) -> Json:
    """A string match for this very text."""
    return {"exact": text}


def regex(pattern: str) -> Json:
    """A string match by RE2, for the whole text."""
    return {"safe_regex": {"regex": pattern}}


def header_is(name: str, match: Json) -> Json:
    """A header match."""
    return {"name": name, "string_match": match}


def set_header(name: str, value: str) -> Json:
    """A header mutation that overwrites; ``value`` may use Envoy's formatters."""
    return {"append": {"header": {"key": name, "value": value}, "append_action": "OVERWRITE_IF_EXISTS_OR_ADD"}}


def default_header(name: str, value: str) -> Json:
    """A header mutation that does nothing if the header is there, or if ``value`` comes out empty."""
    return {"append": {"header": {"key": name, "value": value}, "append_action": "ADD_IF_ABSENT"}}


def add_header(name: str, value: str) -> Json:
    """A header mutation that appends."""
    return {"append": {"header": {"key": name, "value": value}, "append_action": "APPEND_IF_EXISTS_OR_ADD"}}


def header_option(name: str, value: str) -> Json:
    """A header of ``*_headers_to_add`` that overwrites."""
    return {"header": {"key": name, "value": value}, "append_action": "OVERWRITE_IF_EXISTS_OR_ADD"}


def literal(value: str) -> str:
    """A value of the spec where Envoy would read formatters: ``%`` stands for itself."""
    return value.replace("%", "%%")


def quoted(text: str) -> str:
    """The text as RE2 that matches only it."""
    return re.sub(r"([\\.+*?()|\[\]{}^$])", r"\\\1", text)


def xds(folder: str, name: str) -> Json:
    """A source of configuration: a file that the runtime replaces, in a folder that Envoy watches."""
    return {
        "path_config_source": {"path": f"{folder}/{name}.json", "watched_directory": {"path": folder}},
        "resource_api_version": "V3",
    }


def routes_from(folder: str, name: str) -> Json:
    """A source of a route configuration; Envoy takes one a file."""
    return {"route_config_name": name, "config_source": xds(folder, f"rds-{name}")}
