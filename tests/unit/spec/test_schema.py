"""The JSON Schema: valid, described, and of one mind with loading."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from edgewright.spec import reference, schema
from edgewright.spec.document import from_data
from edgewright.spec.problems import SpecError
from edgewright.spec.yaml_reader import read
from golden_files import assert_golden
from unit.edge.specs import SHOP

ROOT = Path(__file__).resolve().parents[3]
VALIDATOR = Draft202012Validator(schema.json_schema())

CROSSING = {"one-of", "jwks", "alike"}
"""Codes of rules that cross fields, or look into a text: the schema does not have them."""

EVERYTHING: dict[str, Any] = {
    "name": "shop",
    "listeners": {
        "a": {
            "host": "a.example",
            "port": 443,
            "tls": {"min_version": "1.2", "client_ca": "own"},
            "redirect_http": True,
        },
        "b": {"host": ["*.b.example"], "protocol": "tcp", "backend": "orders"},
    },
    "authorizers": {
        "jwt": {
            "jwt": {
                "issuer": "https://a.example/",
                "audiences": "a",
                "jwks_uri": "https://a.example/keys",
                "algorithms": ["ES256"],
                "from": {"cookie": "t"},
                "preset": "entra",
                "scope_claim": "scp",
                "clock_skew": "5s",
            }
        },
        "key": {"api_key": {"from": {"header": "X-Key", "prefix": "Key "}, "clients": ["acme"]}},
        "oidc": {"oidc": {"issuer": "https://a.example/", "client": "c", "scopes": ["openid"]}},
        "opaque": {"introspection": {"endpoint": "https://a.example/i", "client": "c", "cache": "10s"}},
        "cert": {"mtls": {"subjects": ["acme"]}},
    },
    "backends": {
        "orders": {"port": 80, "health_check": "/healthz", "circuit_breaker": {"consecutive_errors": 3}},
        "b": {"port": 81, "protocol": "h2c", "health_check": {"path": "/h", "expected_statuses": [200, "300-399"]}},
    },
    "defaults": {
        "auth": "jwt",
        "throttle": {"rate": "5/s", "burst": 5, "per": "header:X-A"},
        "timeout": {"request": "9s"},
    },
    "routes": {
        "GET /a": "orders",
        "GET /b": {
            "backend": {"orders": 90, "b": 10},
            "auth": ["jwt", "key"],
            "cache": {"ttl": "5s", "vary_by": {"query": "*"}},
        },
        "GET /c": {
            "redirect": "/a",
            "auth": "none",
            "throttle": "none",
            "quota": "none",
            "cors": "none",
            "retry": "none",
        },
        "GET /d": {"redirect": {"target": "https://a.example/*", "status": 301}, "listener": "a", "validate": True},
        "GET /e": {"respond": {"status": 204, "content_type": "text/html; charset=utf-8"}, "validate": False},
        "GET /f": {
            "backend": "orders",
            "auth": {"any_scope": ["a"], "scopes": "b", "claims": {"role": "x", "y": ["z"]}},
            "match": {"headers": {"a": "b", "c": {"regex": "x"}}, "query": {"q": {"present": True}}},
            "rewrite": {"path": "/x", "host": "b.example"},
            "headers": {"request": {"set": {"a": "b"}, "remove": "c"}, "response": {"add": {"d": "e"}}},
            "retry": {"on": ["reset", 503], "attempts": 3, "backoff": "5ms", "non_idempotent": True},
            "cors": {"allow_origins": "*", "allow_methods": ["GET"], "allow_credentials": False, "max_age": "5m"},
            "quota": {"limit": 5, "period": "day", "per": "ip"},
            "validate": {"body": False},
        },
    },
    "waf": {"mode": "count", "managed": ["core"], "allow": ["10.0.0.0/8"], "deny": "::/0", "rate_per_ip": "5/m"},
    "access_log": {"retention": "9d", "fields": ["time"], "sample": 0.5},
    "monitor": {"error_rate": 1, "latency": {"percentile": 95.5, "above": "1s"}, "notify": "ops", "dashboard": False},
    "ddos": "advanced",
    "compression": {"min_size": "1KiB", "content_types": ["text/css"]},
}


def codes(data: Any) -> set[str]:
    """Codes of what loading finds wrong."""
    try:
        from_data(data)
    except SpecError as error:
        return {problem.code for problem in error.problems}
    return set()


def agree(data: Any) -> None:
    """Fail unless the schema and loading say the same of a spec, rules that cross fields apart."""
    valid = VALIDATOR.is_valid(data)
    found = codes(data)
    if valid:
        assert found <= CROSSING, (found, data)
    else:
        assert found - CROSSING, (next(VALIDATOR.iter_errors(data)).message, data)


def parts(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The paths of all parts of a value."""
    yield path
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in items:
        yield from parts(item, (*path, key))


