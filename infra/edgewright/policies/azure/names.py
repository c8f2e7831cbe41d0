"""Names of resources: what Azure takes, and what a team wants them to begin with."""

import re
from collections.abc import Iterator

from edgewright.policies.rule import Check, Setting
from edgewright.policies.view import View, Violation

# https://learn.microsoft.com/azure/azure-resource-manager/management/resource-name-rules, Microsoft.Network
_NAME = re.compile(r"[A-Za-z0-9]([A-Za-z0-9_.-]{0,78}[A-Za-z0-9_])?")

NAMED = {"prefix": Setting({"type": "string"}, "", "what names begin with; empty for anything")}


def named(key: str) -> Check:
    """A check that a name is one that Azure takes. One that is left out is made by the provider."""

    def has_name(view: View) -> Iterator[Violation]:
        """The name is valid, and begins as names of the team do."""
        yield from name_problems(view, key, view.setting("prefix"))

    return has_name


def name_problems(view: View, key: str, prefix: str, *also: str) -> Iterator[Violation]:
    """What is wrong with a name; also: what the prefix depends on."""
    name = view.text(key)
    if not isinstance(name, str):
        return
    if _NAME.fullmatch(name) is None:
        yield view.fails(key, f"is `{name}`, which Azure does not take")
    elif not name.startswith(prefix):
        yield view.fails(key, f"is `{name}`, which does not begin with `{prefix}`", *also)
