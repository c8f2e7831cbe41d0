"""Redirects and fixed answers as actions of a load balancer, and rewritten paths as its transforms."""

import re
from urllib.parse import urlsplit

from edgewright.aws.artifact import Json
from edgewright.aws.compile_rules import escaped
from edgewright.edge.model import PathPattern, Redirect, Respond, Route

STATUSES = {301: "HTTP_301", 302: "HTTP_302", 303: "HTTP_302", 307: "HTTP_302", 308: "HTTP_301"}
"""A balancer redirects with 301 and 302 only."""

CONTENT_TYPES = ("text/plain", "text/css", "text/html", "application/javascript", "application/json")
"""Media types of a balancer's fixed answers."""

MAX_BODY = 1024
"""Characters of a balancer's fixed answer."""


def redirect_action(route: Route, host: str | None) -> Json:
    """A redirect; ``#{path}`` is the request's own. host: of a redirect to the same origin, if it must be said."""
    action = route.action
    if not isinstance(action, Redirect):
        raise TypeError(action)
    parts = urlsplit(action.origin_url)
    found: Json = {"status": STATUSES[action.status], "query": "#{query}"}
    if action.origin_url:
        found |= {
            "protocol": parts.scheme.upper(),
            "host": parts.hostname or "",
            "port": str(parts.port or (443 if parts.scheme == "https" else 80)),
        }
    elif host is not None:
        found |= {"protocol": "HTTPS", "host": host, "port": "443"}
    found["path"] = redirect_path(route)
    return {"redirect": found}


def redirect_path(route: Route) -> str:
    """The path of a redirect in a balancer's words; see `can_redirect`."""
    action = route.action
    if not isinstance(action, Redirect):
        raise TypeError(action)
    if action.path is None or (action.keep_rest and action.path.rstrip("/") == route.path.prefix):
        return "/#{path}"
    return action.path or "/"


def can_redirect(route: Route) -> bool:
    """Whether a balancer can say where it leads: it knows the whole path of a request, and no part of it."""
    action = route.action
    return not isinstance(action, Redirect) or not action.keep_rest or redirect_path(route) == "/#{path}"


def respond_action(action: Respond) -> Json:
    """A fixed answer."""
    return {
        "fixed": {"status": action.status, "content_type": action.content_type.partition(";")[0], "body": action.body}
    }


def can_respond(action: Respond) -> str:
    """Why a balancer cannot give this answer; an empty text if it can."""
    if not (200 <= action.status < 300 or 400 <= action.status < 600):
        return f"a load balancer answers with 2xx, 4xx or 5xx, not with {action.status}"
    if len(action.body) > MAX_BODY:
        return f"the body has {len(action.body)} characters; a load balancer's has {MAX_BODY} at most"
    if action.content_type.partition(";")[0] not in CONTENT_TYPES:
        return f"a load balancer has no `{action.content_type}`; it has {', '.join(CONTENT_TYPES)}"
    return ""


def path_transform(route: Route, prefix: str = "") -> tuple[Json, ...]:
    """What rewrites the path of a route for its service, or puts ``prefix`` before it; none if nothing changes."""
    rewrite = route.rewrite
    if rewrite is None or (rewrite.prefix is None and rewrite.path is None):
        return ({"url": {"regex": "^/(.*)$", "replace": f"/{prefix}/$1"}},) if prefix else ()
    pattern, groups = _capture(route.path)
    if rewrite.prefix is not None and not rewrite.prefix.rstrip("/") and "*" in groups:
        # What is left must begin with a slash of its own.
        pattern, to = pattern.replace("((?:/[^?]*)?)", "/?([^?]*)"), f"/${groups['*']}"
    elif rewrite.prefix is not None:
        to = rewrite.prefix.rstrip("/") + (f"${groups['*']}" if "*" in groups else "")
    elif rewrite.path is not None:
        to = _replacement(rewrite.path, groups)
    else:
        to = "/"
    return ({"url": {"regex": pattern, "replace": f"{to or '/'}${len(groups) + 1}"}},)


def _capture(path: PathPattern) -> tuple[str, dict[str, int]]:
    """A regular expression for the route's path, with the number of the group of each variable and of ``*``.

    The last group is the query: AWS leaves open whether an expression sees it, and is right either way.
    """
    text, groups = "", dict[str, int]()
    for item in path.segments:
        if item.variable:
            groups[item.text] = len(groups) + 1
            text += "/([^/?]+)"
        else:
            text += "/" + escaped(item.text)
    if path.rest:
        groups["*"] = len(groups) + 1
        return f"^{text}((?:/[^?]*)?)((?:\\?.*)?)$", groups
    return f"^{text or '/'}((?:\\?.*)?)$", groups


def _replacement(path: PathPattern, groups: dict[str, int]) -> str:
    parts = [f"${groups[item.text]}" if item.variable else re.sub(r"\$", "$$", item.text) for item in path.segments]
    text = "".join(f"/{part}" for part in parts)
    return text + (f"${groups['*']}" if path.rest and "*" in groups else "") or "/"
