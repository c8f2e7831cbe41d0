"""Loading specs: from files, standard input and Python data, with every problem at once."""

import io
import json
from pathlib import Path
from typing import Any

import pytest

from edgewright.spec.document import MAX_PROBLEMS, Document, from_data, load, parse
from edgewright.spec.model import Backend, EdgeSpec, Listener
from edgewright.spec.problems import Problem, SpecError
from unit.edge.specs import SHOP

ROOT = Path(__file__).resolve().parents[3]


def problems(data: Any) -> tuple[Problem, ...]:
    with pytest.raises(SpecError) as caught:
        from_data(data)
    return caught.value.problems


def only(data: Any) -> str:
    """The one problem, without its place."""
    found = problems(data)
    assert len(found) == 1, [str(item) for item in found]
    return str(found[0]).removeprefix("<spec>: error: ")


def route(**fields: Any) -> dict[str, Any]:
    return {"name": "shop", "routes": {"GET /a": {"backend": "orders", **fields}}}


@pytest.mark.parametrize(
    "path", sorted([*ROOT.glob("stacks/*.edge.yaml"), *ROOT.glob("examples/*/*.edge.yaml")]), ids=lambda path: path.name
)
def test_the_specs_of_this_repository_load(path: Path) -> None:
    document = load(path)
    assert document.spec.routes
    assert document.sources.place(("routes",), key=True).line > 1


def test_yaml_json_and_python_give_the_same_spec(tmp_path: Path) -> None:
    text = json.dumps(SHOP, indent=1)
    (tmp_path / "shop.json").write_text(text, encoding="utf-8")
    expected = EdgeSpec.model_validate(SHOP)
    assert load(tmp_path / "shop.json").spec == expected
    assert from_data(SHOP) == Document(expected)


def test_a_dash_reads_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    class Stdin:
        buffer = io.BytesIO(b"name: shop\nlistner: {}\n")

    monkeypatch.setattr("sys.stdin", Stdin)
    with pytest.raises(SpecError, match=r"<stdin>:2:1: error: listner: there is no field"):
        load("-")


def test_a_standard_input_that_is_closed_cannot_be_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", None)
    with pytest.raises(SpecError, match="<stdin>: error: it cannot be read: it is closed"):
        load("-")


@pytest.mark.parametrize("name", ["absent.yaml", ".", "a\0b"])
def test_a_file_that_cannot_be_read_is_a_problem(tmp_path: Path, name: str) -> None:
    with pytest.raises(SpecError) as caught:
        load(f"{tmp_path}/{name}")
    assert caught.value.problems[0].code == "unreadable"


def test_a_file_of_50_megabytes_is_one_plain_error(tmp_path: Path) -> None:
    path = tmp_path / "large.yaml"
    with path.open("wb") as file:
        file.truncate(50_000_000)
    with pytest.raises(SpecError) as caught:
        load(path)
    assert [problem.code for problem in caught.value.problems] == ["size"]


def test_problems_are_in_the_order_of_lines() -> None:
    with pytest.raises(SpecError) as caught:
        parse(b"name: shop\nroutes:\n  GET /b: 5\n  GET /a: {}\nbackends:\n  b: {}\n  a: {prot: 1, port: 1}\n")
    assert [problem.place.line for problem in caught.value.problems] == [3, 4, 6, 7]


def test_very_many_problems_are_counted() -> None:
    found = problems({"name": "shop", "backends": {f"b{i}": {} for i in range(1_000)}})
    assert len(found) == MAX_PROBLEMS + 1
    assert found[-1].what == "there are 900 more problems"


def test_a_flood_of_unknown_fields_is_counted_and_the_first_lines_are_explained() -> None:
    content = b"name: shop\n" + b"".join(b"a%d: 1\n" % number for number in range(5_000))
    with pytest.raises(SpecError) as caught:
        parse(content)
    found = caught.value.problems
    assert [problem.place.line for problem in found[:-1]] == list(range(2, MAX_PROBLEMS + 2))
    assert found[-1].what == "there are 4900 more problems"


