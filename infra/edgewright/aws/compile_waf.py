"""A web ACL from a spec's firewall and from the throttles that only it can count; and the guard of paths before all
else.
"""

import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256

from edgewright.aws.artifact import Json, WafPlan
from edgewright.aws.compile_rules import regex
from edgewright.aws.firewalls import RATE_PER_IP
from edgewright.aws.priorities import assign
from edgewright.edge.model import PathPattern, Waf

WINDOW = 60
"""Seconds over which rates are counted; AWS has 60, 120, 300 and 600."""

FLOOR = 10
"""The least limit of a rate rule, in requests a window."""

PATTERN = 512
"""Characters of a regular expression."""

TOO_MANY = "too-many-requests"
ODD_PATH = "odd-path"

# Bands of priorities: what is added to one moves nothing in another. Labels and rates have wide ones, in which each
# has a place of its own by its name, so that a throttle that is added moves no other.
_DENY, _ALLOW, _GUARD, _LABELS, _RATES, _PER_IP, _MANAGED = 10, 20, 30, 1_000, 100_000, 299_999, 300_000
_PLACES = 45_000

# Names of a spec, of AWS, and capacity units: "AWS Managed Rules rule groups list", read 2026-11.
MANAGED: dict[str, tuple[str, int]] = {
    "core": ("AWSManagedRulesCommonRuleSet", 700),
    "known-bad-inputs": ("AWSManagedRulesKnownBadInputsRuleSet", 200),
    "sql-injection": ("AWSManagedRulesSQLiRuleSet", 200),
    "ip-reputation": ("AWSManagedRulesAmazonIpReputationList", 25),
    "anonymous-ip": ("AWSManagedRulesAnonymousIpList", 50),
    "bots": ("AWSManagedRulesBotControlRuleSet", 50),
}

UNASKED = ("known-bad-inputs",)
"""Rule sets of a web ACL whose spec has no ``waf``: attacks by name (Log4Shell, Spring4Shell), nothing that a service
could mean. A spec that has ``waf`` says all of them itself."""

# As the guards of a balancer, but for what a URL-decoding reader would see too.
_ODD = (
    r"//|/\.\.?(/|$)|\\|[;?#]|[^!-~]|(\.|%20)(/|$)",
    r"%(2[eEfF35]|3[bBfF]|5[cC]|00|[cC][01])|%(2[dD]|3[0-9]|[46][1-9a-fA-F]|[57][0-9aA]|5[fF]|7[eE])|%([^0-9a-fA-F]|[0-9a-fA-F]([^0-9a-fA-F]|$)|$)",
)


@dataclass(frozen=True, slots=True)
class Requests:
    """Requests by path and method (None: any), but for those that a route which comes before takes."""

    paths: tuple[PathPattern, ...]
    methods: tuple[str, ...] | None
    but: tuple[tuple[PathPattern, tuple[str, ...] | None], ...] = ()


@dataclass(frozen=True, slots=True)
class RateBucket:
    """A throttle to be counted by the web ACL.

    name: unique; rate: requests and seconds; key: ``ip``, ``route``, ``header:NAME``, or ``token:NAME`` for a header
    with a credential; counted: what is.
    """

    name: str
    rate: tuple[int, int]
    burst: int
    key: str
    counted: tuple[Requests, ...]

    @property
    def limit(self) -> int:
        """Requests in a window."""
        count, seconds = self.rate
        return max(FLOOR, math.ceil(count / seconds * WINDOW))


def compile_waf(
    waf: Waf | None, buckets: Sequence[RateBucket], *, guard_paths: bool, slashes: Sequence[str] = ()
) -> WafPlan | None:
    """The web ACL for a firewall and throttles; None when there is nothing to do.

    One that is there for throttles or the guard alone also blocks what AWS knows to be bad in any request (`UNASKED`).
    guard_paths: refuse paths with more than one reading; slashes: expressions of paths that are refused for their last
    slash (`compile_services.slash_paths`).
    """
    if waf is None and not buckets and not guard_paths:
        return None
    sets = dict(_ip_sets(waf)) if waf is not None else {}
    rules: list[tuple[Json, int]] = []
    if waf is not None:
        rules += _lists(waf, sets)
    if guard_paths:
        rules.append(_guard())
        rules += _slashes(slashes)
    rules += _labels(buckets)
    places = _places(buckets)
    rules += [rule for bucket in buckets for rule in _rates(bucket, _RATES + 2 * places[bucket.name])]
    if waf is not None:
        rules += _rate_per_ip(waf)
    rules += _managed(waf.managed, waf.mode) if waf is not None else _managed(UNASKED, "block", "baseline-")
    rules.sort(key=lambda item: item[0]["priority"])
    return WafPlan(tuple(rule for rule, _ in rules), sets, _bodies(), sum(units for _, units in rules))


# -- address lists -----------------------------------------------------------------------------------------------------


