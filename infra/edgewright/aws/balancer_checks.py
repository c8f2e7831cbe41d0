"""Everything that can be wrong with the arguments of an Application Load Balancer, found before it is made."""

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

# Sources: "Quotas for your Application Load Balancers", "Listener rules", "Target group health checks"; read 2026-11.
VALUES, CLAIMS, GROUPS, PATTERN = 5, 10, 5, 128

_CONDITIONS = ("hosts", "paths", "path_regex", "methods", "header", "query", "source_ips")
_ONCE = (("hosts",), ("paths", "path_regex"), ("methods",), ("source_ips",))
_FINAL = ("forward", "redirect", "fixed")
_LOGINS = ("jwt", "oidc", "cognito")
_OVERRIDDEN = ("listeners", "rules", "target_groups", "trust_stores")


def balancer_problems(args: Mapping[str, Any], headers: Mapping[str, str]) -> list[str]:
    """What is wrong, a line each. headers: those that a listener can put on every answer."""
    problems = [f"`{key}` is missing" for key in ("vpc_id", "subnets", "listeners") if key not in args]
    if problems:
        return problems
    subnets = args["subnets"]
    if len(subnets) < 2:
        problems.append(f"`subnets` has {len(subnets)}; a load balancer needs two, in different zones")
    problems += in_range(args, "idle_timeout", 1, 4000)
    problems += in_range(args, "client_keep_alive", 60, 604_800)
    problems += [line for name, item in args["listeners"].items() for line in _listener(name, item, args, headers)]
    problems += [
        line for name, item in args.get("target_groups", {}).items() for line in target_group_problems(name, item)
    ]
    problems += _rules(args)
    problems += door_problems(args)
    problems += _overrides(args)
    return problems


def in_range(args: Mapping[str, Any], key: str, low: int, high: int, where: str = "") -> list[str]:
    """A problem when a plain number is out of its bounds; none while it is not known."""
    value = args.get(key)
    if isinstance(value, int | float) and not low <= value <= high:
        return [f"{where}`{key}` is {value}; it may be {low} to {high}"]
    return []


def _listener(name: str, item: Mapping[str, Any], args: Mapping[str, Any], headers: Mapping[str, str]) -> Iterator[str]:
    at = f"listeners.{name}: "
    protocol = item.get("protocol", "HTTPS")
    if not 1 <= item.get("port", 0) <= 65535:
        yield f"{at}`port` must be 1 to 65535"
    if protocol not in ("HTTP", "HTTPS"):
        yield f"{at}`protocol` is {protocol}; write HTTPS or HTTP"
    if protocol == "HTTPS" and item.get("certificate_arn") is None:
        yield f"{at}an HTTPS listener needs a `certificate_arn`"
    if protocol == "HTTP" and item.get("mutual_authentication"):
        yield f"{at}client certificates need `protocol: HTTPS`"
    if len(item.get("certificate_arns", {})) > 25:
        yield f"{at}it has {len(item['certificate_arns'])} further certificates; AWS's limit is 25"
    for header in item.get("response_headers", {}):
        if header not in headers:
            yield f"{at}a listener has no header `{header}`; it has {', '.join(headers)}"
    mutual: Mapping[str, Any] = item.get("mutual_authentication") or {}
    store = mutual.get("trust_store")
    if store is not None and store not in args.get("trust_stores", {}):
        yield f"{at}there is no trust store `{store}`"
    if "default_action" in item:
        yield from _actions([item["default_action"]], args, at, secure=protocol == "HTTPS")


def target_group_problems(name: str, item: Mapping[str, Any]) -> Iterator[str]:
    """What is wrong with a target group of either kind of balancer."""
    at = f"target_groups.{name}: "
    kind = item.get("target_type", "ip")
    if "existing_arn" in item:
        return
    if kind not in ("ip", "instance", "lambda", "alb"):
        yield f"{at}`target_type` is {kind}; write ip, instance, lambda or alb"
    if kind != "lambda" and "port" not in item:
        yield f"{at}`port` is missing"
    check: Mapping[str, Any] = item.get("health_check") or {}
    yield from in_range(check, "interval", 5, 300, at)
    yield from in_range(check, "timeout", 2, 120, at)
    yield from in_range(check, "healthy_threshold", 2, 10, at)
    yield from in_range(check, "unhealthy_threshold", 2, 10, at)
    interval, timeout = check.get("interval", 30), check.get("timeout", 5)
    if isinstance(interval, int | float) and isinstance(timeout, int | float) and timeout >= interval:
        yield f"{at}a check's timeout ({timeout} s) must be shorter than its interval ({interval} s)"
    slow = item.get("slow_start", 0)
    if isinstance(slow, int | float) and slow and not 30 <= slow <= 900:
        yield f"{at}`slow_start` is {slow}; it may be 0, or 30 to 900"


