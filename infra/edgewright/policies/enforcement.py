"""What a violation leads to: levels by severity, configuration by rule, exemptions that end."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Literal, cast, get_args

from edgewright.policies.rule import AnyRule, Rule, Severity, Verdict, check_resources
from edgewright.policies.rules import ALL
from edgewright.policies.view import Subject

Level = Literal["disabled", "advisory", "mandatory", "remediate"]
"""As Pulumi has them: disabled rules are not run, advisory ones warn, mandatory ones stop the update, and those that
remediate write the right value, and stop the update where they cannot."""

LEVELS: Mapping[Severity, Level] = {
    "critical": "mandatory",
    "high": "mandatory",
    "medium": "mandatory",
    "low": "advisory",
}
"""By severity; rules that are optional are disabled."""

_OWN_KEYS = ("enforcementLevel", "exemptions")
_EXEMPTION_KEYS = ("resource", "reason", "expires")
_WRONG = object()
Values = Mapping[str, Any]


class EnforcementError(Exception):
    """A configuration that cannot be used. problems: all of them, each with its place."""

    def __init__(self, problems: Sequence[str]) -> None:
        """Say all problems, a line each."""
        super().__init__("\n".join(problems))
        self.problems = tuple(problems)


@dataclass(frozen=True, slots=True)
class Exemption:
    """A resource that a rule does not hold for, until the end of a day. resource: its name or its urn."""

    rule: str
    resource: str
    reason: str
    expires: date

    def expired(self, today: date) -> bool:
        """Whether the day is over."""
        return today > self.expires

    def covers(self, urn: str) -> bool:
        """Whether it is about the resource. A name is what is behind the last ``::`` of an urn."""
        return self.resource in {urn, urn.rpartition("::")[2]}


@dataclass(frozen=True, slots=True)
class Enforcement:
    """How rules are enforced: levels and settings by the name of the rule, and exemptions."""

    levels: Mapping[str, Level]
    settings: Mapping[str, Values]
    exemptions: tuple[Exemption, ...] = ()


@dataclass(frozen=True, slots=True)
class Finding:
    """What comes out for a resource.

    kind: ``violation``; ``cannot tell``, never more than advisory; ``exempt``; ``expired exemption``, always mandatory;
    ``unused exemption``, whose urn is the resource as it was written. path: of the property, "" for the resource.
    """

    rule: str
    kind: Literal["violation", "cannot tell", "exempt", "expired exemption", "unused exemption"]
    level: Level
    urn: str
    path: str
    text: str


def default_level(rule: AnyRule) -> Level:
    """The level of a rule that nothing is configured for."""
    return "disabled" if rule.optional else LEVELS[rule.severity]


def file_for(folder: Path, stack: str | None) -> Path | None:
    """The configuration that holds for a stack, in the folder of the stacks' settings; None where there is none.

    ``policies.<stack>.json`` is for one stack and stands for all of it; ``policies.json`` is for every other.
    """
    names = [f"policies.{stack.rpartition('/')[2]}.json"] if stack else []
    return next((folder / name for name in (*names, "policies.json") if (folder / name).is_file()), None)


def for_stack(folder: Path, stack: str | None, rules: Sequence[AnyRule] = ALL) -> Enforcement:
    """How rules are enforced for a stack: what `file_for` finds, else the defaults.

    Raises EnforcementError with all problems at once, each with the file and the key.
    """
    file = file_for(folder, stack)
    return load({}, rules) if file is None else for_file(file, rules)


def for_file(file: Path, rules: Sequence[AnyRule] = ALL) -> Enforcement:
    """How a file says that rules are enforced. Raises EnforcementError with all problems at once, each with the file."""
    try:
        return load(_read(file), rules)
    except EnforcementError as error:
        raise EnforcementError([f"{file}: {problem}" for problem in error.problems]) from error


def _read(file: Path) -> object:
    """The value of a JSON file; an empty one is an empty object, as the engine has it. Raises EnforcementError."""
    twice: list[str] = []

    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        keys = [key for key, _ in pairs]
        twice.extend(f"`{key}` stands there twice" for key in found if keys.count(key) > 1)
        return found

    try:
        text = file.read_text(encoding="utf-8")
        value: object = json.loads(text, object_pairs_hook=unique) if text.strip() else {}
    except OSError as error:
        raise EnforcementError([f"cannot be read: {error.strerror}"]) from error
    except UnicodeDecodeError as error:
        raise EnforcementError(["is no UTF-8 text"]) from error
    except json.JSONDecodeError as error:
        raise EnforcementError([f"line {error.lineno}, column {error.colno}: {error.msg}"]) from error
    except RecursionError as error:
        raise EnforcementError(["is nested too deeply"]) from error
    if twice:
        raise EnforcementError(twice)
    return value


def load(values: object, rules: Sequence[AnyRule]) -> Enforcement:
    """Read a configuration, as `--policy-pack-config` takes it: ``{"rule": "advisory", "rule": {...}, "all": ...}``.

    The value of a rule is a level, or an object with ``enforcementLevel``, ``exemptions`` and the rule's own settings.
    Raises EnforcementError with all problems at once.
    """
    if not isinstance(values, Mapping):
        raise EnforcementError(["the configuration is no object of rules"])
    given = cast(Values, values)
    problems: list[str] = []
    known = {rule.name: rule for rule in rules}
    levels = {rule.name: default_level(rule) for rule in rules}
    if "all" in given:
        everywhere = _level(given["all"], "all", None, problems)
        levels = {name: everywhere or level for name, level in levels.items()}
    settings: dict[str, Values] = {}
    exemptions: list[Exemption] = []
    for name, value in given.items():
        if name == "all":
            continue
        if name not in known:
            near = get_close_matches(name, known, 1)
            problems.append(f"`{name}` is no rule" + (f"; did you mean `{near[0]}`?" if near else ""))
            continue
        rule = known[name]
        if isinstance(value, str):
            levels[name] = _level(value, name, rule, problems) or levels[name]
        elif isinstance(value, Mapping):
            configured = cast(Values, value)
            if "enforcementLevel" in configured:
                levels[name] = (
                    _level(configured["enforcementLevel"], f"{name}.enforcementLevel", rule, problems) or levels[name]
                )
            settings[name] = _settings(rule, configured, problems)
            exemptions += _exemptions(rule, configured.get("exemptions", ()), problems)
        else:
            problems.append(f"`{name}` is neither a level nor an object")
    if problems:
        raise EnforcementError(problems)
    return Enforcement(cast("dict[str, Level]", levels), settings, tuple(exemptions))


def configured(rule: AnyRule, values: Values) -> tuple[Values, tuple[Exemption, ...]]:
    """The settings and exemptions of one rule, as the engine hands them to its policy. Raises EnforcementError."""
    problems: list[str] = []
    found = _settings(rule, values, problems), tuple(_exemptions(rule, values.get("exemptions", ()), problems))
    if problems:
        raise EnforcementError(problems)
    return found


def check(
    subjects: Iterable[Subject],
    rules: Sequence[AnyRule],
    enforcement: Enforcement | None = None,
    today: date | None = None,
) -> list[Finding]:
    """Run rules over resources, and say what comes of it. today: in UTC; that of the machine unless given."""
    enforcement = enforcement or load({}, rules)
    listed = tuple(subjects)
    enabled = [rule for rule in rules if enforcement.levels[rule.name] != "disabled"]
    verdicts = check_resources(listed, enabled, enforcement.settings)
    findings = [_decided(verdict, enforcement, today or utc_today()) for verdict in verdicts]
    findings += _about_exemptions(enforcement, listed, verdicts, today or utc_today())
    return findings


def utc_today() -> date:
    """The day that expiry dates are compared with."""
    return datetime.now(UTC).date()


def schema(rules: Sequence[AnyRule]) -> dict[str, Any]:
    """The JSON schema of a configuration (draft 2020-12)."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "How the rules of edgewright are enforced",
        "type": "object",
        "properties": {
            "all": {"enum": list(get_args(Level)), "description": "the level of all rules that say none"},
            **{
                rule.name: {
                    "description": rule.title,
                    "anyOf": [
                        {"enum": _possible(rule)},
                        {
                            "type": "object",
                            "properties": {"enforcementLevel": {"enum": _possible(rule)}, **rule_schema(rule)},
                            "additionalProperties": False,
                        },
                    ],
                }
                for rule in rules
            },
        },
        "additionalProperties": False,
    }


