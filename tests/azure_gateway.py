"""A model of API Management's gateway, so far as a policy's look-up is concerned: from a request to its settings.

Operations are matched by their templates, a literal segment before a variable before ``/*``, without going back. The
C# of the look-up is read as Python: the two share the meaning of all that `edgewright.azure.expressions` writes there.
"""

import ast
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import policy_xsd
from csharp_twin import pattern
from edgewright.azure.artifact import Api
from edgewright.azure.compile_policy import PARTS

_WORDS = (
    (r"context\.Request\.Headers\.ContainsKey\((\"(?:[^\"\\]|\\.)*\")\)", r"(\1 in H)"),
    (r"context\.Request\.Url\.Query\.ContainsKey\((\"(?:[^\"\\]|\\.)*\")\)", r"(\1 in Q)"),
    (r"context\.Request\.Headers\.GetValueOrDefault\(", "H.get("),
    (r"context\.Request\.Url\.Query\.GetValueOrDefault\(", "Q.get("),
    (r"\.StartsWith\(((?:\"(?:[^\"\\]|\\.)*\")), StringComparison\.Ordinal\)", r".startswith(\1)"),
    (
        r"Regex\.IsMatch\((.*), (\"(?:[^\"\\]|\\.)*\"), RegexOptions\.CultureInvariant, TimeSpan\.FromMilliseconds\(\d+\)\)",
        r"(pattern(\2).search(\1) is not None)",
    ),
    (r" && ", " and "),
    (r"!\(", "not ("),
)


@dataclass(frozen=True)
class Request:
    """method, path, headers and query; names as they are sent, values one each."""

    method: str
    path: str
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    query: Mapping[str, str] = field(default_factory=dict[str, str])


class Gateway:
    """One API."""

    def __init__(self, api: Api) -> None:
        self._operations = {
            (method.upper(), tuple(path.strip("/").split("/")) if path != "/" else ()): operation["operationId"]
            for path, methods in api.body["paths"].items()
            for method, operation in methods.items()
        }
        lookup = policy_xsd.parse(api.policy).find(".//set-variable[@name='settings']").get("value")
        self._cases, self._default = _cases(lookup)

    def settings(self, request: Request) -> dict[str, str] | None:
        """The parts of the settings of a request; None where there is no operation, or none that the policy knows."""
        operation = self._operation(request)
        if operation is None:
            return None
        text = self._default
        for condition, told in self._cases.get(operation, []):
            if condition is None or _holds(condition, request):
                text = told
                break
        found = dict(zip(PARTS, text.split("|"), strict=True))
        return None if found["auth"] == "denied" else found

    def _operation(self, request: Request) -> str | None:
        segments = tuple(request.path.strip("/").split("/")) if request.path != "/" else ()
        paths = {path for _, path in self._operations}
        at: tuple[str, ...] = ()
        for index, segment in enumerate(segments):
            following = [(*at, segment), *(path[: index + 1] for path in paths if _variable(path, at, index))]
            step = next((one for one in following if any(path[: index + 1] == one for path in paths)), None)
            if step is None or segment in ("", "*"):
                return self._operations.get((request.method, (*at, "*")))
            at = step
        return self._operations.get((request.method, at)) if at in paths else None


def _variable(path: tuple[str, ...], at: tuple[str, ...], index: int) -> bool:
    return len(path) > index and path[:index] == at and path[index].startswith("{")


_STRING = r'"(?:[^"\\]|\\.)*"'
_STATEMENT = re.compile(
    rf"case (?P<case>{_STRING}):|(?P<default>default:)"
    rf"|(?:if \((?P<condition>(?:[^\"{{}}]|{_STRING})*)\) \{{ )?return (?P<told>{_STRING});"
)


def _cases(code: str) -> tuple[dict[str, list[tuple[str | None, str]]], str]:
    """By operation, the conditions that are asked in turn with what they lead to; and what all others have."""
    found: dict[str, list[tuple[str | None, str]]] = {}
    names: list[str] = []
    default = ""
    fresh = True
    for match in _STATEMENT.finditer(code):
        if match["case"] is not None:
            names = [*([] if fresh else names), ast.literal_eval(match["case"])]
            fresh = False
            found[names[-1]] = []
        elif match["default"] is not None:
            names, fresh = [], False
        else:
            told: Any = ast.literal_eval(match["told"])
            for name in names:
                found[name].append((match["condition"], told))
            default = told if not names else default
            fresh = True
    return found, default


def _holds(condition: str, request: Request) -> bool:
    for shape, word in _WORDS:
        condition = re.sub(shape, word, condition)
    names: dict[str, Any] = {
        "H": {name.lower(): value for name, value in request.headers.items()},
        "Q": dict(request.query),
    }
    names["pattern"] = pattern
    return bool(eval(condition.replace("!(", "not ("), {"__builtins__": {}}, names))
