"""How rules can be configured, as JSON Schema; and what a configured value becomes for a rule."""

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final, cast, get_args

from edgewright.policies.levels import Level, possible_levels
from edgewright.policies.rule import AnyRule
from edgewright.policies.rules import ALL

EXEMPTION_KEYS = ("resource", "reason", "expires")
"""What an exemption says; all of it."""

WRONG: Final = object()
"""Stands for a value that does not fit."""

_EXEMPTIONS: Mapping[str, Any] = {
    "type": "array",
    "description": "resources that the rule does not hold for, for a while",
    "items": {
        "type": "object",
        "properties": {
            "resource": {"type": "string", "pattern": r"\S", "description": "its name, or its urn"},
            "reason": {"type": "string", "pattern": r"\S", "description": "for who reads it next year"},
            "expires": {
                "type": "string",
                "format": "date",
                "pattern": r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$",
                "description": "the last day, in UTC; after it the exemption itself is a violation",
            },
        },
        "required": list(EXEMPTION_KEYS),
        "additionalProperties": False,
    },
}


def schema(rules: Sequence[AnyRule]) -> dict[str, Any]:
    """The JSON Schema of a configuration, in the format that `--policy-pack-config` takes."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "How the rules of edgewright are enforced",
        "type": "object",
        "properties": {
            "all": {"enum": list(get_args(Level)), "description": "the level of all rules that say none"},
            "environments": {
                "type": "array",
                "items": {"type": "string"},
                "description": "environments of Pulumi ESC, for the engine",
            },
            **{rule.name: _of_rule(rule) for rule in rules},
        },
        "additionalProperties": False,
        "$defs": {"exemptions": _EXEMPTIONS},
    }


def text(rules: Sequence[AnyRule] = ALL) -> str:
    """The same as a file."""
    return json.dumps(schema(rules), indent=2) + "\n"


def rule_schema(rule: AnyRule) -> dict[str, Any]:
    """The JSON Schemas of a rule's own settings and exemptions, by name, as a policy tells the engine."""
    return {**_settings(rule), "exemptions": _EXEMPTIONS}


def converted(kind: Mapping[str, Any], value: Any) -> Any:
    """The value as a setting of the kind has it, or WRONG. The engine hands over whole numbers as 2.0."""
    if "enum" in kind:
        return value if value in kind["enum"] else WRONG
    if kind["type"] == "array":
        if not isinstance(value, Sequence) or isinstance(value, str):
            return WRONG
        items = [converted(kind["items"], item) for item in cast(Sequence[Any], value)]
        return WRONG if WRONG in items else items
    if kind["type"] == "integer":
        whole = isinstance(value, int | float) and not isinstance(value, bool) and float(value).is_integer()
        return int(value) if whole and value >= kind.get("minimum", value) else WRONG
    wanted = {"string": str, "boolean": bool}[kind["type"]]
    return value if isinstance(value, wanted) else WRONG


def expected(kind: Mapping[str, Any]) -> str:
    """What a setting of the kind takes, in words: ``a whole number of at least 1``."""
    if "enum" in kind:
        return " or ".join(kind["enum"])
    if kind["type"] == "array":
        return f"a list, each item {expected(kind['items'])}"
    least = f" of at least {kind['minimum']}" if "minimum" in kind else ""
    return {"integer": f"a whole number{least}", "string": "a text", "boolean": "true or false"}[kind["type"]]


def _settings(rule: AnyRule) -> dict[str, Any]:
    return {
        name: {**setting.kind, "default": setting.default, "description": setting.meaning}
        for name, setting in rule.settings.items()
    }


def _of_rule(rule: AnyRule) -> dict[str, Any]:
    levels = list(possible_levels(rule))
    exemptions = {"$ref": "#/$defs/exemptions"}
    return {
        "description": rule.title,
        "anyOf": [
            {"enum": levels},
            {
                "type": "object",
                "properties": {"enforcementLevel": {"enum": levels}, **_settings(rule), "exemptions": exemptions},
                "additionalProperties": False,
            },
        ],
    }