def rule_schema(rule: AnyRule) -> dict[str, Any]:
    """The JSON schemas of a rule's own settings and of its exemptions, by name."""
    return {
        **{
            name: {**setting.kind, "default": setting.default, "description": setting.meaning}
            for name, setting in rule.settings.items()
        },
        "exemptions": {
            "type": "array",
            "description": "resources that the rule does not hold for, for a while",
            "items": {
                "type": "object",
                "properties": {
                    "resource": {"type": "string", "minLength": 1, "description": "its name, or its urn"},
                    "reason": {"type": "string", "pattern": r"\S"},
                    "expires": {
                        "type": "string",
                        "pattern": r"^\d{4}-\d{2}-\d{2}$",
                        "description": "the last day, in UTC; afterwards the exemption itself is a violation",
                    },
                },
                "required": list(_EXEMPTION_KEYS),
                "additionalProperties": False,
            },
        },
    }


def _possible(rule: AnyRule) -> list[str]:
    """The levels that a rule can have."""
    can = isinstance(rule, Rule) and rule.remediation is not None
    return [level for level in get_args(Level) if can or level != "remediate"]


def _level(value: object, place: str, rule: AnyRule | None, problems: list[str]) -> Level | None:
    if value not in get_args(Level):
        problems.append(f"`{place}`: `{value}` is no level; there are {', '.join(get_args(Level))}")
        return None
    if rule is not None and value not in _possible(rule):
        problems.append(f"`{place}`: the rule cannot remediate; take mandatory")
        return None
    return cast(Level, value)