def _rules(args: Mapping[str, Any]) -> Iterator[str]:
    rules: Mapping[str, Any] = args.get("rules", {})
    limit = args.get("rules_limit", 100)
    if len(rules) > limit:
        yield f"it has {len(rules)} rules; AWS's limit is {limit}: have the quota raised and pass `rules_limit`"
    if len(args.get("target_groups", {})) > 100:
        yield f"it has {len(args['target_groups'])} target groups; AWS's limit is 100"
    taken: dict[tuple[str, int], str] = {}
    for name, rule in rules.items():
        at = f"rules.{name}: "
        listener, priority = rule.get("listener"), rule.get("priority", 0)
        if listener not in args["listeners"]:
            yield f"{at}there is no listener `{listener}`; there are {', '.join(args['listeners'])}"
            continue
        if not 1 <= priority <= 50_000:
            yield f"{at}`priority` is {priority}; it may be 1 to 50000"
        if (listener, priority) in taken:
            yield f"{at}priority {priority} is that of `{taken[listener, priority]}` too"
        taken[listener, priority] = name
        yield from _conditions(rule.get("conditions", []), at)
        secure = args["listeners"][listener].get("protocol", "HTTPS") == "HTTPS"
        yield from _actions(rule.get("actions", []), args, at, secure=secure)
        kinds = [next(iter(item), "") for item in rule.get("transforms", [])]
        if len(set(kinds)) != len(kinds) or not set(kinds) <= {"url", "host"}:
            yield f"{at}`transforms` may have one `url` and one `host`"


def _conditions(conditions: Sequence[Mapping[str, Any]], at: str) -> Iterator[str]:
    if not conditions:
        yield f"{at}it has no conditions; what no rule takes is the listener's `default_action`"
    kinds: list[str] = []
    count = 0
    for item in conditions:
        if len(item) != 1 or next(iter(item)) not in _CONDITIONS:
            yield f"{at}a condition has exactly one of {', '.join(_CONDITIONS)}"
            continue
        kind, value = next(iter(item.items()))
        kinds.append(kind)
        values: Sequence[Any] = (value.get("regex") or value.get("values") or ()) if kind == "header" else value
        count += len(values)
        for text in values:
            if isinstance(text, str) and len(text) > PATTERN:
                yield f"{at}`{text[:40]}...` has {len(text)} characters; a pattern has {PATTERN} at most"
        if kind in ("paths", "path_regex"):
            yield from _patterns(values, kind, at)
    if count > VALUES:
        yield f"{at}its conditions have {count} values; AWS's limit is {VALUES} a rule"
    for once in _ONCE:
        if sum(kind in once for kind in kinds) > 1:
            yield f"{at}it has several conditions on {once[0]}; put their values into one"


def _patterns(values: Sequence[Any], kind: str, at: str) -> Iterator[str]:
    for text in values:
        if kind == "paths" and isinstance(text, str) and not text.startswith(("/", "*")):
            yield f"{at}the path `{text}` does not begin with a slash"
        if kind == "path_regex" and isinstance(text, str):
            try:
                re.compile(text)
            except re.error as error:
                yield f"{at}`{text}` is no regular expression: {error}"
            if re.search(r"\(\?[=!<]|\\[1-9]", text):
                yield f"{at}`{text}` looks around or back, which a load balancer does not"


