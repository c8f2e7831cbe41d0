"""The typed views through which rules read a resource: what is absent, unknown or of another kind never raises."""

from typing import Any

import pytest
from pulumi_policy.proxy import unknown_checking_proxy

from edgewright.plan.tokens import SECRET as HIDDEN
from edgewright.plan.tokens import UNKNOWN as MARK
from edgewright.plan.tokens import token
from edgewright.policies.view import SENTINELS, UNKNOWN, Subject, View, related

SENTINEL = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"


def view(properties: Any, kind: str = "aws:lb/loadBalancer:LoadBalancer") -> View:
    return View(Subject("urn:shop", kind, "shop", properties))


def both(properties: dict[str, Any]) -> list[View]:
    """As plain values, and as the policy framework hands them over."""
    return [view(properties), view(unknown_checking_proxy(properties))]


def test_what_is_absent_is_none_and_is_not_remembered() -> None:
    for it in both({"there": {}}):
        found = (it.text("no"), it.flag("no"), it.number("no"), it.child("no"), it.document("no"), it.text("there.no"))
        assert found == (None,) * 6
        assert (it.texts("no"), it.children("no"), it.count("no"), it.has("no")) == ([], [], 0, False)
        assert it.unread == {}


@pytest.mark.parametrize("sentinel", sorted(SENTINELS))
def test_what_the_engine_does_not_know_is_unknown_and_remembered(sentinel: str) -> None:
    for it in both({"a": sentinel}):
        assert it.text("a") is UNKNOWN
        assert it.flag("a") is UNKNOWN
        assert it.number("a") is UNKNOWN
        assert it.count("a") is UNKNOWN
        assert (it.child("a"), it.children("a"), it.texts("a"), it.document("a")) == (None, [], [], None)
        assert it.has("a")
        assert it.unread == {"a": "is not known yet"}


@pytest.mark.parametrize("value", [MARK, HIDDEN, token("lb.LoadBalancer shop", "arn"), f"a-{token('x.Y z', 'id')}-b"])
def test_what_a_plan_does_not_know_is_unknown_too(value: str) -> None:
    it = view({"a": value})
    assert it.text("a") is UNKNOWN
    assert it.unread == {"a": "is not known yet"}


def test_the_object_around_an_unknown_one_is_where_it_is_remembered() -> None:
    for it in both({"a": SENTINEL}):
        assert it.text("a.b.c") is UNKNOWN
        assert it.unread == {"a": "is not known yet"}


def test_one_unknown_part_keeps_no_other_from_being_read() -> None:
    for it in both({"a": {"b": SENTINEL, "c": "x"}, "list": ["one", SENTINEL, "three"]}):
        assert (it.text("a.b"), it.text("a.c")) == (UNKNOWN, "x")
        assert it.texts("list") == ["one", "three"]
        assert it.count("list") == 3
        assert it.unread == {"a.b": "is not known yet", "list[1]": "is not known yet"}


def test_numbers_are_read_as_people_write_them() -> None:
    for it in both({"port": 443.0, "half": 0.5, "large": 12345678.0, "text": "443", "on": True}):
        assert [it.text(key) for key in ("port", "half", "large", "text", "on")] == [
            "443",
            "0.5",
            "12345678",
            "443",
            "true",
        ]
        assert (it.number("port"), it.number("text")) == (443.0, 443.0)
        assert it.number("on") is UNKNOWN


@pytest.mark.parametrize(("value", "expected"), [(True, True), (False, False), ("true", True), ("False", False)])
def test_yes_and_no_are_read_in_any_spelling_that_providers_take(value: Any, expected: bool) -> None:
    for it in both({"a": value}):
        assert it.flag("a") is expected


def test_what_is_of_another_kind_is_remembered_and_does_not_raise() -> None:
    for it in both({"a": ["x"], "b": "maybe", "c": 5.0}):
        assert (it.text("a"), it.flag("b"), it.number("b"), it.child("b")) == (UNKNOWN, UNKNOWN, UNKNOWN, None)
        assert it.text("c.d") is UNKNOWN
        assert it.unread == {"a": "is not a text", "b": "is not true or false", "c": "is not an object"}


def test_a_list_of_one_object_reads_as_the_object_and_the_object_as_the_list() -> None:
    for it in both({"a": [{"b": "x"}], "c": {"b": "y"}, "d": "z"}):
        assert it.text("a.b") == "x"
        assert [inside.text("b") for inside in it.children("c")] == ["y"]
        assert it.texts("d") == ["z"]
        assert (it.count("c"), it.count("d")) == (1, 1)


