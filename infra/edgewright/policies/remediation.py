"""What a rule writes instead of what is wrong: its values, and where they belong. Nothing unknown is written over."""

from collections.abc import Mapping
from copy import deepcopy
from dataclasses import replace
from typing import Any, cast

from edgewright.policies.rule import Rule
from edgewright.policies.view import Subject, View, parts, related, unwrapped


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
        *way, last = parts(path)
        inner = properties
        for part in way:
            inner = _entered(_holder(inner, part), part)
        _holder(inner, last)[last] = value


def _entered(values: Any, part: str | int) -> Any:
    try:
        return values[part]
    except KeyError:
        values[part] = {}
        return values[part]


def _holder(values: Any, part: str | int) -> Any:
    """What has a part: some providers wrap a single object in a list, and `View` reads through it too."""
    return unwrapped(values) if isinstance(part, str) else values


def _rests_on_unknown(view: View, path: str) -> bool:
    return any(related(note, path) for note in view.unread)
