"""How rules are enforced: what is configured of them, exemptions that end, and what comes of a verdict."""

import json
from codecs import BOM_UTF8
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, Literal, cast, get_args

from edgewright.policies.components import REMEDIES, made_by_one
from edgewright.policies.levels import Level, at_most, default_level, possible_levels, stops
from edgewright.policies.remediation import remediated, values_for
from edgewright.policies.rule import AnyRule, Rule, Verdict, check_resources, complete_settings
from edgewright.policies.rules import ALL, no_rule
from edgewright.policies.schema import EXEMPTION_KEYS, WRONG, converted, expected
from edgewright.policies.view import Subject
from edgewright.spec.problems import did_you_mean, printable

_OWN_KEYS = ("enforcementLevel", "exemptions")
_LARGEST = 8_000_000
"""Bytes of a configuration, as of every file that may be a stranger's."""

_MOST_PROBLEMS = 50
"""So many are said; a file with more of them is no configuration at all."""

_LONGEST = 60
"""Characters that a message shows of a name or a value."""

Values = Mapping[str, Any]


class EnforcementError(Exception):
    """A configuration that cannot be used. problems: all of them, each with its place."""

    def __init__(self, problems: Sequence[str]) -> None:
        """Say all problems, a line each, up to a number that is worth reading."""
        more = len(problems) - _MOST_PROBLEMS
        said = [*problems[:_MOST_PROBLEMS], *([f"and {more:,} more problems"] if more > 0 else [])]
        super().__init__("\n".join(said))
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
        return self.resource in {urn, _name(urn)}


@dataclass(frozen=True, slots=True)
class Enforcement:
    """How rules are enforced: levels and settings by the name of the rule, and exemptions."""

    levels: Mapping[str, Level]
    settings: Mapping[str, Values]
    exemptions: tuple[Exemption, ...] = ()


@dataclass(frozen=True, slots=True)
class Finding:
    """What comes out for a resource.

    kind: ``violation``, ``broken rule`` and ``expired exemption`` have the level of their rule; ``cannot tell``,
    ``exempt``, ``remediated`` and ``unused exemption`` (whose urn is the resource as it was written) are advisory.
    urn: "" where it is about the stack; path: of the property, "" for the resource.
    """

    rule: str
    kind: Literal[
        "violation", "cannot tell", "exempt", "expired exemption", "unused exemption", "remediated", "broken rule"
    ]
    level: Level
    urn: str
    path: str
    text: str

    @property
    def sentence(self) -> str:
        """What there is to say, to read under the names of rule and resource: "`accessLogs.bucket` is not said"."""
        return f"`{self.path or _name(self.urn) or 'the stack'}` {self.text}"


_OF_EXEMPTIONS: Mapping[str, str] = {
    "expired exemption": "Mend the resource and delete the exemption, or give it a later day.",
    "unused exemption": "Delete the exemption, or correct its `resource`.",
}


def remedy(finding: Finding, rule: AnyRule) -> str:
    """What to do about a finding, in words of a spec where a component made the resource; empty where its text says."""
    if finding.kind == "broken rule":
        return ""
    own = REMEDIES.get(rule.name, rule.remedy) if made_by_one(finding.urn) else rule.remedy
    return _OF_EXEMPTIONS.get(finding.kind, own)


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
    """How a file says that rules are enforced. Raises EnforcementError with all problems, each with the file."""
    problems: list[str] = []
    try:
        enforcement = load(_read(file, problems), rules)
    except EnforcementError as error:
        problems += error.problems
    else:
        if not problems:
            return enforcement
    raise EnforcementError([f"{file}: {problem}" for problem in problems])


