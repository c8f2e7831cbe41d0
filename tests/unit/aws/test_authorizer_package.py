"""What is in the archive of the Lambda authorizer, and what its configuration is made of."""

import json

from edgewright.aws.authorizer_package import archive_files
from edgewright.aws.compile import compile_edge
from edgewright.edge.resolve import resolve
from edgewright.spec.document import from_data

SPEC = {
    "name": "shop",
    "listener": {"host": "api.shop.example"},
    "authorizers": {
        "main": {"jwt": {"issuer": "https://a.example/", "audiences": ["api://shop"], "algorithms": ["ES256"]}},
        "other": {"jwt": {"issuer": "https://b.example/", "audiences": ["api://shop"]}},
    },
    "backends": {"orders": {"port": 8080}, "stock": {"port": 8081}},
    "defaults": {"auth": "main", "timeout": {"request": "29s"}},
    "routes": {"GET /orders/{id}": "orders", "POST /stock": {"backend": "stock", "auth": {"scopes": ["a", "b"]}}},
}


def test_the_archive_is_the_code_and_its_configuration_and_nothing_else() -> None:
    files = archive_files({"b": 1, "a": 2})
    assert sorted(files) == ["config.json", "index.mjs"]
    assert files["config.json"] == '{"a":2,"b":1}'
    assert "export async function handler" in files["index.mjs"]


def test_the_archive_of_one_configuration_is_always_the_same() -> None:
    assert archive_files({"b": 1, "a": 2}) == archive_files({"a": 2, "b": 1})


def test_the_code_imports_what_node_brings_and_nothing_else() -> None:
    code = archive_files({})["index.mjs"]
    imports = [line for line in code.splitlines() if line.startswith("import ")]
    assert imports and all(' from "node:' in line for line in imports)
    assert "require(" not in code and "import(" not in code


def test_it_is_told_of_the_methods_that_need_it_and_of_the_authorizers_that_they_name() -> None:
    rest = compile_edge(resolve(from_data(SPEC)), {}, "gateway-first", placeholders=True).rest
    assert rest is not None and rest.authorizer is not None
    config = rest.authorizer.config
    assert sorted(config["authorizers"]) == ["main"]
    assert sorted(config["methods"]) == ["GET /orders/{id}", "POST /stock"]
    assert config["requirements"][config["methods"]["POST /stock"]]["scopes"] == ["a", "b"]
    assert json.loads(archive_files(config)["config.json"]) == config


def test_all_methods_of_an_authorizer_ask_for_the_same_since_the_gateway_remembers_its_answers() -> None:
    rest = compile_edge(resolve(from_data(SPEC)), {}, "gateway-first", placeholders=True).rest
    assert rest is not None and rest.authorizer is not None
    methods = rest.authorizer.config["methods"]
    named = {
        f"{method.upper()} {path}": list(operation["security"][0])
        for path, item in rest.body["paths"].items()
        for method, operation in item.items()
        if isinstance(operation, dict) and operation.get("security")
    }
    # An answer is for the whole stage: one authorizer for two requirements would let the weaker one's callers in.
    assert named == {key: [requirement] for key, requirement in methods.items()}
    assert len(set(methods.values())) == 2
    assert set(methods.values()) == set(rest.authorizer.config["requirements"])