def _actions(actions: Sequence[Mapping[str, Any]], args: Mapping[str, Any], at: str, *, secure: bool) -> Iterator[str]:
    kinds = [next(iter(item), "") for item in actions]
    if any(kind not in (*_FINAL, *_LOGINS) or len(item) != 1 for kind, item in zip(kinds, actions, strict=True)):
        yield f"{at}an action has exactly one of {', '.join((*_FINAL, *_LOGINS))}"
        return
    if not kinds or kinds[-1] not in _FINAL or any(kind in _FINAL for kind in kinds[:-1]):
        yield f"{at}its actions must end with one of {', '.join(_FINAL)}"
    logins = [kind for kind in kinds if kind in _LOGINS]
    if len(logins) > 1:
        yield f"{at}it has {' and '.join(logins)}; a rule authenticates once"
    if logins and not secure:
        yield f"{at}{logins[0]} needs an HTTPS listener"
    for kind, item in zip(kinds, actions, strict=True):
        yield from _ACTIONS.get(kind, _nothing)(item[kind], args, at)


def _nothing(_action: Mapping[str, Any], _args: Mapping[str, Any], _at: str) -> Iterator[str]:
    return iter(())


def _forward(action: Mapping[str, Any], args: Mapping[str, Any], at: str) -> Iterator[str]:
    groups = action.get("target_groups", {})
    if not 1 <= len(groups) <= GROUPS:
        yield f"{at}it forwards to {len(groups)} target groups; it may be 1 to {GROUPS}"
    for name, weight in groups.items():
        if name not in args.get("target_groups", {}):
            yield f"{at}there is no target group `{name}`"
        if isinstance(weight, int) and not 0 <= weight <= 999:
            yield f"{at}the weight of `{name}` is {weight}; it may be 0 to 999"


def _fixed(action: Mapping[str, Any], _args: Mapping[str, Any], at: str) -> Iterator[str]:
    status = action.get("status", 0)
    if not (200 <= status < 300 or 400 <= status < 600):
        yield f"{at}a fixed answer has a status of 2xx, 4xx or 5xx, not {status}"
    if len(action.get("body") or "") > 1024:
        yield f"{at}the body of a fixed answer has 1,024 characters at most"


def _redirect(action: Mapping[str, Any], _args: Mapping[str, Any], at: str) -> Iterator[str]:
    if action.get("status") not in ("HTTP_301", "HTTP_302"):
        yield f"{at}a redirect's `status` is HTTP_301 or HTTP_302"


def _jwt(action: Mapping[str, Any], _args: Mapping[str, Any], at: str) -> Iterator[str]:
    claims = action.get("claims", [])
    if len(claims) > CLAIMS:
        yield f"{at}it asks for {len(claims)} claims; AWS's limit is {CLAIMS}"
    for claim in claims:
        if claim.get("name") in ("exp", "iss", "nbf", "iat"):
            yield f"{at}`{claim['name']}` may not be an additional claim"
        if len(claim.get("values", [])) > CLAIMS:
            yield f"{at}the claim `{claim.get('name')}` has {len(claim['values'])} values; AWS's limit is {CLAIMS}"
    for key in ("issuer", "jwks_uri"):
        value = action.get(key)
        if value is None or (isinstance(value, str) and not value.startswith(("https://", "${"))):
            yield f"{at}`{key}` must be an https address"


_ACTIONS = {"forward": _forward, "fixed": _fixed, "redirect": _redirect, "jwt": _jwt}


def door_problems(args: Mapping[str, Any]) -> Iterator[str]:
    """A public balancer is open on the ports of its listeners and on no other."""
    ports = {item.get("port") for item in args["listeners"].values()}
    for name, door in args.get("ingress", {}).items():
        anywhere = door.get("cidr_ipv4") == "0.0.0.0/0" or door.get("cidr_ipv6") == "::/0"
        if anywhere and (door.get("port") not in ports or door.get("to_port", door.get("port")) != door.get("port")):
            yield f"ingress.{name}: the internet would reach port {door.get('port')}, and no listener is there"
    if "security_group_id" not in args and not args.get("ingress"):
        yield "nobody could reach it: give `ingress`, or an existing `security_group_id`"


def _overrides(args: Mapping[str, Any]) -> Iterator[str]:
    overrides: Mapping[str, Any] = args.get("overrides") or {}
    for key in overrides:
        part, _, name = key.partition(".")
        if key in ("load_balancer", "web_acl_association") or part in ("attachments", "permissions", "certificates"):
            continue
        if part not in _OVERRIDDEN or name not in args.get(part, {}):
            known = ["load_balancer", *(f"{one}.NAME" for one in _OVERRIDDEN)]
            yield f"overrides: there is no `{key}`; there are {', '.join(known)}"