def load(values: object, rules: Sequence[AnyRule] = ALL) -> Enforcement:
    """Read a configuration, as `--policy-pack-config` takes it: ``{"rule": "advisory", "rule": {...}, "all": ...}``.

    The value of a rule is a level, or an object with ``enforcementLevel``, ``exemptions`` and the rule's own settings.
    Raises EnforcementError with all problems at once.
    """
    if not isinstance(values, Mapping):
        raise EnforcementError(['the configuration is no object of rules, such as `{"lb-tagged": "advisory"}`'])
    given = dict(cast(Values, values))
    problems: list[str] = []
    known = {rule.name: rule for rule in rules}
    everywhere = _level(given.pop("all"), "all", get_args(Level), problems) if "all" in given else None
    if not _texts(given.pop("environments", [])):
        problems.append("`environments` is no list of names")
    levels: dict[str, Level] = {
        rule.name: at_most(everywhere, rule) if everywhere else default_level(rule) for rule in rules
    }
    settings: dict[str, Values] = {}
    exemptions: list[Exemption] = []
    for name, value in given.items():
        if name not in known:
            problems.append(_no_rule(name, known, guess=len(problems) < _MOST_PROBLEMS))
            continue
        rule = known[name]
        if isinstance(value, str):
            levels[name] = _level(value, name, possible_levels(rule), problems)
        elif isinstance(value, Mapping):
            said = cast(Values, value)
            if "enforcementLevel" in said:
                place = f"{name}.enforcementLevel"
                levels[name] = _level(said["enforcementLevel"], place, possible_levels(rule), problems)
            settings[name] = _settings(rule, said, problems)
            exemptions += _exemptions(rule, said.get("exemptions", ()), problems)
        else:
            problems.append(f"`{name}` is neither a level nor an object; levels are {', '.join(possible_levels(rule))}")
    if problems:
        raise EnforcementError(problems)
    return Enforcement(levels, settings, tuple(exemptions))


def configured(rule: AnyRule, values: Values) -> tuple[Values, tuple[Exemption, ...]]:
    """The settings and exemptions of one rule, as the engine hands them to its policy. Raises EnforcementError."""
    problems: list[str] = []
    found = _settings(rule, values, problems), tuple(_exemptions(rule, values.get("exemptions", ()), problems))
    if problems:
        raise EnforcementError(problems)
    return found


def check(
    subjects: Iterable[Subject],
    rules: Sequence[AnyRule] = ALL,
    enforcement: Enforcement | None = None,
    today: date | None = None,
) -> list[Finding]:
    """Run rules over resources as the engine does: remediations first, then what is left.

    today: in UTC; that of the machine unless given.
    """
    enforcement = enforcement or load({}, rules)
    day = today or utc_today()
    levels = enforcement.levels
    enabled = [rule for rule in rules if levels[rule.name] != "disabled"]
    exemptions = {rule.name: [one for one in enforcement.exemptions if one.rule == rule.name] for rule in enabled}
    findings: list[Finding] = []
    listed = [_remediated(subject, enabled, enforcement, exemptions, day, findings) for subject in subjects]
    findings += [
        decided(verdict, levels[verdict.rule], exemptions[verdict.rule], day)
        for verdict in check_resources(listed, enabled, enforcement.settings)
    ]
    for rule in enabled:
        if exemptions[rule.name]:
            judged = {finding.urn for finding in findings if finding.rule == rule.name}
            urns = [subject.urn for subject in listed if subject.type in rule.types]
            findings += expired(levels[rule.name], exemptions[rule.name], urns, day)
            findings += _unused(exemptions[rule.name], urns, judged, day)
    return findings


def decided(verdict: Verdict, level: Level, exemptions: Iterable[Exemption], today: date) -> Finding:
    """What comes of a verdict; level and exemptions: of its rule."""
    if verdict.kind == "cannot tell":
        return Finding(verdict.rule, "cannot tell", "advisory", verdict.urn, verdict.path, verdict.text)
    holding = _holding(exemptions, verdict.urn, today)
    if verdict.kind == "violation" and holding:
        text = f"{verdict.text} (exempt until {holding.expires}: {holding.reason})"
        return Finding(verdict.rule, "exempt", "advisory", verdict.urn, verdict.path, text)
    return Finding(verdict.rule, verdict.kind, stops(level), verdict.urn, verdict.path, verdict.text)


