"""Which resources of a stack refer to which: by the engine's record, by a plan's tokens, or by what is written out."""

from typing import Any

from edgewright.plan.model import Resource
from edgewright.policies.graph import Graph, Index, from_plan
from edgewright.policies.view import Subject, View

TARGET, SOURCE, OTHER = "aws:x/target:Target", "aws:x/source:Source", "aws:x/other:Other"
SENTINEL = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"


def target(name: str = "it", **properties: Any) -> Subject:
    return Subject(f"urn:{name}", TARGET, name, properties)


def source(value: Any, *of: Subject, name: str = "from", key: str = "ref", kind: str = SOURCE) -> Subject:
    refs = {key: frozenset(one.urn for one in of)} if of else {}
    return Subject(f"urn:{name}", kind, name, {key: value}, refs)


def names(views: Any) -> list[str]:
    return [view.subject.name for view in views]


def referring(*subjects: Subject, key: str = "ref") -> tuple[list[str], View]:
    """The names of those that refer to the first target, and its view."""
    graph = Graph(subjects)
    (first, *_) = graph.of(TARGET)
    return names(graph.referring(first, key, SOURCE)), first


def referred(*subjects: Subject, key: str = "ref") -> list[str]:
    graph = Graph(subjects)
    (first, *_) = graph.of(SOURCE)
    return names(graph.referred(first, key, TARGET))


def test_a_reference_is_what_the_engine_recorded() -> None:
    it, other = target(), target("other")
    subjects = (it, other, source(SENTINEL, it))
    assert referring(*subjects)[0] == ["from"]
    assert referred(*subjects) == ["it"]


def test_a_reference_is_an_arn_or_an_id_that_is_written_out() -> None:
    for identity in ("arn", "id"):
        subjects = (target(**{identity: "arn:it"}), target("other", **{identity: "arn:o"}), source("arn:it"))
        assert referring(*subjects)[0] == ["from"]
        assert referred(*subjects) == ["it"]


def test_a_reference_may_stand_in_an_object_or_a_list() -> None:
    it = target(id="/it")
    for value in ({"id": "/it"}, ["/other", "/it"], [{"id": "/other"}, {"id": "/it"}]):
        assert referring(it, source(value))[0] == ["from"]
        assert referred(it, source(value)) == ["it"]


def test_a_reference_may_be_inside_of_a_property() -> None:
    it = target(id="/it")
    inside = Subject("urn:from", SOURCE, "from", {"a": {"b": SENTINEL}}, {"a": frozenset({it.urn})})
    assert referring(it, inside, key="a.b")[0] == ["from"]


def test_something_else_is_no_reference() -> None:
    it = target(arn="arn:it")
    for value in ("arn:other", ["arn:other"], {"id": "x"}, True, None):
        found, view = referring(it, source(value))
        assert (found, referred(it, source(value))) == ([], [])
        assert view.unread == {} or value is True


def test_what_is_unknown_and_comes_from_another_resource_is_no_reference() -> None:
    it, other = target(), target("other")
    found, view = referring(it, other, source(SENTINEL, other))
    assert (found, view.unread) == ([], {})


def test_what_is_unknown_and_comes_from_nowhere_may_be_one_and_that_is_remembered() -> None:
    for value in (SENTINEL, ["arn:other", SENTINEL], {"id": SENTINEL}):
        found, view = referring(target(arn="arn:it"), source(value))
        assert found == []
        assert view.unread == {"": "may be what `from` refers to: its `ref` is not known yet"}
        assert not view.holds(view.lacks("", "has none"))


def test_a_property_that_is_not_there_is_no_reference_and_no_doubt() -> None:
    found, view = referring(target(), Subject("urn:from", SOURCE, "from", {}))
    assert (found, view.unread) == ([], {})


def test_looking_for_references_is_not_remembered_at_who_refers() -> None:
    graph = Graph((target(), source(SENTINEL)))
    (first,), (other,) = graph.of(TARGET), graph.of(SOURCE)
    graph.referring(first, "ref", SOURCE)
    graph.referred(other, "ref", TARGET)
    assert other.unread == {}


def test_several_that_refer_come_in_the_order_of_the_stack_each_once() -> None:
    it = target(arn="arn:it")
    found, _ = referring(source("arn:it", name="b"), it, source("arn:it", it, name="a"), source(SENTINEL, it, name="c"))
    assert found == ["b", "a", "c"]


def test_only_the_types_that_are_asked_for_are_found() -> None:
    it = target()
    graph = Graph((it, source(SENTINEL, it), source(SENTINEL, it, name="else", kind=OTHER)))
    (first,) = graph.of(TARGET)
    assert names(graph.referring(first, "ref", OTHER)) == ["else"]
    assert names(graph.referring(first, "ref", OTHER, SOURCE)) == ["else", "from"]


def test_used_is_what_a_resource_of_another_type_refers_to() -> None:
    it, lonely = target(), target("lonely")
    graph = Graph((it, lonely, source(SENTINEL, it)))
    used, unused = graph.of(TARGET)
    assert graph.used(used, but=(OTHER,))
    assert not graph.used(used, but=(SOURCE,))
    assert not graph.used(unused, but=())


def test_rules_share_what_was_read_of_a_stack_and_not_what_they_saw() -> None:
    index = Index((target(arn=SENTINEL), source("arn:it")))
    one, other = Graph(index), Graph(index)
    one.of(TARGET)[0].text("arn")
    assert one.views["urn:it"].unread != {}
    assert other.of(TARGET)[0].unread == {}


def test_a_view_is_made_once_for_a_rule() -> None:
    graph = Graph((target(),))
    assert graph.of(TARGET)[0] is graph.of(TARGET)[0]


def planned(name: str, kind: str, inputs: dict[str, Any], *, custom: bool = True) -> Resource:
    return Resource(f"urn:{name}", kind, name, None, inputs, (), custom)


def test_a_plan_s_tokens_are_references() -> None:
    found = from_plan(
        [
            planned("shop", TARGET, {}),
            planned("shop.blue", TARGET, {}),
            planned("from", SOURCE, {"ref": "${x.Target shop.arn}", "more": [{"id": "a ${x.Target shop.blue.a.b} c"}]}),
            planned("component", OTHER, {}, custom=False),
        ]
    )
    assert [subject.name for subject in found] == ["shop", "shop.blue", "from"]
    blue = frozenset({"urn:shop.blue"})
    assert found[2].refs == {"ref": frozenset({"urn:shop"}), "more": blue, "more[0]": blue}


def test_a_plan_tells_which_entry_of_a_list_comes_from_where() -> None:
    listed = ["${x.Target one.arn}", {"id": "${x.Target two.arn}"}, "three"]
    found = from_plan(
        [planned("one", TARGET, {}), planned("two", TARGET, {}), planned("from", SOURCE, {"ref": listed})]
    )
    both = frozenset({"urn:one", "urn:two"})
    assert found[2].refs == {
        "ref": both,
        "ref[0]": frozenset({"urn:one"}),
        "ref[1]": frozenset({"urn:two"}),
    }
