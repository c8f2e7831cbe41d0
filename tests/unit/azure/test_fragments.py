"""Policies too long for a document: what stands in fragments, that a request still meets the same, and how they grow."""

import re
from pathlib import Path
from typing import Any

import pytest

import policy_xsd
from edgewright.azure.artifact import Api
from edgewright.azure.compile import compile_edge
from edgewright.azure.compile_fragments import MAX_FRAGMENT, bucket
from edgewright.azure.compile_operations import operations
from edgewright.azure.compile_policy import at_least, compile_policy
from edgewright.azure.tiers import BY_NAME
from edgewright.edge.resolve import resolve
from edgewright.spec.document import from_data, load
from edgewright.spec.problems import SpecError
from golden_files import assert_golden

GOLDEN = Path(__file__).parents[2] / "golden" / "azure"
SIZE = 600
"""Of routes whose policy is more than twice as long as a document may be."""


def spec(routes: dict[str, Any]) -> dict[str, Any]:
    return {
        "name": "shop",
        "listener": {"host": "api.shop.example"},
        "authorizers": {"main": {"jwt": {"issuer": "https://login.shop.example/", "audiences": ["api://shop"]}}},
        "backends": {"orders": {"port": 8080}, "next": {"port": 8081}},
        "routes": routes,
    }


def many(count: int) -> dict[str, Any]:
    """Routes with a rate and a rewriting of their own each, and one of some hundred scopes."""
    return {
        f"GET /area{n % 20}/things{n}/{{id}}": {
            "backend": "orders" if n % 2 else "next",
            "auth": {"authorizer": "main", "scopes": [f"area.{n % 300}"]},
            "throttle": {"rate": f"{n % 3 + 1}/s", "per": "client"},
            "rewrite": {"path": f"/v{n}/{{id}}"},
            "headers": {"response": {"set": {"x-area": f"{n % 300}"}}},
        }
        for n in range(count)
    }


def compiled(routes: dict[str, Any], tier: str | None = None) -> Api:
    url = {"url": "https://orders.example"}
    bindings = {"tier": tier, "profile": "development", "backends": {"orders": url, "next": url}} if tier else {}
    api = compile_edge(resolve(from_data(spec(routes))), bindings, "gateway-first", placeholders=True).api
    assert api is not None
    return api


@pytest.fixture(scope="module")
def large() -> Api:
    return compiled(many(SIZE))


def settings_of(code: str) -> dict[str, str]:
    """What a look-up has for each operation; none of these routes has matches."""
    found: dict[str, str] = {}
    names: list[str] = []
    for case, told in re.findall(r'case "([^"]*)":|return "([^"]*)";', code):
        if case:
            names.append(case)
        else:
            found |= {name: str(told) for name in names}
            names = []
    return found


def included(api: Api, step: str) -> dict[int, str]:
    """The fragments of a step by their number, as the document includes them."""
    found: dict[int, str] = {}
    for when in policy_xsd.parse(api.policy).iter("when"):
        name = when.find("include-fragment")
        if name is not None and name.get("fragment-id").startswith(f"shop-{step}-"):
            number = re.fullmatch(r'@\(\(int\)context\.Variables\["bucket"\] == (\d+)\)', when.get("condition"))
            assert number is not None
            found[int(number[1])] = api.fragments[name.get("fragment-id")]
    return found


def count_of(api: Api, step: str) -> int:
    """Of how many fragments of a step a request computes the number."""
    elements = list(policy_xsd.parse(api.policy).iter("set-variable", "choose"))
    at = next(
        at
        for at, item in enumerate(elements)
        if (name := item.find("when/include-fragment")) is not None
        and name.get("fragment-id").startswith(f"shop-{step}-")
    )
    code = elements[at - 1].get("value")
    assert "SHA256" in code
    return int(re.findall(r"\[0\] % (\d+)\)$", code)[0])


def in_whole(routes: dict[str, Any]) -> Any:
    edge = resolve(from_data(spec(routes)))
    return policy_xsd.parse(compile_policy(edge, edge.routes, operations(edge.routes)).api.xml())


def test_a_document_that_fits_has_no_fragments() -> None:
    api = compiled(many(20))
    assert not api.fragments
    assert "include-fragment" not in api.policy


def test_a_document_that_does_not_fit_stands_in_fragments_of_their_own_limit(large: Api) -> None:
    assert len(large.policy.encode()) <= BY_NAME["StandardV2"].policy_bytes // 2
    assert large.fragments
    assert all(len(text.encode()) <= MAX_FRAGMENT for text in large.fragments.values())


