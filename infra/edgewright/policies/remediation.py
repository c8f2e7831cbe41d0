"""What a rule writes instead of what is wrong: its values, and where they belong. Nothing unknown is written over."""

import re
from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import replace
from typing import Any, cast

from edgewright.policies.rule import Rule
from edgewright.policies.view import Subject, View, related

_PART = re.compile(r"([^.\[\]]+)|\[(\d+)\]")


def values_for(rule: Rule, subject: Subject, settings: Mapping[str, Any]) -> Mapping[str, Any]:
    """The values that the rule writes, by path; empty where nothing is to be done. settings: complete.

    Never raises: where a remediation fails, nothing is written, and the violation stays.
    """
    if rule.remediation is None:
        return {}
    view = View(subject, settings)
    try:
        wanted = rule.remediation(view)
        return {path: value for path, value in wanted.items() if view.knows(path) and not _rests_on_unknown(view, path)}
    except Exception:
        return {}


def remediated(subject: Subject, values: Mapping[str, Any]) -> Subject:
    """The resource with these values in their places."""
    properties = cast(Any, deepcopy(dict(subject.properties)))
    write(properties, values)
    return replace(subject, properties=properties)


def write(properties: Any, values: Mapping[str, Any]) -> None:
    """Put values into properties, each by its path; objects on the way that are not there are made.

    properties: anything that is read and written by key, such as what the policy framework hands to a remediation.
    """
    for path, value in values.items():
        *way, last = [int(index) if index else name for name, index in _PART.findall(path)]
        inner = properties
        for part in way:
            inner = _entered(_single(inner, part), part)
        _single(inner, last)[last] = value


def _entered(values: Any, part: str | int) -> Any:
    try:
        return values[part]
    except KeyError:
        values[part] = {}
        return values[part]


def _single(values: Any, part: str | int) -> Any:
    """What has a part: some providers wrap a single object in a list, and `View` reads through it too."""
    if isinstance(part, str) and isinstance(values, Sequence) and not isinstance(values, str):
        listed = cast(Sequence[Any], values)
        return listed[0] if len(listed) == 1 else listed
    return values


def _rests_on_unknown(view: View, path: str) -> bool:
    return any(related(note, path) for note in view.unread)