def _ip_sets(waf: Waf) -> Iterator[tuple[str, Json]]:
    for kind, addresses in (("deny", waf.deny), ("allow", waf.allow)):
        for version in ("IPV4", "IPV6"):
            found = [item for item in addresses if (":" in item) == (version == "IPV6")]
            if found:
                yield f"{kind}-{version.lower()}", {"addresses": sorted(found), "version": version}


def _lists(waf: Waf, sets: dict[str, Json]) -> list[tuple[Json, int]]:
    found: list[tuple[Json, int]] = []
    denied = [_in_set(name) for name in sets if name.startswith("deny")]
    if denied:
        found.append(
            (_rule("deny", _DENY, _any(denied), _block(403) if waf.mode == "block" else {"count": {}}), len(denied))
        )
    allowed = [_in_set(name) for name in sets if name.startswith("allow")]
    if allowed:
        others = {"not_statement": {"statement": _any(allowed)}}
        found.append(
            (_rule("allow", _ALLOW, others, _block(403) if waf.mode == "block" else {"count": {}}), len(allowed))
        )
    return found


def _in_set(name: str) -> Json:
    return {"ip_set_reference_statement": {"arn": f"{{{{ip_set:{name}}}}}"}}


# -- the guard ---------------------------------------------------------------------------------------------------------


def _guard() -> tuple[Json, int]:
    """Refuses paths with more than one reading, whatever the mode: it is part of the edge, and not of a rule set."""
    matches = [_uri(pattern, "NONE") for pattern in _ODD]
    action = _block(400, ODD_PATH)
    return _rule("path-guard", _GUARD, _any(matches), action), 3 * len(matches)


def _slashes(expressions: Sequence[str]) -> list[tuple[Json, int]]:
    if not expressions:
        return []
    patterns = joined(expressions)
    statement = _any([_uri(pattern, "NONE") for pattern in patterns])
    return [(_rule("slash-guard", _GUARD + 1, statement, _block(404)), 3 * len(patterns))]


def _uri(pattern: str, transformation: str) -> Json:
    return {
        "regex_match_statement": {
            "regex_string": pattern,
            "field_to_match": {"uri_path": {}},
            "text_transformations": [{"priority": 0, "type": transformation}],
        }
    }


# -- throttles ---------------------------------------------------------------------------------------------------------


def _labels(buckets: Sequence[RateBucket]) -> list[tuple[Json, int]]:
    """Rules that mark the requests of a bucket: a rate rule may narrow itself by a label, but not look at a path."""
    found: list[tuple[Json, int]] = []
    places = _places(buckets)
    for bucket in buckets:
        parts = [_requests(one) for one in bucket.counted]
        statement = _any([part for part, _ in parts])
        rule = _rule(f"label-{bucket.name}", _LABELS + places[bucket.name], statement, {"count": {}})
        rule["rule_labels"] = [{"name": label(bucket.name)}]
        found.append((rule, sum(units for _, units in parts)))
    return found


def _requests(counted: Requests) -> tuple[Json, int]:
    """A statement that matches these requests, and its capacity."""
    wanted = [_paths(counted.paths, counted.methods)]
    by_methods: dict[tuple[str, ...] | None, list[PathPattern]] = {}
    for path, methods in counted.but:
        by_methods.setdefault(methods, []).append(path)
    others = [_paths(paths, methods) for methods, paths in by_methods.items()]
    if others:
        wanted.append(({"not_statement": {"statement": _any([one for one, _ in others])}}, sum(n for _, n in others)))
    return _all([one for one, _ in wanted]), sum(units for _, units in wanted)


def _paths(paths: Sequence[PathPattern], methods: tuple[str, ...] | None) -> tuple[Json, int]:
    patterns = joined([regex(path) for path in paths])
    parts = [_any([_uri(pattern, "NONE") for pattern in patterns])]
    if methods is not None:
        parts.append(_any([_method(name) for name in methods]))
    return _all(parts), 3 * len(patterns) + 2 * len(methods or ())


def _places(buckets: Sequence[RateBucket]) -> dict[str, int]:
    """A place in a band for each bucket, by its name alone unless another has it."""
    names = sorted(bucket.name for bucket in buckets)
    return assign([(int.from_bytes(sha256(name.encode()).digest()[:6]) % _PLACES, name) for name in names])


def joined(expressions: Sequence[str]) -> list[str]:
    """The same expressions in as few as their length allows."""
    found: list[str] = []
    for text in sorted(set(expressions)):
        if found and len(found[-1]) + len(text) < PATTERN:
            found[-1] += f"|{text}"
        else:
            found.append(text)
    return found


def label(name: str) -> str:
    """The label of a bucket; letters, digits, ``_``, ``-`` and ``:``."""
    return "edgewright:" + _slug(name)


def _method(name: str) -> Json:
    return {
        "byte_match_statement": {
            "search_string": name,
            "positional_constraint": "EXACTLY",
            "field_to_match": {"method": {}},
            "text_transformations": [{"priority": 0, "type": "NONE"}],
        }
    }