def test_inner_views_say_the_whole_path_and_remember_for_all() -> None:
    for it in both({"rules": [{"action": {"type": SENTINEL}}, {"action": {"type": "x"}}]}):
        first, second = it.children("rules")
        assert (first.path, second.text("action.type")) == ("rules[0]", "x")
        action = first.child("action")
        assert action is not None
        assert action.text("type") is UNKNOWN
        assert it.unread == {"rules[0].action.type": "is not known yet"}


def test_an_object_is_found_by_its_own_name_whatever_dots_it_has() -> None:
    for it in both({"a.b": {"c": "x"}}):
        found = it.item("a.b")
        assert found is not None
        assert found.text("c") == "x"


def test_a_document_is_read_from_its_json() -> None:
    for it in both({"policy": '{"Statement": [{"Effect": "Allow"}]}', "object": {"a": "b"}, "bad": "{"}):
        found = it.document("policy")
        assert found is not None
        assert [statement.text("Effect") for statement in found.children("Statement")] == ["Allow"]
        assert it.document("object") is not None
        assert it.document("bad") is None
        assert it.unread == {"bad": "is no JSON that can be read before the deployment"}


def test_a_document_with_a_token_inside_is_read_around_it() -> None:
    arn = token("lb.LoadBalancer shop", "arn")
    found = view({"policy": f'{{"Statement": [{{"Effect": "Allow", "Resource": "{arn}"}}]}}'}).document("policy")
    assert found is not None
    (statement,) = found.children("Statement")
    assert (statement.text("Effect"), statement.text("Resource")) == ("Allow", UNKNOWN)


def test_a_verdict_holds_unless_something_that_it_rests_on_is_unknown() -> None:
    it = view({"a": SENTINEL, "b": "x", "c": {"d": SENTINEL}})
    assert (it.text("a"), it.text("c.d")) == (UNKNOWN, UNKNOWN)
    assert it.holds(it.fails("b", "is x"))
    assert not it.holds(it.fails("b", "is x", "a"))
    assert not it.holds(it.fails("c", "is wrong"))
    assert not it.holds(it.lacks("", "lacks something"))
    other = view({"b": "x"})
    assert other.holds(other.lacks("", "lacks something"))


def test_knowing_is_asked_without_being_remembered() -> None:
    for it in both({"a": {"b": SENTINEL}, "c": "x", "list": [{"d": SENTINEL}, SENTINEL], "one": [{"e": SENTINEL}]}):
        known = ("c", "no", "no.way", "list[0].no", "list[5].d", "one.no")
        assert [key for key in known if not it.knows(key)] == []
        unknown = ("a.b", "a.b.c", "c.d", "list[0].d", "list[1]", "list[1].d", "one.e", "one[0].e")
        assert [key for key in unknown if it.knows(key)] == []
        assert it.unread == {}


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ("", "a", True),
        ("a", "a.b", True),
        ("a[0]", "a", True),
        ("a", "ab", False),
        ("a.b", "a.c", False),
        ("a[1]", "a[10]", False),
    ],
)
def test_paths_are_related_where_one_is_inside_of_the_other(one: str, other: str, expected: bool) -> None:
    assert related(one, other) is related(other, one) is expected


@pytest.mark.parametrize(
    ("token", "expected"),
    [
        ("azure-native:network/v20230201:Subnet", "azure-native:network:Subnet"),
        ("azure-native_network_v20230201:network/v20230201:Subnet", "azure-native:network:Subnet"),
        ("azure-native:network:Subnet", "azure-native:network:Subnet"),
        ("aws:lb/listener:Listener", "aws:lb/listener:Listener"),
        ("azure-nativeish", "azure-nativeish"),
    ],
)
def test_a_type_is_one_whatever_version_of_its_api_a_program_has_chosen(token: str, expected: str) -> None:
    assert Subject("urn:x", token, "x", {}).type == expected


def test_an_error_that_is_not_about_unknown_values_is_not_hidden() -> None:
    class Wrong(dict[str, Any]):
        def __getitem__(self, key: str) -> Any:
            raise RuntimeError(key)

    with pytest.raises(RuntimeError):
        view(Wrong()).text("a")
