"""Rules that stand before all routes: paths that two hops may read differently are refused.

A load balancer's documentation does not say whether it normalises a path before it compares it, nor does that of API
Gateway or of a service. So no path is let in that could be read in two ways, and where a path decides who may ask, the
decision goes on with the request (a prefix or a header), not with a second reading of the path.
"""

from edgewright.aws.artifact import Json, Rule
from edgewright.aws.compile_groups import PREFIX

AMBIGUOUS = (
    # empty and dot segments, backslashes, path parameters, and what should have been escaped
    r"^.*(//|/\.\.?(/|$)|\\|[;?#]|[^!-~]).*$",
    # escaped: . / # % ; ? \ NUL, and bytes that only overlong UTF-8 has
    r"^.*%(2[EeFf35]|3[BbFf]|5[Cc]|00|[Cc][01]).*$",
    # escaped letters, digits and - . _ ~, which need no escape
    r"^.*%(2[Dd]|3[0-9]|[46][1-9A-Fa-f]|[57][0-9Aa]|5[Ff]|7[Ee]).*$",
    # a dot or a space at the end of a segment, which some servers drop
    r"^.*(\.|%20)(/.*)?$",
    # a percent sign that escapes nothing
    r"^.*%([^0-9A-Fa-f].*|[0-9A-Fa-f]([^0-9A-Fa-f].*)?)?$",
)
"""Regular expressions (RE2, for the whole path) of paths with more than one reading; five, as many as a rule may have.
"""

_PROBLEM = '{"type":"about:blank","title":"%s","status":%d}'


def problem_action(status: int, title: str) -> Json:
    """A fixed answer of a balancer; it has no ``application/problem+json``."""
    return {"fixed": {"status": status, "content_type": "application/json", "body": _PROBLEM % (title, status)}}


def path_guard(listener: str) -> Rule:
    """Refuses paths with more than one reading: 400."""
    actions = (problem_action(400, "The path has more than one reading"),)
    return Rule(f"{listener}-guard-path", listener, 1, ({"path_regex": list(AMBIGUOUS)},), actions)


def prefix_guard(listener: str) -> Rule:
    """Refuses paths that begin as only the balancer may make them begin: 404."""
    return Rule(
        f"{listener}-guard-prefix", listener, 2, ({"paths": [f"/{PREFIX}*"]},), (problem_action(404, "Not Found"),)
    )


def slash_guards(listener: str, paths: tuple[str, ...], first: int = 10) -> tuple[Rule, ...]:
    """Refuses ``/admin/`` where ``/admin`` asks for more than what ``/admin/`` would lead to: 404, five a rule."""
    found: list[Rule] = []
    for number, start in enumerate(range(0, len(paths), 5)):
        name = f"{listener}-guard-slash" + (f"-{number + 1}" if number else "")
        condition = {"path_regex": list(paths[start : start + 5])}
        found.append(Rule(name, listener, first + number, (condition,), (problem_action(404, "Not Found"),)))
    return tuple(found)