def _settings(rule: AnyRule, values: Values, problems: list[str]) -> Values:
    found: dict[str, Any] = {}
    for name, value in values.items():
        if name in _OWN_KEYS:
            continue
        if name not in rule.settings:
            there = f"there are {', '.join(rule.settings)}" if rule.settings else "it has none"
            problems.append(f"`{rule.name}.{name}` is no setting of the rule; {there}")
            continue
        setting = rule.settings[name]
        found[name] = _converted(setting.kind, value)
        if found[name] is _WRONG:
            problems.append(f"`{rule.name}.{name}`: `{value}` does not fit; it is {setting.meaning}")
    return found


def _converted(kind: Values, value: Any) -> Any:
    """The value as a setting of the kind has it, or _WRONG. The engine hands over whole numbers as 2.0."""
    if "enum" in kind:
        return value if value in kind["enum"] else _WRONG
    if kind["type"] == "array":
        if not isinstance(value, Sequence) or isinstance(value, str):
            return _WRONG
        items = [_converted(kind["items"], item) for item in cast(Sequence[Any], value)]
        return _WRONG if _WRONG in items else items
    if kind["type"] == "integer":
        whole = isinstance(value, int | float) and not isinstance(value, bool) and float(value).is_integer()
        return int(value) if whole and value >= kind.get("minimum", value) else _WRONG
    wanted = {"string": str, "boolean": bool}[kind["type"]]
    return value if isinstance(value, wanted) else _WRONG


def _exemptions(rule: AnyRule, values: Any, problems: list[str]) -> list[Exemption]:
    if not isinstance(values, Sequence) or isinstance(values, str):
        problems.append(f"`{rule.name}.exemptions` is no list")
        return []
    found: list[Exemption] = []
    for index, value in enumerate(cast(Sequence[Any], values)):
        place = f"`{rule.name}.exemptions[{index}]`"
        if not isinstance(value, Mapping):
            problems.append(f"{place} is no object with {', '.join(_EXEMPTION_KEYS)}")
            continue
        given = cast(Values, value)
        wrong = [f"{place}: `{key}` is not known" for key in given if key not in _EXEMPTION_KEYS]
        texts = {key: given.get(key) for key in _EXEMPTION_KEYS}
        wrong += [
            f"{place} does not say its `{key}`"
            for key, text in texts.items()
            if not isinstance(text, str) or not text.strip()
        ]
        day = _day(texts["expires"])
        if isinstance(texts["expires"], str) and texts["expires"].strip() and day is None:
            wrong.append(f"{place}: `{texts['expires']}` is no day such as 2026-12-31")
        problems += wrong
        if day is not None and not wrong:
            found.append(Exemption(rule.name, str(texts["resource"]), str(texts["reason"]), day))
    return found


def _day(text: object) -> date | None:
    try:
        return datetime.strptime(str(text), "%Y-%m-%d").replace(tzinfo=UTC).date()
    except ValueError:
        return None


def _decided(verdict: Verdict, enforcement: Enforcement, today: date) -> Finding:
    level = enforcement.levels[verdict.rule]
    if verdict.kind == "cannot tell":
        return Finding(verdict.rule, "cannot tell", "advisory", verdict.urn, verdict.path, verdict.text)
    for exemption in enforcement.exemptions:
        if exemption.rule == verdict.rule and exemption.covers(verdict.urn) and not exemption.expired(today):
            text = f"{verdict.text} (exempt until {exemption.expires}: {exemption.reason})"
            return Finding(verdict.rule, "exempt", "advisory", verdict.urn, verdict.path, text)
    return Finding(verdict.rule, "violation", level, verdict.urn, verdict.path, verdict.text)


def _about_exemptions(
    enforcement: Enforcement, subjects: Sequence[Subject], verdicts: Iterable[Verdict], today: date
) -> Iterable[Finding]:
    judged = {(verdict.rule, verdict.urn) for verdict in verdicts}
    for exemption in enforcement.exemptions:
        urns = [subject.urn for subject in subjects if exemption.covers(subject.urn)]
        if exemption.expired(today):
            yield Finding(
                exemption.rule,
                "expired exemption",
                "mandatory",
                urns[0] if urns else exemption.resource,
                "",
                expired_text(exemption),
            )
        elif not any((exemption.rule, urn) in judged for urn in urns):
            text = "is exempt, but breaks no such rule: delete the exemption"
            yield Finding(exemption.rule, "unused exemption", "advisory", exemption.resource, "", text)


def expired_text(exemption: Exemption) -> str:
    """What to say of an exemption that is over."""
    return (
        f"has an exemption that ended on {exemption.expires} ({exemption.reason}): mend it, or say why it needs longer"
    )
