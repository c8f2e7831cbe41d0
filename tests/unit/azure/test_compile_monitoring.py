"""What watches an edge on Azure, as data: rules, queries that hold together, a workbook, and what is approximated."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft7Validator

from edgewright.azure.compile_monitoring import (
    CAPABILITIES,
    Criterion,
    Monitoring,
    compile_monitoring,
    receiver,
    workspace_days,
)
from edgewright.azure.compile_workbook import workbook_text
from edgewright.azure.request_logs import ENOUGH, Parts, literal
from edgewright.edge.model import Edge
from edgewright.edge.resolve import resolve
from edgewright.spec.document import from_data
from golden_files import assert_golden

FOLDER = Path(__file__).parents[2] / "golden" / "azure"

KINDS: Mapping[str, Parts] = {
    "managed": Parts("managed", "StandardV2", ("shop",), ("shop-ws-live",), None, {"services": None}),
    "classic": Parts("managed", "Premium", ("shop",), (), None, {"services": None}),
    "consumption": Parts("managed", "Consumption", ("shop",)),
    "self-hosted": Parts("self_hosted", "Premium", ("shop",), (), None, {"edge": 3, "services": None}, insights=True),
    "self-hosted-blind": Parts("self_hosted", "Premium", ("shop",), (), None, {"edge": 3}),
    "application-gateway": Parts("managed", "Premium", ("shop",), (), "application_gateway", {"services": None}),
    "front-door": Parts("managed", "StandardV2", ("shop",), (), "front_door", {"services": None}),
    "streams": Parts(None, balancers={"streams": None}),
}

WATCHED: dict[str, Any] = {
    "error_rate": 5,
    "latency": {"percentile": 95, "above": "500ms"},
    "throttled": 10,
    "unhealthy_targets": 1,
    "notify": ["oncall"],
}


def edge(**changes: Any) -> Edge:
    spec: dict[str, Any] = {
        "name": "shop",
        "listener": {"host": "api.shop.example"},
        "backends": {"orders": {"port": 8080}},
        "routes": {"GET /a": {"backend": "orders", "auth": "none"}},
        "monitor": {key: value for key, value in {**WATCHED, **changes}.items() if value is not None},
    }
    return resolve(from_data(spec))


def watched(kind: str, **changes: Any) -> Monitoring:
    found = compile_monitoring(edge(**changes), KINDS[kind])
    assert found is not None
    return found


def panels(found: Monitoring) -> dict[str, Any]:
    assert found.workbook is not None
    return {item["name"]: item for item in found.workbook["items"]}


def queries(found: Monitoring) -> dict[str, str]:
    """All queries, of rules and of the workbook."""
    return {
        **{name: item.query for name, item in found.query_rules.items()},
        **{f"panel {name}": item["content"]["query"] for name, item in panels(found).items() if item["type"] == 3},
    }


# -- as reviewed -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
def test_the_monitoring_of_a_kind_is_what_was_reviewed(kind: str) -> None:
    found = watched(kind)
    shown = {
        "metric_alerts": {
            name: f"{item.severity}: {item.namespace.partition('/')[2]} ({item.scope}) "
            + " and ".join(_shown(one) for one in item.criteria)
            + f", of {item.window} every {item.frequency}"
            for name, item in found.metric_alerts.items()
        },
        "query_rules": {
            name: f"{item.severity}: {item.column} > {item.threshold:g}\n{item.query}\n"
            for name, item in found.query_rules.items()
        },
        "diagnostics": {name: ", ".join(item.logs) for name, item in found.diagnostics.items()},
        "approximated": dict(found.approximated),
    }
    assert_golden(FOLDER / f"monitoring.{kind}.yaml", _yaml({key: value for key, value in shown.items() if value}))


@pytest.mark.parametrize("kind", ["managed", "self-hosted", "application-gateway"])
def test_the_workbook_of_a_kind_is_what_was_reviewed(kind: str) -> None:
    assert_golden(FOLDER / f"monitoring.{kind}.workbook.yaml", _yaml(watched(kind).workbook or {}))


def _shown(one: Criterion) -> str:
    of = "".join(f" {name}={','.join(values)}" for name, values in one.dimensions.items())
    return f"{one.aggregation} {one.metric}{of} {one.operator} {one.threshold:g}"


class _Dumper(yaml.SafeDumper):
    """Shows texts of several lines as such."""


_Dumper.add_representer(
    str,
    lambda dumper, text: dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None),
)


def _yaml(value: Mapping[str, Any]) -> str:
    return yaml.dump(json.loads(json.dumps(value)), Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=120)


# -- the queries -------------------------------------------------------------------------------------------------------


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


# Microsoft's "Azure Monitor Logs reference", read 2026-11: columns of each table, without those of bodies and headers.
COLUMNS: Mapping[str, frozenset[str]] = {
    "ApiManagementGatewayLogs": _words(
        "ApiId ApimSubscriptionId BackendId BackendResponseCode BackendTime Cache CacheTime CallerIpAddress"
        " CorrelationId IsRequestSuccess LastErrorMessage LastErrorReason LastErrorSource Method OperationId"
        " OperationName ProductId Region ResponseCode TimeGenerated TotalTime Url UserId _ResourceId"
    ),
    "AGWAccessLogs": _words(
        "BackendPoolName ClientIp Host HttpMethod HttpStatus ListenerName RequestUri RuleName ServerStatus TimeGenerated"
        " TimeTaken TransactionId WafEvaluationTime _ResourceId"
    ),
    "AppRequests": _words(
        "DurationMs ItemCount Name OperationId OperationName Properties ResultCode Success TimeGenerated Url"
        " _ResourceId"
    ),
    "AppDependencies": _words(
        "DependencyType DurationMs ItemCount Name Properties ResultCode Success Target TimeGenerated _ResourceId"
    ),
}
FUNCTIONS = _words("bin count isnotempty percentile percentilew strcat sum sumif toint tostring")
WORDS = _words("and asc by desc false in not or true")

_TOKEN = re.compile(
    r'\s+|(?P<text>"(?:[^"\\\n]|\\.)*")|(?P<number>\d+(?:\.\d+)?[a-z]*)|(?P<name>[A-Za-z_]\w*)|(?P<sign>[<>=!]=|=~|in~|[|()\[\],=<>+*/~-])'
)


@dataclass(frozen=True)
class Token:
    """A word of a query. kind: text, number, name or sign."""

    kind: str
    word: str


def tokens(query: str) -> list[Token]:
    """The words of a query; ValueError where something is no word, such as a text that does not end."""
    found: list[Token] = []
    at = 0
    while at < len(query):
        match = _TOKEN.match(query, at)
        if match is None:
            raise ValueError(f"no word: {query[at : at + 30]!r}")
        if match.lastgroup is not None:
            found.append(Token(match.lastgroup, match[0]))
        at = match.end()
    return found


def split(words: Sequence[Token], sign: str) -> list[list[Token]]:
    """Parts between signs that stand in no brackets; ValueError for brackets that do not close."""
    found: list[list[Token]] = [[]]
    opened: list[str] = []
    for word in words:
        if word.kind == "sign" and word.word in "([":
            opened.append({"(": ")", "[": "]"}[word.word])
        elif word.kind == "sign" and word.word in ")]" and (not opened or opened.pop() != word.word):
            raise ValueError(f"unbalanced {word.word}")
        if word == Token("sign", sign) and not opened:
            found.append([])
        else:
            found[-1].append(word)
    if opened:
        raise ValueError(f"missing {opened}")
    return found


def problems(query: str) -> list[str]:
    """What is wrong with a query: its table, and each column that is not there where it is used."""
    stages = split(tokens(query.replace("{TimeRange:grain}", "5m")), "|")
    table = stages[0][0].word
    if len(stages[0]) != 1 or table not in COLUMNS:
        return [f"no table: {table}"]
    there: set[str] = set(COLUMNS[table])
    found: list[str] = []
    for operator, *rest in stages[1:]:
        if operator.word in ("where", "order"):
            found += _unknown(rest, there)
        elif operator.word == "top":
            found += _unknown(rest[1:], there)
        elif operator.word == "extend":
            found += [name for part in split(rest, ",") for name in _unknown(part[2:], there)]
            there |= {part[0].word for part in split(rest, ",")}
        elif operator.word in ("project", "summarize"):
            cut = next((at for at, word in enumerate(rest) if word.word == "by"), len(rest))
            parts = [*split(rest[:cut], ","), *(split(rest[cut + 1 :], ",") if cut < len(rest) else [])]
            found += [name for part in parts for name in _unknown(_value(part), there)]
            there = {_called(part) for part in parts}
        else:
            found.append(f"no operator: {operator.word}")
    return found


def _value(part: list[Token]) -> list[Token]:
    return part[2:] if len(part) > 1 and part[1].word == "=" else part


def _called(part: list[Token]) -> str:
    """The column that a part makes: its name, or what a bare ``bin(Column, ...)`` is of."""
    return part[2].word if part[0].word == "bin" else part[0].word


def _unknown(words: Sequence[Token], there: set[str]) -> Iterator[str]:
    for at, word in enumerate(words):
        if word.kind != "name" or word.word in WORDS:
            continue
        called = at + 1 < len(words) and words[at + 1].word == "("
        if called and word.word not in FUNCTIONS:
            yield f"no function: {word.word}"
        if not called and word.word not in there:
            yield f"no column: {word.word}"


@pytest.mark.parametrize("kind", KINDS)
def test_queries_ask_tables_and_columns_that_there_are(kind: str) -> None:
    for name, query in queries(watched(kind)).items():
        assert problems(query) == [], name


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("Requests | take 1", "no table: Requests"),
        ("AppRequests | where Duration > 1", "no column: Duration"),
        ("AppRequests | summarize Slow = max(DurationMs)", "no function: max"),
        ("AppRequests | summarize Slow = sum(DurationMs) by Name | where DurationMs > 1", "no column: DurationMs"),
        ("AppRequests | join AppDependencies", "no operator: join"),
    ],
)
def test_the_check_of_queries_finds_what_is_wrong(query: str, said: str) -> None:
    assert said in problems(query)


@pytest.mark.parametrize(
    "query", ['AppRequests | where Name == "a', "AppRequests | where (Success", "AppRequests | where Success)"]
)
def test_the_check_of_queries_finds_what_does_not_end(query: str) -> None:
    with pytest.raises(ValueError, match=r"no word|missing|unbalanced"):
        problems(query)


@pytest.mark.parametrize("kind", KINDS)
def test_a_rule_compares_a_column_that_its_query_has_in_the_end(kind: str) -> None:
    for item in watched(kind).query_rules.values():
        last = item.query.splitlines()[-1]
        assert re.fullmatch(rf"\| project {item.column}( = .+)?", last)


def test_rules_use_nothing_that_alerts_forbid() -> None:
    for kind in KINDS:
        for item in watched(kind).query_rules.values():
            words = {word.word for word in tokens(item.query)}
            assert not words & {"AggregatedValue", "bag_unpack", "pivot", "narrow", "union", "search", "take", "limit"}


def test_few_requests_make_no_share() -> None:
    found = watched("managed")
    for item in found.query_rules.values():
        assert f"| where Requests >= {ENOUGH}" in item.query.splitlines()


# -- hostile names -----------------------------------------------------------------------------------------------------

HOSTILE = (
    'shop") | union (AppRequests',
    'shop"',
    "shop\\",
    'shop\\" or 1 == 1',
    "shop'; // rest",
    'x" | project secret = "y',
    "ünïcode",
    "@'raw'",
)


def _with_api(name: str) -> dict[str, str]:
    found = compile_monitoring(edge(), replace(KINDS["managed"], apis=(name,)))
    assert found is not None
    return queries(found)


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_name_changes_no_query_but_one_text_of_it(name: str) -> None:
    plain, hostile = _with_api("harmless"), _with_api(name)
    for key in plain:
        before, after = (tokens(query[key].replace("{TimeRange:grain}", "5m")) for query in (plain, hostile))
        assert len(before) == len(after)
        changed = [(old, new) for old, new in zip(before, after, strict=True) if old != new]
        assert {(old.word, new.kind) for old, new in changed} == {('"harmless"', "text")}
        assert {_read(new.word) for _, new in changed} == {name}


def _read(text: str) -> str:
    """The value of a text of the language."""
    return re.sub(r"\\(.)", r"\1", text[1:-1])


@given(st.text(min_size=1))
def test_any_name_is_one_text_with_its_value_or_is_refused(name: str) -> None:
    try:
        text = literal(name)
    except ValueError:
        assert any(sign in "{}" or not sign.isprintable() for sign in name)
        return
    (token,) = tokens(text)
    assert (token.kind, _read(token.word)) == ("text", name)


@pytest.mark.parametrize("name", ["", "a\nb", "a\x00", "{TimeRange}", "{{service}}", "a\u2028b"])
def test_what_a_text_cannot_hold_or_a_workbook_would_replace_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="cannot stand in a query"):
        _with_api(name)


def test_names_of_routes_and_backends_are_in_no_query() -> None:
    spec: dict[str, Any] = {
        "name": "shop",
        "listener": {"host": "api.shop.example"},
        "backends": {"orders": {"port": 8080}},
        "routes": {"GET /zzz": "orders"},
        "defaults": {"auth": "none"},
        "monitor": WATCHED,
    }
    found = compile_monitoring(resolve(from_data(spec)), KINDS["managed"])
    assert found is not None
    assert not any("zzz" in query or "orders" in query for query in queries(found).values())


# -- the workbook ------------------------------------------------------------------------------------------------------

# By schema/workbook.json of microsoft/Application-Insights-Workbooks, read 2026-11: what it says of the kinds used here.
WORKBOOK: dict[str, Any] = {
    "type": "object",
    "required": ["version", "items", "$schema"],
    "properties": {
        "version": {"const": "Notebook/1.0"},
        "fallbackResourceIds": {"type": "array", "items": {"type": "string"}},
        "items": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["type", "content", "name"],
                "properties": {
                    "type": {"enum": [1, 3, 9, 10]},
                    "name": {"type": "string"},
                    "customWidth": {"type": "string"},
                    "content": {"type": "object"},
                },
                "allOf": [
                    {
                        "if": {"properties": {"type": {"const": 1}}},
                        "then": {"properties": {"content": {"properties": {"json": {"type": "string"}}}}},
                    },
                    {
                        "if": {"properties": {"type": {"const": 10}}},
                        "then": {
                            "properties": {
                                "content": {
                                    "required": ["chartId", "version", "resourceType", "resourceIds", "metrics"],
                                    "properties": {
                                        "chartId": {"type": "string"},
                                        "size": {"type": "integer"},
                                        "chartType": {"type": "integer"},
                                        "resourceIds": {"type": "array"},
                                        "metrics": {
                                            "type": "array",
                                            "items": {
                                                "required": ["namespace", "metric", "aggregation"],
                                                "properties": {
                                                    "namespace": {"type": "string"},
                                                    "aggregation": {"type": "integer"},
                                                    "splitBy": {"type": "string"},
                                                },
                                            },
                                        },
                                    },
                                }
                            }
                        },
                    },
                ],
            },
        },
    },
}


@pytest.mark.parametrize("kind", KINDS)
def test_a_workbook_is_of_microsofts_schema_and_its_items_have_names_of_their_own(kind: str) -> None:
    workbook = watched(kind).workbook
    assert workbook is not None
    assert list(Draft7Validator(WORKBOOK).iter_errors(workbook)) == []
    names = [item["name"] for item in workbook["items"]]
    assert len(names) == len(set(names))


def test_a_workbook_shows_what_an_edge_is_asked_for() -> None:
    assert set(panels(watched("managed"))) == {
        "title",
        "parameters",
        "requests-by-status",
        "shares",
        "latency",
        "cache",
        "throttled",
        "routes",
        "reasons",
        "backends",
        "capacity",
        "balancer-services",
    }


def test_a_workbook_shows_the_percentile_that_is_watched() -> None:
    shown = panels(watched("managed", latency={"percentile": 99.9, "above": "1s"}))["latency"]["content"]["query"]
    assert "P99_9 = percentile(Milliseconds, 99.9)" in shown


def test_the_only_braces_of_a_workbooks_queries_are_its_own_parameter_and_marks() -> None:
    for kind in KINDS:
        for query in queries(watched(kind)).values():
            rest = query.replace("{TimeRange:grain}", "")
            assert not re.search(r"[{}]", re.sub(r"\{\{(service|insights|application_gateway)\}\}", "", rest))


def test_the_same_edge_has_the_same_workbook() -> None:
    assert workbook_text(watched("managed").workbook or {}) == workbook_text(watched("managed").workbook or {})


def test_an_edge_that_wants_no_dashboard_has_none_and_is_not_sent_to_it() -> None:
    found = watched("managed", dashboard=False)
    assert found.workbook is None
    assert not any("workbook" in item.description for item in found.query_rules.values())


# -- metrics -----------------------------------------------------------------------------------------------------------

# Microsoft's "Supported metrics" of each type, read 2026-11: aggregations and dimensions of the metrics that are used.
METRICS: Mapping[str, Mapping[str, tuple[str, str]]] = {
    "Microsoft.ApiManagement/service": {
        "Requests": (
            "Total Maximum Minimum",
            "Location Hostname LastErrorReason BackendResponseCode GatewayResponseCode BackendResponseCodeCategory"
            " GatewayResponseCodeCategory ApiId",
        ),
        "Duration": ("Average Maximum Minimum", "Location Hostname ApiId"),
        "Capacity": ("Average Maximum", "Location"),
        "CpuPercent_Gateway": ("Average Maximum", ""),
        "MemoryPercent_Gateway": ("Average Maximum", ""),
    },
    "Microsoft.Network/loadBalancers": {
        "VipAvailability": ("Average", "FrontendIPAddress FrontendPort"),
        "DipAvailability": ("Average", "ProtocolType BackendPort FrontendIPAddress FrontendPort BackendIPAddress"),
    },
    "Microsoft.Network/applicationGateways": {
        "UnhealthyHostCount": ("Average", "BackendSettingsPool"),
        "HealthyHostCount": ("Average", "BackendSettingsPool"),
        "FailedRequests": ("Total", "BackendSettingsPool"),
        "ResponseStatus": ("Total", "HttpStatusGroup"),
    },
    "Microsoft.Cdn/profiles": {
        "Percentage4XX": ("Average", "Endpoint ClientRegion ClientCountry"),
        "Percentage5XX": ("Average", "Endpoint ClientRegion ClientCountry"),
        "RequestCount": ("Total", "HttpStatus HttpStatusGroup ClientRegion ClientCountry Endpoint"),
        "TotalLatency": ("Average", "HttpStatus HttpStatusGroup ClientRegion ClientCountry Endpoint"),
        "OriginHealthPercentage": ("Average", "Origin OriginGroup"),
    },
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("count", [1, 2])
def test_alerts_are_on_metrics_that_there_are_with_aggregations_and_dimensions_that_they_have(
    kind: str, count: int
) -> None:
    for name, item in watched(kind, unhealthy_targets=count).metric_alerts.items():
        for one in item.criteria:
            aggregations, dimensions = METRICS[item.namespace][one.metric]
            assert one.aggregation in aggregations.split(), name
            assert set(one.dimensions) <= set(dimensions.split()), name


@pytest.mark.parametrize("kind", KINDS)
def test_panels_show_metrics_that_there_are(kind: str) -> None:
    lower = {name.lower(): metrics for name, metrics in METRICS.items()}
    codes = {1: "Total", 4: "Average"}
    for item in panels(watched(kind)).values():
        for one in item["content"].get("metrics", []) if item["type"] == 10 else []:
            aggregations, dimensions = lower[one["namespace"]][one["metric"].rpartition("--")[2]]
            assert codes[one["aggregation"]] in aggregations.split()
            assert one.get("splitBy", "") in f" {dimensions}".split(" ")


@pytest.mark.parametrize(
    ("kind", "metrics"),
    [
        ("managed", {"CpuPercent_Gateway", "MemoryPercent_Gateway"}),
        ("classic", {"Capacity"}),
        ("consumption", set[str]()),
        ("self-hosted", set[str]()),
    ],
)
def test_capacity_is_watched_by_the_metric_of_the_tier(kind: str, metrics: set[str]) -> None:
    found = {one.metric for item in watched(kind).metric_alerts.values() for one in item.criteria}
    assert found & {"CpuPercent_Gateway", "MemoryPercent_Gateway", "Capacity"} == metrics


def test_shares_and_percentiles_are_no_business_of_metrics_where_there_is_a_log() -> None:
    for kind in ("managed", "self-hosted", "application-gateway"):
        found = watched(kind)
        assert set(found.query_rules) == {"errors", "latency", "throttled"}
        assert not set(found.metric_alerts) & {"errors", "latency", "throttled"}


def test_a_gateway_without_a_log_is_watched_by_counts_that_sound_early_and_say_so() -> None:
    for kind in ("consumption", "self-hosted-blind"):
        found = watched(kind)
        assert not found.query_rules
        (bound,) = found.metric_alerts["errors"].criteria
        assert (bound.threshold, bound.dimensions["GatewayResponseCodeCategory"]) == (5, ("5xx",))
        assert [name for name, _ in found.approximated] == [
            "Monitor.error_rate",
            "Monitor.latency",
            "Monitor.throttled",
        ]


def test_self_hosted_gateways_are_asked_for_in_application_insights_since_their_logs_are_nowhere_else() -> None:
    for item in watched("self-hosted").query_rules.values():
        assert item.query.startswith('AppRequests\n| where _ResourceId =~ "{{insights}}"')
        assert "sum(Weight)" in item.query
    assert "service" not in watched("self-hosted").diagnostics


def test_front_doors_own_share_needs_enough_requests_too() -> None:
    item = watched("front-door").metric_alerts["errors"]
    assert [_shown(one) for one in item.criteria] == [
        "Average Percentage5XX GreaterThan 5",
        f"Total RequestCount GreaterThanOrEqual {ENOUGH}",
    ]
    assert "errors" not in watched("front-door").query_rules


def test_time_of_websockets_is_not_the_time_of_an_answer() -> None:
    found = watched("managed")
    assert '"shop-ws-live"' in found.query_rules["errors"].query
    assert '"shop-ws-live"' not in found.query_rules["latency"].query


@pytest.mark.parametrize(
    ("count", "instances", "threshold", "split_by"),
    [
        (1, 3, 50, True),
        (1, None, 50, True),
        (2, None, 50, True),
        (2, 3, 33.33, False),
        (2, 4, 50, False),
        (5, 3, 0, False),
    ],
)
def test_instances_are_counted_where_their_number_is_known_and_watched_one_by_one_elsewhere(
    count: int, instances: int | None, threshold: float, split_by: bool
) -> None:
    parts = replace(KINDS["managed"], balancers={"services": instances})
    found = compile_monitoring(edge(unhealthy_targets=count), parts)
    assert found is not None
    (bound,) = found.metric_alerts["unhealthy-services"].criteria
    assert (bound.threshold, bool(bound.dimensions)) == (threshold, split_by)
    approximated = dict(found.approximated)
    assert ("Monitor.unhealthy_targets" in approximated) == (count > 1 and instances is None)


@pytest.mark.parametrize("field", ["error_rate", "latency", "throttled", "unhealthy_targets"])
def test_what_is_not_asked_is_not_watched(field: str) -> None:
    rule = {"error_rate": "errors", "unhealthy_targets": "unhealthy-services"}.get(field, field)
    for kind in KINDS:
        found = watched(kind, **{field: None})
        assert not [name for name in (*found.metric_alerts, *found.query_rules) if name.startswith(rule)]


def test_an_edge_without_monitor_has_none() -> None:
    assert compile_monitoring(replace(edge(), monitor=None), KINDS["managed"]) is None


@pytest.mark.parametrize("kind", KINDS)
def test_every_rule_says_what_it_means_and_where_to_look(kind: str) -> None:
    found = watched(kind)
    for item in (*found.metric_alerts.values(), *found.query_rules.values()):
        assert re.search(r"Look at|look for", item.description)
        assert len(item.description) < 400
        assert item.severity in (1, 2)


@pytest.mark.parametrize("kind", KINDS)
def test_marks_are_of_what_stands_there(kind: str) -> None:
    found, parts = watched(kind), KINDS[kind]
    there = {"workspace", *(f"balancer:{part}" for part in parts.balancers), parts.front or "", "service", "insights"}
    text = json.dumps([asdict(item) for item in found.query_rules.values()]) + workbook_text(found.workbook or {})
    used = set(re.findall(r"\{\{([^{}]+)\}\}", text)) | {item.scope for item in found.metric_alerts.values()}
    assert used <= there
    assert ("insights" in used) == parts.insights


# -- small things ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("target", "kind"),
    [
        ("oncall@shop.example", "email"),
        ("https://hooks.shop.example/T0/B0?key=x", "webhook"),
        ("/subscriptions/s/resourceGroups/g/providers/Microsoft.Insights/actionGroups/oncall", "action_group"),
        ("http://hooks.shop.example/", None),
        ("https://user:password@hooks.shop.example/", None),
        ("oncall", None),
        ("a@b", None),
        ("/subscriptions/s/resourceGroups/g/providers/Microsoft.Insights/components/x", None),
    ],
)
def test_a_target_is_told_by_its_form(target: str, kind: str | None) -> None:
    assert receiver(target) == kind


@pytest.mark.parametrize(("asked", "given"), [(7, 30), (30, 30), (90, 90), (730, 730), (9999, 730)])
def test_a_workspace_keeps_logs_as_near_as_it_can(asked: int, given: int) -> None:
    assert workspace_days(asked) == given


def test_each_topology_says_of_each_field_how_it_is_carried() -> None:
    fields = {tuple(sorted(cells)) for cells in CAPABILITIES.values()}
    assert len(fields) == 1
    assert {"gateway-first", "balancer-first", "appgw-waf", "front-door"} == set(CAPABILITIES)
    assert all(
        level in ("native", "approximated") and text
        for cells in CAPABILITIES.values()
        for level, text in cells.values()
    )
