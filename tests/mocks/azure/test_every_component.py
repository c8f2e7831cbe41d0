"""What all Azure components have in common: children, tags, options, overrides, and values that are not known yet."""

import importlib
import pkgutil
from collections.abc import Awaitable, Iterator, Mapping
from dataclasses import is_dataclass
from types import UnionType
from typing import Any, Union, get_args, get_origin

import pulumi
import pulumi_azure_native
import pulumi_kubernetes
import pytest
from pulumi.provider.experimental.analyzer import Analyzer
from pulumi.runtime.stack import register_stack_transformation

import edgewright.azure
from edgewright.azure.topologies import topology_class
from edgewright.azure.topology import TOPOLOGIES
from edgewright.clouds.part import ArgumentsError
from edgewright.plan.model import Resource
from edgewright.plan.recorder import Recording
from edgewright.plan.sdk_types import resource_class, validate
from edgewright.plan.tokens import UNKNOWN
from mocks.azure.components import CASES, ZERO, Case, record
from mocks.unknowns import bare, hints_of, is_typed_dict, takes_output

TAGS = {"team": "shop"}

# The argument of that name is no map of tags, but a list of words to filter by.
_TAKES_NO_TAGS = {"azure-native:apimanagement:NamedValue"}


def components() -> Iterator[type[pulumi.ComponentResource]]:
    """Every component of the package, in whatever module."""
    for module in pkgutil.iter_modules(edgewright.azure.__path__, "edgewright.azure."):
        for found in vars(importlib.import_module(module.name)).values():
            if (
                isinstance(found, type)
                and issubclass(found, pulumi.ComponentResource)
                and found.__module__ == module.name
            ):
                yield found


def parts_of(made: Recording, case: Case) -> list[Resource]:
    """Raw resources of the component, without what the program made for it."""
    return [item for item in made.resources if item.custom and f"edgewright:azure:{case.name}$" in item.urn]


def refused(case: Case, **more: Any) -> str:
    """What the component says of arguments; it must say so before it registers anything."""
    said: list[str] = []

    def program() -> None:
        with pytest.raises(ArgumentsError) as error:
            case.make(**more)
        said.append(str(error.value))

    made = record(program)
    assert [item for item in made.resources if case.name in item.urn] == []
    return said[0]


def test_every_component_of_the_package_is_among_the_cases() -> None:
    topologies = {topology_class(one) for one in TOPOLOGIES if placed(one)}
    found = {kind.__name__ for kind in components() if kind not in topologies}
    assert found == {case.name for case in CASES}


def placed(topology: Any) -> bool:
    try:
        topology_class(topology)
    except ImportError:
        return False
    return True


@pytest.mark.parametrize("case", CASES, ids=str)
def test_what_it_makes_is_what_the_sdk_takes(case: Case) -> None:
    made = record(case.make)
    assert parts_of(made, case)
    assert validate(made.resources) == []


@pytest.mark.parametrize("case", CASES, ids=str)
def test_everything_stands_below_the_component(case: Case) -> None:
    made = record(case.make)
    (top,) = (item for item in made.resources if item.type == f"edgewright:azure:{case.name}")
    known = {item.urn: item.parent for item in made.resources}
    assert top.parent is None
    for item in parts_of(made, case):
        at = item.urn
        while at != top.urn:
            assert known[at] is not None, f"{item.urn} hangs nowhere"
            at = str(known[at])


@pytest.mark.parametrize("case", CASES, ids=str)
def test_everything_that_takes_tags_has_those_of_the_caller(case: Case) -> None:
    tags: dict[str, Any] = {"tags": TAGS} if "tags" in case.hints.__annotations__ else {}
    made = parts_of(record(lambda: case.make(**tags)), case)
    untagged = [item.short for item in made if _takes_tags(item.type) and item.inputs.get("tags") != TAGS]
    assert untagged == []


def _takes_tags(kind: str) -> bool:
    found = resource_class(kind)
    return found is not None and kind not in _TAKES_NO_TAGS and "tags" in vars(found)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_the_protection_of_the_component_reaches_everything(case: Case) -> None:
    made = record(lambda: case.make(pulumi.ResourceOptions(protect=True)))
    assert [item.urn for item in parts_of(made, case) if not item.protect] == []


@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_component_under_a_new_name_is_known_by_its_old_one(case: Case) -> None:
    """What is below it follows: the engine takes the names of children from their parent's."""
    made = record(lambda: case.make(pulumi.ResourceOptions(aliases=[pulumi.Alias(name="old")])))
    (top,) = (item for item in made.resources if item.type == f"edgewright:azure:{case.name}")
    assert [alias.endswith("::old") for alias in top.aliases] == [True]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_the_provider_of_the_component_is_that_of_everything(case: Case) -> None:
    """No resource goes to a default provider, whose subscription or cluster would be the machine's own."""
    seen: dict[str, pulumi.Resource] = {}
    given: dict[str, pulumi.ProviderResource] = {}

    def see(args: pulumi.ResourceTransformationArgs) -> None:
        seen[f"{args.type_} {args.name}"] = args.resource

    def program() -> None:
        given["azure-native"] = pulumi_azure_native.Provider("azure", subscription_id=ZERO)
        given["kubernetes"] = pulumi_kubernetes.Provider("cluster", kubeconfig="apiVersion: v1")
        register_stack_transformation(see)
        by_options = {"kubeconfig": None, "cluster_id": None} if "kubeconfig" in case.args else {}
        case.make(pulumi.ResourceOptions(providers=list(given.values())), **by_options)

    names = {f"{item.type} {item.name}" for item in parts_of(record(program), case)}
    used = {name: vars(seen[name])["_provider"] for name in names}
    assert names
    assert [name for name, provider in used.items() if provider is not given[name.partition(":")[0]]] == []