def test_fragments_are_included_each_and_hold_what_a_fragment_may(large: Api) -> None:
    root = policy_xsd.parse(large.policy)
    assert sorted(item.get("fragment-id") for item in root.iter("include-fragment")) == sorted(large.fragments)
    assert policy_xsd.problems(large.policy) == []
    for text in large.fragments.values():
        fragment = policy_xsd.parse(text)
        assert fragment.tag == "fragment"
        assert not {"base", "include-fragment", "cache-lookup", "cache-store", "policies"} & set(
            policy_xsd.names(fragment)
        )
        inside = text.replace("<fragment>", "<policies><inbound>").replace("</fragment>", "</inbound></policies>")
        assert policy_xsd.problems(inside) == []


def test_an_operation_stands_in_the_fragment_whose_number_a_request_computes(large: Api) -> None:
    found = included(large, "operations")
    count = count_of(large, "operations")
    assert sorted(found) == list(range(count))
    assert count & (count - 1) == 0
    known = {name: at for at, text in found.items() for name in settings_of(lookup_of(text))}
    assert known == {name: bucket(name, count) for name in (item["operationId"] for item in get_operations(large))}


def lookup_of(fragment: str) -> str:
    return policy_xsd.parse(fragment).find("set-variable[@name='settings']").get("value")


def get_operations(api: Api) -> list[dict[str, Any]]:
    return [operation for methods in api.body["paths"].values() for operation in methods.values()]


def test_an_operation_has_the_settings_that_it_has_in_one_piece(large: Api) -> None:
    whole = settings_of(in_whole(many(SIZE)).find(".//set-variable[@name='settings']").get("value"))
    found = {
        name: told
        for text in included(large, "operations").values()
        for name, told in settings_of(lookup_of(text)).items()
    }
    limits = 2
    without = {name: told.split("|") for name, told in found.items()}
    assert {name: [*told[:limits], *told[limits + 1 : 7]] for name, told in without.items()} == {
        name: [*told.split("|")[:limits], *told.split("|")[limits + 1 :]] for name, told in whole.items()
    }


@pytest.mark.parametrize(("step", "variable"), [("needs", "needs"), ("changes", "change"), ("answers", "change")])
def test_a_long_step_has_the_branches_that_it_has_in_one_piece(large: Api, step: str, variable: str) -> None:
    count = count_of(large, step)
    branches: dict[str, str] = {}
    for at, text in included(large, step).items():
        for when in policy_xsd.parse(text).findall("choose/when"):
            name = re.findall(r'== "([^"]*)"', when.get("condition"))[0]
            assert bucket(name, count) == at
            branches[when.get("condition")] = flat(when)
    section = "outbound" if step == "answers" else "inbound"
    expected = {
        when.get("condition"): flat(when)
        for when in in_whole(many(SIZE)).find(section).findall("choose/when")
        if f'Variables["{variable}"]' in when.get("condition")
    }
    assert branches == expected
    assert len(branches) >= 300


def flat(element: Any) -> str:
    return re.sub(r"\s+", "", policy_xsd.etree.tostring(element, with_tail=False).decode())


def test_an_operation_that_no_fragment_knows_is_denied(large: Api) -> None:
    for text in included(large, "operations").values():
        assert re.search(r'default:\s*return "denied\|(none\|)+none";', lookup_of(text))
    otherwise = policy_xsd.parse(large.policy).xpath("//choose[when/include-fragment]/otherwise/set-variable")
    assert [item.get("value").partition("|")[0] for item in otherwise] == ["denied"]


def test_rates_of_many_routes_are_few_branches_and_each_route_counts_for_itself(large: Api) -> None:
    limits = policy_xsd.parse(large.policy).findall(".//rate-limit-by-key")
    assert len({item.get("counter-key") for item in limits}) == 2
    assert all('(string)context.Variables["rate-bucket"]' in item.get("counter-key") for item in limits)
    buckets = [
        told.split("|")[7]
        for text in included(large, "operations").values()
        for told in settings_of(lookup_of(text)).values()
    ]
    assert len(set(buckets)) == len(buckets) == SIZE


def test_routes_that_share_a_bucket_share_it_in_fragments_too() -> None:
    routes = {key: {name: item[name] for name in ("backend", "auth")} for key, item in many(SIZE).items()}
    data = spec(routes) | {"defaults": {"throttle": {"rate": "5/s", "per": "client"}}}
    api = compile_edge(resolve(from_data(data)), {}, "gateway-first", placeholders=True).api
    assert api is not None
    buckets = {
        told.split("|")[7]
        for text in included(api, "operations").values()
        for told in settings_of(lookup_of(text)).values()
    }
    assert len(buckets) == 1


