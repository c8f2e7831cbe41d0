"""What AWS, Azure and local artifacts do with each field: the same as the spec means, or what a table declares."""

import copy
import dataclasses
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from edgewright.aws import capabilities as aws_table
from edgewright.azure import capabilities as azure_table
from edgewright.local import capabilities as local_table
from golden_files import assert_golden
from parity import specs
from parity.csharp import Named, Thing, evaluate
from parity.deviations import DEVIATIONS
from parity.readers_aws import Aws
from parity.readers_azure import Azure
from parity.readers_local import Local
from parity.table import (
    Column,
    Compared,
    columns,
    compare,
    compiled,
    edges,
    everything,
    fields_of,
    markdown,
    vocabulary,
)
from parity.terms import LEAVES, Unread, leaves_of

Json = dict[str, Any]

# -- every field on every target ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("column", columns(), ids=lambda column: column.title)
def test_what_an_artifact_does_is_what_the_spec_means_or_is_declared(column: Column) -> None:
    found = [item for item in everything().differences if item.column == column]
    assert not found, "\n".join(map(str, found[:20]))
    assert sum(item.column == column for item in everything().verdicts) > 1000


def test_the_columns_are_those_of_the_capability_tables() -> None:
    names = {(column.target, column.name) for column in columns()}
    assert names == {
        *(("aws", name) for name in aws_table.COLUMNS),
        *(("azure", name) for name in azure_table.COLUMNS),
        ("local", "local"),
    }


def test_the_small_specs_use_every_field_of_the_vocabulary() -> None:
    used = set[str]().union(*(fields_of(document.spec) for document in specs.small().values()))
    assert len(specs.small()) >= 40
    assert [field for field in vocabulary() if field not in used] == []


def test_every_field_of_the_vocabulary_shows_in_something_that_is_compared() -> None:
    assert [field for field in vocabulary() if not leaves_of(field)] == []
    assert {field for leaf in LEAVES.values() for field in leaf.fields} <= set(vocabulary())


@pytest.mark.parametrize("target", ["aws", "azure", "local"])
def test_everything_that_is_compared_is_said_of_every_target(target: str) -> None:
    said = {item.leaf for item in everything().verdicts if item.column.target == target}
    assert sorted(set(LEAVES) - said) == []


def test_the_examples_are_compared_too() -> None:
    carried = {item.spec for item in everything().verdicts}
    assert {name for name in edges() if name.endswith(".yaml")} <= carried
    assert any(name.startswith("stacks/") for name in carried)


@pytest.mark.parametrize(
    ("target", "rows"), [("aws", aws_table.ROWS), ("azure", azure_table.ROWS), ("local", local_table.ROWS)]
)
def test_what_lets_an_artifact_differ_is_a_row_of_its_capability_table(target: str, rows: Any) -> None:
    assert sorted(set(DEVIATIONS[target]) - {row.field for row in rows}) == []


def test_what_no_artifact_says_has_a_test_that_shows_it() -> None:
    shown = {item.note for item in everything().verdicts if item.note}
    assert shown
    assert [name for name in sorted(shown) if not (specs.REPOSITORY / name).is_file()] == []


@pytest.mark.parametrize(
    ("spec", "column", "row"),
    [
        ("websocket-key", "balancer-first", "Auth.(a WebSocket by key, past the API)"),
        ("match-headers", "gateway-first/rest", "Route.match"),
        ("match-absent", "balancer-only", "ValueMatch.(present: false)"),
        ("only-own-answers", "balancer-first", "EdgeSpec.(no route for the API)"),
    ],
)
def test_what_would_open_a_route_cannot_be_accepted_away(spec: str, column: str, row: str) -> None:
    outcome = compiled(edges()[spec], Column("aws", column), accept_all=True)
    assert outcome.artifact is None
    assert row in {item.row for item in outcome.refused}


def test_the_document_says_what_was_found() -> None:
    assert_golden(Path(__file__).parents[2] / "docs" / "parity.md", markdown())


# -- that it can fail --------------------------------------------------------------------------------------------------