@pytest.mark.parametrize("case", CASES, ids=str)
def test_all_that_may_be_an_output_may_be_unknown_in_a_preview(case: Case) -> None:
    known, hidden = record(case.make), record(case.make_unknown, preview=True)
    before, after = ({item.urn: set(item.inputs) for item in made.resources} for made in (known, hidden))
    assert before == after


def test_what_is_unknown_arrives_as_unknown() -> None:
    case = next(case for case in CASES if case.name == "GatewayScaleSet")
    made = record(case.make_unknown, preview=True)
    (machines,) = (item for item in made.resources if item.type.endswith(":VirtualMachineScaleSet"))
    assert machines.inputs["sku"]["name"] == UNKNOWN
    assert machines.inputs["virtualMachineProfile"]["osProfile"]["customData"] == UNKNOWN


@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_raw_input_can_be_overridden_by_the_attribute_that_holds_the_resource(case: Case) -> None:
    attribute, change = case.override
    before, after = record(case.make), record(lambda: case.make(overrides={attribute: dict(change)}))
    changed = {item.urn: item.inputs for item in after.resources}
    differing = [
        (item.urn, key)
        for item in before.resources
        for key in {*item.inputs, *changed[item.urn]}
        if item.inputs.get(key) != changed[item.urn].get(key)
    ]
    assert {key for _, key in differing} == {_wire(key) for key in change}
    assert len({urn for urn, _ in differing}) == 1
    assert validate(after.resources) == []


def _wire(key: str) -> str:
    first, *rest = key.rstrip("_").split("_")
    return first + "".join(word.title() for word in rest)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_an_override_of_what_is_not_there_is_refused_with_what_there_is(case: Case) -> None:
    said = refused(case, overrides={"nonsense": {}})
    assert "nonsense" in said
    assert case.override[0].split(".")[0] in said


@pytest.mark.parametrize("case", CASES, ids=str)
def test_an_argument_that_there_is_not_is_refused_with_those_that_there_are(case: Case) -> None:
    said = refused(case, colour="red")
    assert "has no `colour`" in said
    assert next(iter(case.args)) in said


@pytest.mark.parametrize("case", CASES, ids=str)
def test_without_what_it_needs_a_component_says_what_is_missing(case: Case) -> None:
    for key in sorted(case.hints.__required_keys__):
        assert f"`{key}`" in refused(case, **{key: None}), key


@pytest.mark.parametrize("case", CASES, ids=str)
def test_whole_numbers_may_come_as_floats(case: Case) -> None:
    """So they come from programs in other languages; texts made of them must not end in `.0`."""
    known, floats = record(case.make), record(lambda: case.make(**_floats(case.args)))
    before, after = ({item.urn: item.inputs for item in made.resources} for made in (known, floats))
    assert before == after


def _floats(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _floats(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_floats(item) for item in value]
    return float(value) if isinstance(value, int) and not isinstance(value, bool) else value


@pytest.mark.parametrize("case", CASES, ids=str)
def test_a_program_of_another_language_could_give_the_arguments(case: Case) -> None:
    found = Analyzer("edgewright").analyze_component(case.kind)  # pyright: ignore[reportArgumentType]
    assert len(found.inputs) == len(case.hints.__annotations__)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_nothing_of_the_arguments_would_be_lost_on_the_way_from_another_language(case: Case) -> None:
    """What the SDK takes without a word, and gives to the component as something else, or not at all."""
    assert list(_lost(case.hints, case.name)) == []


def _lost(hint: Any, where: str) -> Iterator[str]:
    hint = bare(hint)
    inner = [one for one in get_args(hint) if one is not type(None)]
    if is_typed_dict(hint):
        for key, of in hints_of(hint).items():
            yield from _lost(of, f"{where}.{key}")
    elif is_dataclass(hint):
        yield f"{where}: a dataclass arrives as a dict"
    elif takes_output(hint):
        plain = [one for one in inner if get_origin(one) not in (pulumi.Output, Awaitable)]
        if len(plain) > 1:
            yield f"{where}: of a union the first type is taken"
        if int in plain:
            yield f"{where}: an Output of an int is refused; one of a float is not"
        for one in plain:
            yield from _lost(one, where)
    elif get_origin(hint) in (Union, UnionType) and len(inner) > 1:
        yield f"{where}: of a union the first type is taken"
    else:
        for one in inner:
            yield from _lost(one, where)