def expired(level: Level, exemptions: Sequence[Exemption], urns: Iterable[str], today: date) -> Iterator[Finding]:
    """What comes of exemptions that are over, for each of these resources; level: of the rule."""
    over = [exemption for exemption in exemptions if exemption.expired(today)]
    for urn in urns if over else ():
        for exemption in over:
            if exemption.covers(urn):
                text = f"has an exemption that ended on {exemption.expires} ({exemption.reason})"
                yield Finding(exemption.rule, "expired exemption", stops(level), urn, "", text)


def exempt(exemptions: Iterable[Exemption], urn: str, today: date) -> bool:
    """Whether one of the exemptions holds for the resource today."""
    return _holding(exemptions, urn, today) is not None


def utc_today() -> date:
    """The day that expiry dates are compared with."""
    return datetime.now(UTC).date()


def _remediated(
    subject: Subject,
    rules: Iterable[AnyRule],
    enforcement: Enforcement,
    exemptions: Mapping[str, Sequence[Exemption]],
    today: date,
    findings: list[Finding],
) -> Subject:
    """The resource with what rules write at level ``remediate``; findings: where that is said."""
    for rule in rules:
        if enforcement.levels[rule.name] != "remediate" or not isinstance(rule, Rule) or subject.type not in rule.types:
            continue
        if exempt(exemptions[rule.name], subject.urn, today):
            continue
        settings = complete_settings(rule, enforcement.settings.get(rule.name, {}))
        values = values_for(rule, subject, settings)
        if values:
            subject = remediated(subject, values)
        for path, value in values.items():
            text = f"becomes {json.dumps(value)}"
            findings.append(Finding(rule.name, "remediated", "advisory", subject.urn, path, text))
    return subject


def _unused(
    exemptions: Iterable[Exemption], urns: Sequence[str], judged: Iterable[str], today: date
) -> Iterator[Finding]:
    """Exemptions for what breaks no rule; one that is over is said already where its resource is there."""
    for exemption in exemptions:
        covered = {urn for urn in urns if exemption.covers(urn)}
        if not covered.intersection(judged) and not (covered and exemption.expired(today)):
            text = "is exempt, and does not break the rule" if covered else _not_there(exemption.resource, urns)
            yield Finding(exemption.rule, "unused exemption", "advisory", exemption.resource, "", text)


def _holding(exemptions: Iterable[Exemption], urn: str, today: date) -> Exemption | None:
    found = (exemption for exemption in exemptions if exemption.covers(urn) and not exemption.expired(today))
    return next(found, None)


def _not_there(resource: str, urns: Sequence[str]) -> str:
    names = {_name(urn) for urn in urns}
    meant = did_you_mean(resource, names) if names else ""
    return "is exempt, and no resource that the rule looks at is called so" + (f"; {meant}" if meant else "")


def _name(urn: str) -> str:
    return urn.rpartition("::")[2]


def _read(file: Path, problems: list[str]) -> object:
    """The value of a JSON file; an empty one is an empty object, as the engine has it. Raises EnforcementError."""

    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        keys = [key for key, _ in pairs]
        problems.extend(f"`{_cut(key)}` stands there twice" for key, count in Counter(keys).items() if count > 1)
        return found

    try:
        content = file.read_bytes()
        if len(content) > _LARGEST:
            raise EnforcementError([f"is larger than {_LARGEST // 1_000_000} MB"])
        if content.startswith(BOM_UTF8):
            raise EnforcementError(["begins with a byte order mark, which the engine does not take: save it without"])
        text = content.decode("utf-8")
        return json.loads(text, object_pairs_hook=unique) if text.strip() else {}
    except OSError as error:
        raise EnforcementError([f"cannot be read: {error.strerror}"]) from error
    except UnicodeDecodeError as error:
        raise EnforcementError(["is no UTF-8 text"]) from error
    except json.JSONDecodeError as error:
        raise EnforcementError([f"is no JSON: line {error.lineno}, column {error.colno}: {error.msg}"]) from error
    except RecursionError as error:
        raise EnforcementError(["is nested too deeply"]) from error
    except ValueError as error:  # of a whole number with more digits than Python reads
        raise EnforcementError(["has a number that is too long"]) from error