def replaced(value: Any, path: tuple[Any, ...], new: Any) -> Any:
    """A copy of a value with one part replaced."""
    if not path:
        return new
    copy = value.copy()
    copy[path[0]] = replaced(value[path[0]], path[1:], new)
    return copy


def test_it_is_a_valid_schema() -> None:
    Draft202012Validator.check_schema(schema.json_schema())


def test_the_file_for_editors_is_up_to_date() -> None:
    assert_golden(ROOT / "docs" / "edge.schema.json", schema.text())


def test_the_reference_is_up_to_date() -> None:
    assert_golden(ROOT / "docs" / "spec.md", reference.text())


def test_every_field_of_every_model_has_a_description() -> None:
    models: dict[str, Any] = schema.json_schema()["$defs"]
    for name, model in {**models, "EdgeSpec": schema.json_schema()}.items():
        assert model["additionalProperties"] is False, name
        for field, item in model["properties"].items():
            described = item.get("description") or models.get(item.get("$ref", "").split("/")[-1], {}).get(
                "description"
            )
            assert described, f"{name}.{field}"


def test_nothing_is_null_in_it() -> None:
    assert '"null"' not in schema.text()


@pytest.mark.parametrize("data", [SHOP, EVERYTHING], ids=["shop", "everything"])
def test_good_specs_are_good_for_both(data: Any) -> None:
    assert (list(VALIDATOR.iter_errors(data)), codes(data)) == ([], set())


@pytest.mark.parametrize(
    "path", sorted([*ROOT.glob("stacks/*.edge.yaml"), *ROOT.glob("examples/*/*.edge.yaml")]), ids=lambda path: path.name
)
def test_the_specs_of_this_repository_are_good_for_both(path: Path) -> None:
    data, _, _ = read(path.read_bytes(), path.name)
    agree(data)


@pytest.mark.parametrize("name", ["fields", "routes", "types", "empty", "jwks", "secrets"])
def test_golden_specs_are_bad_for_both(name: str) -> None:
    path = ROOT / "tests" / "golden" / "spec" / f"{name}.in.yaml"
    data, _, _ = read(path.read_bytes(), path.name)
    agree(data)


ODD = (True, "none", 5, [], {}, "", ["none"], {"a": "b"}, None, False, {"path": "/x"}, ["a", 5], "all")


@pytest.mark.parametrize("turn", range(2))
def test_odd_values_in_every_place_are_judged_alike(turn: int) -> None:
    for number, path in enumerate(parts(EVERYTHING)):
        agree(replaced(EVERYTHING, path, ODD[(2 * number + turn) % len(ODD)]))


WORDS = st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=6)
VALUES = st.recursive(
    st.booleans()
    | st.integers(-2, 70_000)
    | st.just(0.5)
    | WORDS
    | st.sampled_from(["5s", "5/s", "/x", "1MB", "GET", "*"]),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(WORDS, inner, max_size=2),
    max_leaves=4,
)


@settings(max_examples=80)
@given(st.sampled_from(list(parts(EVERYTHING))), VALUES)
def test_a_changed_spec_is_judged_alike(path: tuple[Any, ...], value: Any) -> None:
    agree(replaced(EVERYTHING, path, value))