def everywhere(value: Any) -> Iterator[Json]:
    """Every mapping in an artifact's data."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        for item in dataclasses.fields(value):
            yield from everywhere(getattr(value, item.name))
    elif isinstance(value, dict):
        yield value
        for one in value.values():
            yield from everywhere(one)
    elif isinstance(value, list | tuple):
        for one in value:
            yield from everywhere(one)


def change_each(test: Callable[[Json], bool], change: Callable[[Json], None]) -> Callable[[Any], Any]:
    """A mistake in every mapping of an artifact that fits; there must be one."""

    def made(artifact: Any) -> Any:
        artifact = copy.deepcopy(artifact)
        found = [one for one in everywhere(artifact) if test(one)]
        assert found
        for one in found:
            change(one)
        return artifact

    return made


def change_policy(pattern: str, text: str) -> Callable[[Any], Any]:
    """A mistake in the policy of Azure's API."""

    def made(artifact: Any) -> Any:
        policy, count = re.subn(pattern, text, artifact.api.policy)
        assert count
        return dataclasses.replace(artifact, api=dataclasses.replace(artifact.api, policy=policy))

    return made


def swapped(names: Json) -> None:
    keys = list(names)
    first, second = names[keys[0]], names[keys[1]]
    names[keys[0]], names[keys[1]] = second, first


def without_scope(config: Json) -> None:
    config["values"] = [one for one in config["values"] if one != "items.write"]


FIRST, ONLY, HTTP, REST = (
    Column("aws", name) for name in ("balancer-first", "balancer-only", "gateway-first/http", "gateway-first/rest")
)
AZURE = Column("azure", "gateway-first")
LOCAL = Column("local", "local")


def _lost_scope_of_rbac(rule: Json) -> None:
    rule["ids"] = [one for one in rule["ids"] if "items.write" not in str(one)]


def _swap_clusters(action: Json) -> None:
    one, other = action["clusters"]
    one["weight"], other["weight"] = other["weight"], one["weight"]


def _pools_swapped(artifact: Any) -> Any:
    pools = {
        name: tuple((target, 100 - weight) for target, weight in targets) for name, targets in artifact.pools.items()
    }
    return dataclasses.replace(artifact, pools=pools)