def _level(value: object, place: str, possible: Sequence[str], problems: list[str]) -> Level:
    """The level; a wrong one is a problem, and then it matters no more which is returned."""
    if value not in get_args(Level):
        problems.append(f"`{place}`: {_shown(value)} is no level; there are {', '.join(possible)}")
    elif value not in possible:
        problems.append(f"`{place}`: the rule cannot remediate; there are {', '.join(possible)}")
    return cast(Level, value)


def _settings(rule: AnyRule, values: Values, problems: list[str]) -> Values:
    found: dict[str, Any] = {}
    for name, value in values.items():
        if name in _OWN_KEYS:
            continue
        if name not in rule.settings:
            known = (*_OWN_KEYS, *rule.settings)
            problems.append(f"`{rule.name}.{_cut(name)}` is not known; {did_you_mean(name, known)}")
            continue
        setting = rule.settings[name]
        found[name] = converted(setting.kind, value)
        if found[name] is WRONG:
            problems.append(
                f"`{rule.name}.{name}`: {_shown(value)} is not {expected(setting.kind)} ({setting.meaning})"
            )
    return found


def _exemptions(rule: AnyRule, values: Any, problems: list[str]) -> list[Exemption]:
    if not isinstance(values, Sequence) or isinstance(values, str):
        problems.append(f"`{rule.name}.exemptions` is no list")
        return []
    found: list[Exemption] = []
    for index, value in enumerate(cast(Sequence[Any], values)):
        place = f"`{rule.name}.exemptions[{index}]`"
        if not isinstance(value, Mapping):
            problems.append(f"{place} is no object with {', '.join(EXEMPTION_KEYS)}")
            continue
        given = cast(Values, value)
        wrong = [
            f"{place}: `{_cut(key)}` is not known; {did_you_mean(key, EXEMPTION_KEYS)}"
            for key in given
            if key not in EXEMPTION_KEYS
        ]
        said = {key: text for key in EXEMPTION_KEYS if isinstance(text := given.get(key), str) and text.strip()}
        wrong += [f"{place} does not say its `{key}`" for key in EXEMPTION_KEYS if key not in said]
        day = _day(said.get("expires", ""))
        if "expires" in said and day is None:
            wrong.append(f"{place}: {_shown(said['expires'])} is no day such as 2026-12-31")
        problems += wrong
        if day is not None and not wrong:
            found.append(Exemption(rule.name, said["resource"], said["reason"], day))
    return found


def _no_rule(name: str, known: Iterable[str], *, guess: bool) -> str:
    """What to say of a name that no rule has. guess: whether one that is near is looked for, which takes a while."""
    if name == "$schema":
        return "`$schema` is not taken by the engine; name the schema in the editor's settings"
    return no_rule(name, known) if guess and len(name) <= _LONGEST else f"`{_cut(name)}` is no rule"


def _shown(value: object) -> str:
    """A value as it stands in the file, and cut. The engine makes every number a float."""
    whole = int(value) if isinstance(value, float) and value.is_integer() else value
    return f"`{_cut(json.dumps(whole, ensure_ascii=False))}`"


def _cut(text: str) -> str:
    """As much of a text as a message shows, without characters that would steer a terminal or a runner."""
    shown = printable(text[: _LONGEST + 1])
    return shown if len(shown) <= _LONGEST else shown[: _LONGEST - 3] + "..."


def _texts(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(item, str) for item in cast(list[object], value))


def _day(text: str) -> date | None:
    """A day as the JSON Schema has it too: `strptime` alone takes 2026-1-1."""
    try:
        found = datetime.strptime(text, "%Y-%m-%d").replace(tzinfo=UTC).date()
    except ValueError:
        return None
    return found if found.isoformat() == text else None