def test_each_problem_knows_its_route_and_field() -> None:
    [problem] = problems(route(throttle={"rate": "fast"}))
    assert (problem.route, problem.field) == ("GET /a", "throttle.rate")


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ({"throttle": "off"}, 'throttle: expected a mapping such as `{rate: 100/s}` or `none`, got "off"'),
        ({"throttle": {"rate": 5}}, "throttle.rate: 5 is not a rate; did you mean `5/s`?"),
        ({"timeout": {"request": 30}}, "timeout.request: 30 is not a duration; did you mean `30s`?"),
        ({"throttle": {}}, "throttle: `rate` is missing; write `rate: 100/s`"),
        ({"throttle": {"rate": "5/s", "burst": True}}, "burst: expected a whole number between 1 and 1000000, got true"),
        ({"throttle": {"rate": "5/s", "burst": "5"}}, 'got "5"; leave the quotes out'),
        ({"auth": {"scopes": 5}}, 'or a list such as `[orders.read]`, got 5; put it in quotes: "5"'),
        ({"auth": "Main"}, 'auth: "Main" is not a name of lower-case'),
        ({"auth": {"authorizer": ["main", "Key"]}}, "auth.authorizer[1]"),
        ({"quota": {"limit": 5, "period": "days"}}, 'got "days"; did you mean `day`?'),
        ({"quota": {"limit": 1.5, "period": "day"}}, "quota.limit: expected a whole number between 1 and"),
        ({"retry": {"on": ["reset", 200]}}, "retry.on[1]: expected a whole number between 400 and 599, `connect-failure`"),
        ({"ttl": "5s"}, "ttl: there is no field `ttl` here; it belongs in `cache`"),
        ({"validation": True}, "there is no field `validation` here; did you mean `validate`?"),
        ({"validate": "yes"}, "write `true`"),
        ({"listener": []}, "listener: it is empty; write public, or leave the field out"),
        ({"match": {"headers": {"a b": "x"}}}, 'match.headers.a b: "a b" is not a header\'s name; did you mean `a-b`?'),
        ({"match": {"headers": {"X-A": "1", "x-a": "2"}}}, "match.headers: `X-A` and `x-a` are the same name"),
        ({"headers": {"request": {"set": {"X-A": "1", "x-a": "2"}}}}, "headers.request.set: `X-A` and `x-a` are the same"),
        ({"headers": {"response": {"add": {"b": "1", "X-A": "1", "X-a": "2"}}}}, "`X-A` and `X-a` are the same name, as case"),
        ({"headers": {"request": {"set": {"x": "a\nb"}}}}, "is not one line without control characters"),
        ({"rewrite": {"path": "v2"}}, 'rewrite.path: "v2" is not a path that begins with a slash and has no query; did you mean `/v2`?'),
        ({"redirect": "/x"}, "needs exactly one of `backend`, `redirect`, `respond`, and has `backend` and `redirect`"),
        ({"cache": None}, "cache: it has no value; write one, or leave it out"),
    ],
)  # fmt: skip
def test_a_wrong_route_is_one_problem_in_plain_words(fields: dict[str, Any], text: str) -> None:
    assert text in only(route(**fields))


@pytest.mark.parametrize(
    ("data", "text"),
    [
        ({}, "`name` is missing; write `name: shop`"),
        ([], "a spec is a mapping, and this is an empty list"),
        ("shop", 'a spec is a mapping, and this is "shop"'),
        ({"name": "shop", "listener": {}, "listeners": {"a": {}}}, "give `listener` or `listeners`, not both"),
        ({"name": "shop", "GET /a": "orders"}, "write it under `routes`"),
        ({"name": "shop", 5: 1}, "the key 5 is not a text; put it in quotes"),
        ({"name": "shop", "routes": {"GET /" + "a" * 2_000: "orders"}}, "routes: a key is longer than 1024 characters"),
        ({"name": "shop", "ddos": {1, 2}}, "ddos: it is a Python set"),
        ({"name": "shop", "ddos": b"max"}, "ddos: it is a Python bytes"),
        ({"name": "shop\ud800"}, "half a character"),
        ({"name": "shop", "access_log": {"sample": float("nan")}}, "access_log.sample: expected a number above 0 and at most 1, got nan"),
        ({"name": "shop", "backends": {"a": {"port": 10**5000}}}, "got a huge number"),
    ],
)  # fmt: skip
def test_wrong_data_is_one_problem_in_plain_words(data: Any, text: str) -> None:
    assert text in only(data)


def test_data_that_contains_itself_is_a_problem() -> None:
    data: dict[str, Any] = {"name": "shop"}
    data["backends"] = {"a": data}
    assert any("contains itself" in item.what for item in problems(data))


def test_parts_of_the_model_may_stand_in_python_data() -> None:
    document = from_data(
        {"name": "shop", "listener": Listener(host=("a.example",)), "backends": {"a": Backend(port=80)}}
    )
    assert document.spec.backends["a"].port == 80


def test_a_route_that_is_a_text_goes_to_that_backend() -> None:
    assert from_data({"name": "shop", "routes": {"GET /a": "orders"}}).spec.routes["GET /a"].backend == {"orders": 100}


def test_texts_are_not_taken_for_numbers_or_truth_values() -> None:
    found = problems({"name": "shop", "listener": {"port": "443", "redirect_http": "true"}})
    assert [problem.field for problem in found] == ["listener.port", "listener.redirect_http"]


def test_values_are_cut_and_escaped_in_messages() -> None:
    [problem] = problems({"name": "shop", "ddos": "\x1b[31m" + "x" * 10_000})
    assert "\x1b" not in str(problem)
    assert len(str(problem)) < 200


@pytest.mark.parametrize(
    "secret",
    [
        "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJodW50ZXIyIn0.c2ln",
        "-----BEGIN PRIVATE KEY-----",
        "https://user:hunter2@login.example",
        "Bearer hunter2hunter2",
        "sk_live_4eC39HqLyjWDarjtT1zdp7dc",
    ],
)
def test_what_looks_like_a_credential_is_not_repeated(secret: str) -> None:
    for data in (
        {"name": secret},
        {"name": "shop", "ddos": secret},
        route(timeout=secret),
        route(throttle={"rate": secret}),
    ):
        text = only(data)
        assert "may be secret" in text
        assert secret[:12] not in text


@pytest.mark.parametrize("word", ["a-" * 2_000, "orders-and-payments-of-the-whole-shop", "0123456789" * 4])
def test_words_and_numbers_are_no_credentials(word: str) -> None:
    assert "may be secret" not in only({"name": "shop", "ddos": word})


def test_what_stands_where_a_credential_would_is_not_repeated() -> None:
    text = "\n".join(
        str(problem)
        for problem in problems(
            {
                "name": "shop",
                "authorizers": {
                    "a": {"api_key": "hunter2"},
                    "b": {"oidc": {"issuer": "https://a.example", "client": "edge", "client_secret": "hunter2"}},
                },
            }
        )
    )
    assert "client_secret" in text
    assert "hunter2" not in text