MISTAKES: dict[str, tuple[str, Column, Callable[[Any], Any], set[tuple[str, str]]]] = {
    "a scope is lost in a rule of a balancer": (
        "scopes",
        FIRST,
        change_each(lambda one: "items.write" in one.get("values", ()), without_scope),
        {("GET /b", "auth.scopes")},
    ),
    "a scope is lost in what the Lambda authorizer is told": (
        "scopes",
        REST,
        change_each(lambda one: "items.write" in one.get("scopes", ()), lambda one: one["scopes"].remove("items.write")),
        {("GET /b", "auth.scopes")},
    ),
    "a method of an HTTP API asks for nothing": (
        "jwt",
        HTTP,
        change_each(lambda one: "security" in one, lambda one: one.pop("security")),
        {("GET /a", leaf) for leaf in LEAVES if leaf.startswith("jwt.")}
        | {("GET /a", "auth.kinds")},
    ),
    "a rate of a method is halved": (
        "throttle-route",
        REST,
        change_each(lambda one: one.get("throttle_rate") == 10, lambda one: one.update(throttle_rate=5)),
        {("GET /a", "throttle.rate")},
    ),
    "a rate of a web ACL is halved": (
        "throttle-ip",
        ONLY,
        change_each(lambda one: one.get("limit") == 600, lambda one: one.update(limit=300)),
        {("GET /a", "throttle.rate")},
    ),
    "weights are swapped at the services' balancer": (
        "weights",
        REST,
        change_each(lambda one: one.get("target_groups", {}) == {"app": 90, "next": 10}, lambda one: swapped(one["target_groups"])),
        {("GET /a", "backend")},
    ),
    "a header is lost in an integration": (
        "headers-request",
        HTTP,
        change_each(lambda one: "overwrite:header.x-share" in one, lambda one: one.pop("overwrite:header.x-share")),
        {("GET /a", "headers.request")},
    ),
    "a cache's key forgets a parameter": (
        "cache",
        REST,
        change_each(
            lambda one: "method.request.querystring.page" in one.get("cacheKeyParameters", ()),
            lambda one: one["cacheKeyParameters"].remove("method.request.querystring.page"),
        ),
        {("GET /a", "cache.query")},
    ),
    "a balancer's condition is of another header": (
        "match-one",
        FIRST,
        change_each(lambda one: one.get("name") == "x-beta", lambda one: one.update(name="x-alpha")),
        {("GET /a (beta)", "backend")},
    ),
    "a scope is lost in a policy": (
        "scopes",
        AZURE,
        change_policy("&quot;items.read&quot;, &quot;items.write&quot;", "&quot;items.read&quot;"),
        {("GET /b", "auth.scopes")},
    ),
    "any scope is enough where all are needed": (
        "scopes",
        AZURE,
        change_policy(r"@\(\(new (\[\] \{ &quot;items.read&quot;, &quot;items.write&quot; \})\).Any\(one =&gt; !", r"@(!(new \1).Any(one =&gt; "),
        {("GET /b", "auth.scopes"), ("GET /b", "auth.any_scope")},
    ),
    "a rate of a policy is halved": (
        "throttle-ip",
        AZURE,
        change_policy('calls="600"', 'calls="300"'),
        {("GET /a", "throttle.rate")},
    ),
    "weights of a pool are swapped": ("weights", AZURE, _pools_swapped, {("GET /a", "backend"), ("GET /b", "backend")}),
    "a header is lost in a policy": (
        "headers-request",
        AZURE,
        change_policy(r'<set-header name="x-share" exists-action="override">\s*<value>half</value>\s*</set-header>', ""),
        {("GET /a", "headers.request")},
    ),
    "a scope is lost in a gateway": (
        "scopes",
        LOCAL,
        change_each(lambda one: "ids" in one and "items.write" in str(one["ids"]) and "items.read" in str(one["ids"]), _lost_scope_of_rbac),
        {("GET /b", "auth.scopes")},
    ),
    "a rate of a gateway is halved": (
        "throttle-header",
        LOCAL,
        change_each(lambda one: one.get("tokens_per_fill") == 100, lambda one: one.update(tokens_per_fill=50)),
        {("GET /a", "throttle.rate")},
    ),
    "weights of clusters are swapped": (
        "weights",
        LOCAL,
        change_each(lambda one: "clusters" in one and isinstance(one["clusters"], list) and "weight" in str(one), _swap_clusters),
        {("GET /a", "backend")},
    ),
    "a header is lost in a gateway": (
        "headers-request",
        LOCAL,
        change_each(
            lambda one: "request_mutations" in one and "x-share" in str(one),
            lambda one: one.update(request_mutations=[item for item in one["request_mutations"] if "x-share" not in str(item)]),
        ),
        {("GET /a", "headers.request")},
    ),
    "an algorithm is taken that no spec names": (
        "jwt",
        LOCAL,
        change_each(lambda one: one.get("exact") == "RS256", lambda one: one.update(exact="HS256")),
        {("GET /a", "jwt.algorithms")},
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", MISTAKES)
def test_a_mistake_in_an_artifact_is_reported_and_nothing_else(name: str) -> None:
    spec, column, change, expected = MISTAKES[name]
    found = Compared()
    compare(spec, edges()[spec], column, found, change=change)
    assert {(item.subject, item.leaf) for item in found.differences} == expected


def test_a_report_names_the_spec_the_target_the_route_and_the_field() -> None:
    spec, column, change, _ = MISTAKES["weights are swapped at the services' balancer"]
    found = Compared()
    compare(spec, edges()[spec], column, found, change=change)
    (item,) = found.differences
    assert str(item) == (
        "weights: aws gateway-first/rest: GET /a: backend\n"
        "    the spec means: {'app': 90, 'next': 10}\n"
        "    the artifact does: {'app': 10, 'next': 90}"
    )


def test_a_row_that_says_something_else_does_not_excuse_a_difference() -> None:
    spec, column, change, _ = MISTAKES["a rate of a web ACL is halved"]
    found = Compared()
    compare(spec, edges()[spec], column, found, change=change)
    assert found.differences[0].near == ("Throttle.(per ip or header)",)


# -- what a reader does not know ---------------------------------------------------------------------------------------


def artifact_of(spec: str, column: Column) -> Any:
    return compiled(edges()[spec], column, accept_all=True).artifact


def ask(reader: Any, spec: str) -> None:
    """Ask a reader all of a spec's questions."""
    from parity.meaning import Questions

    Questions(edges()[spec]).collect(reader)


UNKNOWN: dict[str, tuple[Column, Callable[[Any], Any], Callable[[Any], Any]]] = {
    "an action of a balancer": (
        ONLY,
        Aws,
        change_each(lambda one: "forward" in one, lambda one: one.update(mirror=one.pop("forward"))),
    ),
    "a condition of a balancer": (
        ONLY,
        Aws,
        change_each(lambda one: "hosts" in one, lambda one: one.update(source_ip=one.pop("hosts"))),
    ),
    "an extension of an API's operation": (
        REST,
        Aws,
        change_each(lambda one: "x-amazon-apigateway-integration" in one, lambda one: one.update({"x-new": 1})),
    ),
    "a mapping of an integration": (
        REST,
        Aws,
        change_each(lambda one: "requestParameters" in one, lambda one: one["requestParameters"].update(odd="1")),
    ),
    "a policy": (AZURE, Azure, change_policy("<set-backend-service ", '<mock-response /><set-backend-service ')),
    "an expression": (AZURE, Azure, change_policy(r"@\(\(string\)context.Variables\[&quot;backend&quot;\]\)", "@(Guid.NewGuid())")),
    "a filter of a gateway": (
        LOCAL,
        Local,
        change_each(lambda one: "http_filters" in one, lambda one: one["http_filters"].append({"name": "odd", "typed_config": {}})),
    ),
    "a setting of a gateway's route": (
        LOCAL,
        Local,
        change_each(lambda one: "retry_policy" in one and "idle_timeout" in one, lambda one: one.update(mirror=1)),
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", UNKNOWN)
def test_what_a_reader_does_not_know_is_an_error_and_not_a_pass(name: str) -> None:
    column, reader, change = UNKNOWN[name]
    with pytest.raises(Unread):
        ask(reader(change(artifact_of("public", column))), "public")


@pytest.mark.parametrize(("column", "reader"), [(REST, Aws), (AZURE, Azure), (LOCAL, Local)])
def test_a_part_of_an_artifact_that_a_reader_does_not_know_is_an_error(
    column: Column, reader: Callable[[Any], Any]
) -> None:
    artifact = artifact_of("public", column)
    made = dataclasses.make_dataclass(
        "More", [*((item.name, item.type) for item in dataclasses.fields(artifact)), "firewall"]
    )
    values = {item.name: getattr(artifact, item.name) for item in dataclasses.fields(artifact)}
    reader(made(**values, firewall=None))
    with pytest.raises(Unread, match="firewall"):
        reader(made(**values, firewall="there"))


# -- the C# of policies ------------------------------------------------------------------------------------------------

SCOPE: Json = {
    "context": Thing(
        Request=Thing(Headers=Named({"x-a": "1"}), Method="GET", Path="/a/b/c"),
        Variables={"auth": "by main"},
        Response=None,
    )
}


@pytest.mark.parametrize(
    ("code", "value"),
    [
        ('@("/new" + "" == "" ? "/" : "rest")', "rest"),
        ('@("/new" + ("" == "" ? "/" : "rest"))', "/new/"),
        ("@(1 + 2 == 3 && !(1 == 2))", True),
        ("@(string.Concat(context.Request.Path.Split('/').Skip(2).Select(one => \"/\" + one)))", "/b/c"),
        ('@(context.Request.Headers.GetValueOrDefault("X-A", "") == "1")', True),
        ('@(new [] { "a", "b" }.Any(one => one == "b"))', True),
        ('@(context.Response == null || context.Response.StatusCode >= 500)', True),
        ("@((string)context.Variables[\"auth\"] == \"by main\")", True),
        ('@(new [] { "", "x" }.First(one => one != ""))', "x"),
        ("plain", "plain"),
    ],
)  # fmt: skip
def test_an_expression_is_carried_out_as_c_sharp_does(code: str, value: Any) -> None:
    assert evaluate(code, SCOPE) == value


@pytest.mark.parametrize("code", ["@(Guid.NewGuid())", "@{ return 1; }", "@(context.User)", "@(1 ? 2 : 3)", "@(a # b)"])
def test_an_expression_that_is_not_known_is_not_guessed_at(code: str) -> None:
    with pytest.raises(Unread):
        evaluate(code, SCOPE)