def test_one_route_more_changes_one_fragment_of_each_step_at_most(large: Api) -> None:
    more = {
        "GET /new/{name}": {
            "backend": "orders",
            "auth": {"authorizer": "main", "scopes": ["new"]},
            "throttle": {"rate": "1/s", "per": "client"},
            "rewrite": {"path": "/newer/{name}"},
        }
    }
    after = compiled({**many(SIZE), **more})
    for gone, left in ((large, after), (after, large)):
        changed = sorted(name.split("-")[1] for name in set(gone.fragments) - set(left.fragments))
        assert changed == ["changes", "needs", "operations"]
        lines = [line for line in gone.policy.splitlines() if line not in left.policy.splitlines()]
        assert len(lines) == 3
        assert all("include-fragment" in line for line in lines)


def test_a_fragment_that_changes_is_another_one_so_that_a_half_finished_update_opens_nothing(large: Api) -> None:
    after = compiled({**many(SIZE), **many_others()})
    same = set(after.fragments) & set(large.fragments)
    assert {name: after.fragments[name] for name in same} == {name: large.fragments[name] for name in same}
    assert len(same) < len(large.fragments)


def many_others() -> dict[str, Any]:
    return {f"GET /other{n}": {"backend": "orders", "auth": "main"} for n in range(5)}


def test_the_order_of_routes_changes_nothing(large: Api) -> None:
    again = compiled(dict(reversed(many(SIZE).items())))
    assert (again.policy, again.fragments) == (large.policy, large.fragments)


def test_more_operations_than_a_tier_has_stay_an_error() -> None:
    routes = {f"GET /r{n}": {"backend": "orders", "auth": "none"} for n in range(3001)}
    with pytest.raises(SpecError, match=r"would have 3,001 operations; the tier Developer has 3,000 at most"):
        compiled(routes, tier="Developer")
    routes.popitem()
    assert compiled(routes, tier="Developer").operations == 3000


def test_what_is_too_long_even_so_is_refused_with_the_number() -> None:
    routes = {
        f"GET /r{n}": {"backend": "orders", "auth": "none", "timeout": {"request": f"{n + 1}s"}} for n in range(200)
    }
    with pytest.raises(SpecError, match=r"the API's policy would have [\d,]+ bytes; the tier Consumption takes 16,384"):
        compiled(routes, tier="Consumption")


def test_the_small_documents_of_the_cheapest_tier_are_divided_too() -> None:
    routes = {f"GET /r{n}": {"backend": "orders", "auth": "main"} for n in range(400)}
    api = compiled(routes, tier="Consumption")
    assert api.fragments
    assert len(api.policy.encode()) <= 16 * 1024


def test_a_divided_policy_is_what_was_reviewed() -> None:
    edge = resolve(load(GOLDEN / "slice.edge.yaml"))
    found = compile_policy(edge, edge.routes, operations(edge.routes), limit=1)
    assert_golden(GOLDEN / "fragments" / "slice.policy.xml", found.api.xml())
    for name, fragment in found.fragments.items():
        assert_golden(GOLDEN / "fragments" / f"{name.rpartition('-')[0]}.xml", fragment.xml())


def test_what_a_document_has_at_least_is_less_than_it_has() -> None:
    """So no document that fits is divided."""
    golden = [path for path in GOLDEN.glob("*.edge.yaml") if "refused" not in path.name]
    for path in [*golden, *(GOLDEN.parents[2] / "stacks").glob("*.edge.yaml")]:
        edge = resolve(load(path))
        routes = [route for route in edge.routes if not route.websocket]
        found = operations(routes)
        assert at_least(routes, found) < len(compile_policy(edge, routes, found).api.xml()), path.name


@pytest.mark.parametrize("per", ["ip", "route", "header:x"])
def test_many_limits_of_their_own_are_counted_as_less_than_they_are(per: str) -> None:
    data = {
        "name": "a",
        "listener": {"host": "a"},
        "backends": {"b": {"port": 1}},
        "routes": {
            f"PUT /{n}": {"backend": "b", "quota": {"limit": n + 9, "period": "day", "per": per}} for n in range(300)
        },
    }
    edge = resolve(from_data(data))
    found = operations(edge.routes)
    size = len(compile_policy(edge, edge.routes, found).api.xml())
    assert size / 3 < at_least(edge.routes, found) < size