def _rates(bucket: RateBucket, priority: int) -> Iterator[tuple[Json, int]]:
    kind, _, header = bucket.key.partition(":")
    scope: Json = {"label_match_statement": {"scope": "LABEL", "key": label(bucket.name)}}
    if kind in ("ip", "route"):
        keys = {"aggregate_key_type": "IP" if kind == "ip" else "CONSTANT"}
        yield _rule(f"rate-{bucket.name}", priority, _rate(bucket.limit, keys, scope), _block(429, TOO_MANY)), 2
        return
    own = {
        "aggregate_key_type": "CUSTOM_KEYS",
        "custom_keys": [{"header": {"name": header, "text_transformations": [{"priority": 0, "type": "NONE"}]}}],
    }
    yield _rule(f"rate-{bucket.name}", priority, _rate(bucket.limit, own, scope), _block(429, TOO_MANY)), 32
    # A request without the header is not counted by it: its address is.
    without = {"and_statement": {"statements": [scope, {"not_statement": {"statement": _has(header)}}]}}
    by_ip = _rate(bucket.limit, {"aggregate_key_type": "IP"}, without)
    yield _rule(f"rate-without-{bucket.name}", priority + 1, by_ip, _block(429, TOO_MANY)), 3


def _has(header: str) -> Json:
    return {
        "size_constraint_statement": {
            "comparison_operator": "GE",
            "size": 1,
            "field_to_match": {"single_header": {"name": header.lower()}},
            "text_transformations": [{"priority": 0, "type": "NONE"}],
        }
    }


def _rate(limit: int, keys: Json, scope: Json | None) -> Json:
    found: Json = {"limit": limit, "evaluation_window_sec": WINDOW, **keys}
    if scope is not None:
        found["scope_down_statement"] = scope
    return {"rate_based_statement": found}


def _rate_per_ip(waf: Waf) -> list[tuple[Json, int]]:
    if waf.rate_per_ip is None:
        return []
    count, seconds = waf.rate_per_ip
    limit = max(FLOOR, math.ceil(count / seconds * WINDOW))
    action: Json = _block(429, TOO_MANY) if waf.mode == "block" else {"count": {}}
    return [(_rule(RATE_PER_IP, _PER_IP, _rate(limit, {"aggregate_key_type": "IP"}, None), action), 2)]


def _managed(names: Sequence[str], mode: str, prefix: str = "") -> list[tuple[Json, int]]:
    found: list[tuple[Json, int]] = []
    for index, name in enumerate(MANAGED):
        if name not in names:
            continue
        group, units = MANAGED[name]
        statement: Json = {"managed_rule_group_statement": {"name": group, "vendor_name": "AWS"}}
        rule = _rule(f"{prefix}{name}", _MANAGED + index, statement, None)
        rule["override_action"] = {"none": {}} if mode == "block" else {"count": {}}
        found.append((rule, units))
    return found


# -- pieces ------------------------------------------------------------------------------------------------------------


def _rule(name: str, priority: int, statement: Json, action: Json | None) -> Json:
    found: Json = {
        "name": _slug(name),
        "priority": priority,
        "statement": statement,
        "visibility_config": {
            "cloudwatch_metrics_enabled": True,
            "metric_name": _slug(name),
            "sampled_requests_enabled": True,
        },
    }
    if action is not None:
        found["action"] = action
    return found


_SIGNS = str.maketrans({".": "__", "+": "_p", "(": "_l", ")": "_r"})
"""For signs of a route's slug, which escapes an underscore: two slugs never become one name."""


def _slug(name: str) -> str:
    """A name that AWS takes, different for different names: at most 100 letters, digits, ``_`` and ``-``."""
    found = name.translate(_SIGNS)
    plain = re.sub(r"[^A-Za-z0-9_-]", "-", found)
    if plain == found and len(plain) <= 100:
        return plain
    return f"{plain[:90]}-{sha256(name.encode()).hexdigest()[:8]}"


def _all(statements: list[Json]) -> Json:
    return statements[0] if len(statements) == 1 else {"and_statement": {"statements": statements}}


def _any(statements: list[Json]) -> Json:
    return statements[0] if len(statements) == 1 else {"or_statement": {"statements": statements}}


def _block(status: int, body: str = "") -> Json:
    response: Json = {"response_code": status}
    if body:
        response["custom_response_body_key"] = body
    if status == 429:
        response["response_headers"] = [{"name": "retry-after", "value": str(WINDOW)}]
    return {"block": {"custom_response": response}}


def _bodies() -> dict[str, Json]:
    text = '{"type":"about:blank","title":"%s","status":%d}'
    return {
        TOO_MANY: {"content": text % ("Too Many Requests", 429), "content_type": "APPLICATION_JSON"},
        ODD_PATH: {"content": text % ("The path has more than one reading", 400), "content_type": "APPLICATION_JSON"},
    }
