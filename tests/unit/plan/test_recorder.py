"""The offline recorder: what it records of a program, how outputs, secrets and files are shown, and how it fails."""

import asyncio
import gc
import hashlib
import json
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pulumi
import pulumi_aws as aws
import pytest
from pulumi.runtime.mocks import MockCallArgs, MockResourceArgs, Mocks, set_mocks
from pulumi.runtime.settings import get_project, get_stack

from edgewright.plan.model import Resource
from edgewright.plan.recorder import RecordError, Recording, record

Program = Callable[[], object]


class Shop(pulumi.ComponentResource):
    def __init__(self, name: str, props: pulumi.Inputs | None = None, opts: pulumi.ResourceOptions | None = None):
        super().__init__("edgewright:aws:Shop", name, props, opts)
        self.inner = Inner(f"{name}-inner", opts=pulumi.ResourceOptions(parent=self))


class Inner(pulumi.ComponentResource):
    def __init__(self, name: str, opts: pulumi.ResourceOptions | None = None):
        super().__init__("edgewright:aws:Inner", name, None, opts)
        self.balancer = aws.lb.LoadBalancer(name, subnets=["a"], opts=pulumi.ResourceOptions(parent=self))


def run(program: Program, **options: Any) -> Recording:
    return record(program, project="shop", stack="dev", **options)


def resources(program: Program, **options: Any) -> dict[str, Resource]:
    return {resource.name: resource for resource in run(program, **options).resources}


def balancer(logical: str = "shop", **inputs: Any) -> aws.lb.LoadBalancer:
    given: dict[str, Any] = {"subnets": ["subnet-1", "subnet-2"], **inputs}
    return aws.lb.LoadBalancer(logical, **given)


def listener(arn: Any, name: str = "https", **inputs: Any) -> aws.lb.Listener:
    actions = [{"type": "fixed-response", "fixed_response": {"content_type": "text/plain", "status_code": "404"}}]
    given: dict[str, Any] = {"load_balancer_arn": arn, "default_actions": actions, **inputs}
    return aws.lb.Listener(name, **given)


def holder(value: Any, name: str = "holder") -> aws.sns.Topic:
    """A small resource with one text."""
    return aws.sns.Topic(name, display_name=value)


def shown(value: Callable[[], Any], **options: Any) -> Any:
    """How an input is shown whose value a function makes inside of the program."""
    return resources(lambda: holder(value()), **options)["holder"].inputs["displayName"]


# What is recorded


def test_a_resource_is_recorded_with_its_wire_names_and_whole_numbers():
    def program():
        balancer(idle_timeout=60, load_balancer_type="application")

    assert run(program).resources == (
        Resource(
            urn="urn:pulumi:dev::shop::aws:lb/loadBalancer:LoadBalancer::shop",
            type="aws:lb/loadBalancer:LoadBalancer",
            name="shop",
            parent=None,
            inputs={"idleTimeout": 60, "loadBalancerType": "application", "subnets": ["subnet-1", "subnet-2"]},
            dependencies=(),
            custom=True,
        ),
    )


def test_a_fraction_stays_a_fraction():
    found = resources(
        lambda: aws.cloudwatch.MetricAlarm("slow", comparison_operator="x", evaluation_periods=1, threshold=0.5)
    )

    assert found["slow"].inputs["threshold"] == 0.5


def test_urns_have_the_types_of_all_parents():
    found = resources(lambda: Shop("shop"))

    assert found["shop"].urn == "urn:pulumi:dev::shop::edgewright:aws:Shop::shop"
    assert {
        (resource.type, resource.urn, resource.parent) for resource in found.values() if resource.name == "shop-inner"
    } == {
        (
            "aws:lb/loadBalancer:LoadBalancer",
            "urn:pulumi:dev::shop::edgewright:aws:Shop$edgewright:aws:Inner$aws:lb/loadBalancer:LoadBalancer::shop-inner",
            "urn:pulumi:dev::shop::edgewright:aws:Shop$edgewright:aws:Inner::shop-inner",
        )
    }


def test_components_come_before_what_is_in_them_and_siblings_by_urn():
    def program():
        holder("x", "z")
        holder("x", "a")
        Shop("shop")

    found = run(program).resources

    assert [(resource.type.rpartition(":")[2], resource.name) for resource in found] == [
        ("Topic", "a"),
        ("Topic", "z"),
        ("Shop", "shop"),
        ("Inner", "shop-inner"),
        ("LoadBalancer", "shop-inner"),
    ]
    assert [resource.custom for resource in found] == [True, True, False, False, True]


def test_an_output_in_an_input_is_a_token_and_a_dependency():
    found = resources(lambda: listener(balancer().arn))

    assert found["https"].inputs["loadBalancerArn"] == "${lb.LoadBalancer shop.arn}"
    assert found["https"].dependencies == (found["shop"].urn,)


def test_an_explicit_dependency_is_recorded():
    def program():
        aws.sns.Topic("second", opts=pulumi.ResourceOptions(depends_on=[Shop("shop")]))

    second = resources(program)["second"]

    assert second.dependencies == (
        "urn:pulumi:dev::shop::edgewright:aws:Shop$edgewright:aws:Inner$aws:lb/loadBalancer:LoadBalancer::shop-inner",
    )


def test_a_token_stands_inside_of_json():
    text = shown(lambda: pulumi.Output.json_dumps({"to": balancer().arn}))

    assert json.loads(text) == {"to": "${lb.LoadBalancer shop.arn}"}


def test_an_id_is_a_token():
    assert shown(lambda: balancer().id) == "${lb.LoadBalancer shop.id}"


def test_an_input_is_its_own_output():
    assert shown(lambda: aws.ec2.Vpc("shop", cidr_block="10.0.0.0/16").cidr_block) == "10.0.0.0/16"


def test_an_output_that_is_a_number_is_unknown():
    assert (
        shown(lambda: aws.lb.ListenerRule("r", listener_arn="a", actions=[], conditions=[]).priority.apply(str))
        == "[unknown]"
    )


def test_an_unknown_input_is_an_unknown_output():
    def value():
        rule = aws.lb.ListenerRule("r", listener_arn="a", actions=[], conditions=[])
        other = aws.lb.ListenerRule("s", listener_arn="a", actions=[], conditions=[], priority=rule.priority)
        return other.priority.apply(str)

    assert shown(value) == "[unknown]"


def test_a_list_of_texts_has_three_tokens():
    assert shown(lambda: pulumi.Output.json_dumps(aws.ec2.VpcEndpoint("e", vpc_id="v").cidr_blocks)) == json.dumps(
        [f"${{ec2.VpcEndpoint e.cidrBlocks[{index}]}}" for index in range(3)]
    )


def test_nested_outputs_have_tokens_too():
    def value():
        cluster = aws.eks.Cluster("e", role_arn="arn:r", vpc_config={"subnet_ids": ["s"]})
        return cluster.identities[0].oidcs[0].issuer

    assert shown(value) == "${eks.Cluster e.identities[0].oidcs[0].issuer}"


def test_a_certificate_has_a_validation_record_for_each_of_its_names():
    def value():
        certificate = aws.acm.Certificate(
            "c", domain_name="a.example", subject_alternative_names=["b.example", "a.example"]
        )
        return certificate.domain_validation_options.apply(
            lambda options: "; ".join(f"{option.domain_name} {option.resource_record_name}" for option in options)
        )

    assert shown(value) == (
        "a.example ${acm.Certificate c.domainValidationOptions[0].resourceRecordName}; "
        "b.example ${acm.Certificate c.domainValidationOptions[1].resourceRecordName}"
    )


def test_an_endpoint_has_an_interface_and_a_name_for_each_subnet():
    def value():
        endpoint = aws.ec2.VpcEndpoint("e", vpc_id="v", subnet_ids=["s-1", "s-2"])
        both = pulumi.Output.all(endpoint.network_interface_ids, endpoint.dns_entries)
        return both.apply(
            lambda found: f"{len(found[0])} {found[0][1]} {len(found[1])} {found[1][0]['hosted_zone_id']}"
        )

    assert (
        shown(value)
        == "2 ${ec2.VpcEndpoint e.networkInterfaceIds[1]} 3 ${ec2.VpcEndpoint e.dnsEntries[0].hostedZoneId}"
    )


def test_what_a_provider_adds_inside_an_input_is_a_token_beside_it():
    def value():
        configuration: Any = {"certificate_arn": "arn:c", "endpoint_type": "REGIONAL", "security_policy": "TLS_1_2"}
        name = aws.apigatewayv2.DomainName("d", domain_name="api.example", domain_name_configuration=configuration)
        return name.domain_name_configuration.apply(lambda found: f"{found.endpoint_type} {found.target_domain_name}")

    assert shown(value) == "REGIONAL ${apigatewayv2.DomainName d.domainNameConfiguration.targetDomainName}"


def test_the_outputs_of_the_stack_are_recorded():
    def program():
        pulumi.export("url", pulumi.Output.concat("https://", balancer().dns_name))
        pulumi.export("port", 443)

    assert run(program).outputs == {"port": 443, "url": "https://${lb.LoadBalancer shop.dnsName}"}


def test_protection_comes_from_parents_too():
    found = run(lambda: Shop("shop", opts=pulumi.ResourceOptions(protect=True))).resources

    assert [resource.protect for resource in found] == [True, True, True]


def test_aliases_are_urns_and_those_of_the_sdk_are_left_out():
    def program():
        options = pulumi.ResourceOptions(aliases=[pulumi.Alias(name="old"), "urn:pulumi:dev::shop::x:y:Z::other"])
        listener("arn:lb", opts=options)
        Shop("shop", opts=pulumi.ResourceOptions(aliases=[pulumi.Alias(type_="edgewright:aws:Store")]))

    found = run(program).resources
    aliases = {resource.short: resource.aliases for resource in found}

    assert aliases["lb.Listener https"] == (
        "urn:pulumi:dev::shop::aws:lb/listener:Listener::old",
        "urn:pulumi:dev::shop::x:y:Z::other",
    )
    assert aliases["aws.Shop shop"] == ("urn:pulumi:dev::shop::edgewright:aws:Store::shop",)
    assert aliases["aws.Inner shop-inner"] == ()


def test_transformations_of_the_program_are_run():
    def tag(args: pulumi.ResourceTransformationArgs):
        return pulumi.ResourceTransformationResult({**args.props, "tags": {"team": "edge"}}, args.opts)

    def program():
        pulumi.runtime.register_stack_transformation(tag)
        balancer()

    assert resources(program)["shop"].inputs["tags"] == {"team": "edge"}


def test_configuration_is_read_by_project_and_by_namespace():
    def program():
        holder(pulumi.Config().require("host") + " " + pulumi.Config("aws").require("region"))

    found = resources(program, config={"host": "a.example", "aws:region": "eu-west-1"})

    assert found["holder"].inputs["displayName"] == "a.example eu-west-1"


def test_what_exists_is_read_as_tokens_and_is_not_part_of_the_plan():
    found = resources(lambda: holder(aws.ec2.Vpc.get("vpc", "vpc-1").default_security_group_id))

    assert set(found) == {"holder"}
    assert found["holder"].inputs["displayName"] == "${ec2.Vpc vpc.defaultSecurityGroupId}"
    assert found["holder"].dependencies == ()


def test_a_component_can_take_resources_as_inputs():
    def program():
        shop = Shop("shop", {"balancer": balancer("given"), "size": 2})
        holder(shop.urn)

    assert resources(program)["shop"].inputs == {"balancer": "${lb.LoadBalancer given.id}", "size": 2}


# Unknown, secret, files


def test_in_a_preview_only_inputs_are_known():
    def program():
        known = listener(balancer().arn, port=443)
        holder(known.port.apply(lambda port: f"port {port}"))
        holder(known.arn, "unknown")

    found = resources(program, preview=True)

    assert found["https"].inputs["loadBalancerArn"] == "[unknown]"
    assert found["https"].dependencies == (found["shop"].urn,)
    assert found["holder"].inputs["displayName"] == "port 443"
    assert found["unknown"].inputs["displayName"] == "[unknown]"


def test_in_a_preview_an_object_given_for_a_text_is_unknown_when_it_is_read():
    def program():
        document: Any = {"Version": "2012-10-17"}
        holder(aws.s3.BucketPolicy("p", bucket="b", policy=document).policy)

    assert resources(program, preview=True)["holder"].inputs["displayName"] == "[unknown]"


@pytest.mark.parametrize("preview", [False, True])
def test_ids_given_as_a_list_are_answered_as_an_object_by_id(preview: bool):
    from pulumi_azure_native import compute

    def program():
        identity: Any = {"type": "UserAssigned", "user_assigned_identities": ["/subscriptions/s/one"]}
        made = compute.VirtualMachineScaleSet("set", resource_group_name="g", identity=identity)
        read = made.identity.apply(lambda found: ", ".join((found.user_assigned_identities or {}) if found else {}))
        holder(read, "read")

    found = resources(program, preview=preview)

    assert found["set"].inputs["identity"]["userAssignedIdentities"] == ["/subscriptions/s/one"]
    assert found["read"].inputs["displayName"] == "/subscriptions/s/one"


def test_with_an_unknown_id_the_object_by_id_is_unknown():
    from pulumi_azure_native import compute

    def program():
        other = pulumi.CustomResource("test:index:Thing", "other", {"value": None})
        identity: Any = {"type": "UserAssigned", "user_assigned_identities": [other.id]}
        made = compute.VirtualMachineScaleSet("set", resource_group_name="g", identity=identity)
        holder(made.identity.apply(str), "read")

    assert resources(program, preview=True)["read"].inputs["displayName"] == "[unknown]"


def test_a_secret_is_masked_wherever_it_is():
    def program():
        secret = pulumi.Output.secret("hunter2")
        found = balancer(tags={"plain": "yes", "deep": secret}, name=secret.apply(lambda text: f"lb-{text}"))
        holder(found.name, "read")
        pulumi.export("password", secret)
        pulumi.export("tags", found.tags)

    recording = run(program)
    found = {resource.name: resource.inputs for resource in recording.resources}

    assert found["shop"]["tags"] == {"deep": "[secret]", "plain": "yes"}
    assert found["shop"]["name"] == "[secret]"
    assert found["read"]["displayName"] == "[secret]"
    assert recording.outputs == {"password": "[secret]", "tags": "[secret]"}
    assert "hunter2" not in repr(recording)


def test_an_output_that_the_sdk_calls_secret_is_secret():
    def value():
        return aws.cognito.UserPoolClient("c", user_pool_id="p").client_secret

    assert shown(value) == "[secret]"


def test_a_program_can_name_more_outputs_as_secret():
    def value():
        options = pulumi.ResourceOptions(additional_secret_outputs=["arn", "name"])
        found = balancer(name="hidden", opts=options)
        return pulumi.Output.all(found.arn, found.name).apply(" ".join)

    assert shown(value) == "[secret]"


def test_files_are_shown_by_the_hash_of_what_is_in_them(tmp_path: Path):
    (tmp_path / "code" / "lib").mkdir(parents=True)
    (tmp_path / "code" / "lib" / "a.js").write_text("a")
    (tmp_path / "page.html").write_text("page")

    def program():
        archive = pulumi.AssetArchive(
            {"index.js": pulumi.StringAsset("x"), "more": pulumi.FileArchive(str(tmp_path / "code"))}
        )
        aws.lambda_.Function("f", role="arn:r", runtime="nodejs22.x", handler="index.h", code=archive)
        aws.s3.BucketObjectv2("o", bucket="b", source=pulumi.FileAsset(str(tmp_path / "page.html")))

    def digest(text: str):
        return hashlib.sha256(text.encode()).hexdigest()

    found = resources(program)
    assert found["f"].inputs["code"] == {
        "archive": {"index.js": {"asset": {"text": digest("x")}}, "more": {"archive": {"lib/a.js": digest("a")}}}
    }
    assert found["o"].inputs["source"] == {"asset": {"page.html": digest("page")}}


# Determinism, and nothing left behind


def big():
    for name in ("b", "a", "c"):
        found = listener(balancer(name).arn, name)
        for index in range(5):
            aws.lb.ListenerRule(
                f"{name}-{index}",
                listener_arn=found.arn,
                priority=index + 1,
                actions=[{"type": "forward", "target_group_arn": found.load_balancer_arn}],
                conditions=[{"path_pattern": {"values": [f"/{index}"]}}],
            )
    pulumi.export("name", pulumi.Output.all(balancer("d").arn, balancer("e").arn).apply(" ".join))


@pytest.mark.parametrize("preview", [False, True])
def test_two_runs_are_identical(preview: bool):
    first, second = run(big, preview=preview), run(big, preview=preview)

    assert len(first.resources) == 23
    assert repr(first) == repr(second)


def test_a_failed_run_leaves_nothing_to_the_next():
    def fails():
        balancer("lost").arn.apply(lambda _: 1 / 0)
        holder("x", "also-lost")

    with pytest.raises(ZeroDivisionError):
        run(fails)

    assert list(resources(balancer)) == ["shop"]


@pytest.fixture
def event_loop_for_mocks() -> Iterator[None]:
    """A current event loop, which Pulumi's mocks look for: other tests of the process may have left none."""
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    yield
    asyncio.set_event_loop(None)
    loop.close()


@pytest.mark.usefixtures("event_loop_for_mocks")
def test_the_state_of_the_process_is_as_before():
    class Ambient(Mocks):
        def new_resource(self, args: MockResourceArgs) -> tuple[str, dict[str, Any]]:
            return "id", args.inputs

        def call(self, args: MockCallArgs) -> tuple[dict[str, Any], None]:
            return {}, None

    def fails():
        assert gc.get_threshold() != before
        raise KeyError("x")

    set_mocks(Ambient(), project="ambient", stack="tests")
    before = gc.get_threshold()
    frozen = gc.get_freeze_count()
    with pytest.raises(KeyError):
        run(fails, config={"a": "b"})

    assert (gc.get_threshold(), gc.get_freeze_count()) == (before, frozen)
    assert not hasattr(sys, "tracebacklimit")
    assert (get_project(), get_stack()) == ("ambient", "tests")
    assert pulumi.Config("shop").get("a") is None


# Failures


def test_a_urn_that_is_used_twice_is_refused():
    def program():
        balancer()
        balancer()
        holder("x")
        holder("x", "other")
        holder("x")

    with pytest.raises(RecordError) as error:
        run(program)

    assert str(error.value).splitlines()[1:] == [
        "  urn:pulumi:dev::shop::aws:lb/loadBalancer:LoadBalancer::shop",
        "  urn:pulumi:dev::shop::aws:sns/topic:Topic::holder",
    ]


def test_the_same_name_below_another_component_is_another_urn():
    def program():
        for name in ("one", "two"):
            balancer("shop", opts=pulumi.ResourceOptions(parent=Shop(name) if name == "one" else None))

    assert len({resource.urn for resource in run(program).resources}) == 5


class OddError(ValueError):
    pass


def raises(_value: object = None) -> str:
    raise OddError("this one")


def in_the_program():
    balancer()
    raises()


def in_an_apply_that_nobody_reads():
    balancer().arn.apply(raises)


def in_an_apply_that_is_an_input():
    holder(balancer().arn.apply(raises))


def in_an_apply_far_down():
    first = listener(balancer().arn.apply(raises))
    holder(first.arn)
    pulumi.export("arn", first.arn)


def in_an_output_of_the_stack():
    pulumi.export("arn", balancer().arn.apply(raises))


def in_an_argument_of_a_data_source():
    pulumi.export("zone", aws.route53.get_zone_output(name=balancer().arn.apply(raises)).zone_id)


@pytest.mark.parametrize(
    "program",
    [
        in_the_program,
        in_an_apply_that_nobody_reads,
        in_an_apply_that_is_an_input,
        in_an_apply_far_down,
        in_an_output_of_the_stack,
        in_an_argument_of_a_data_source,
    ],
)
def test_an_exception_comes_out_as_it_was_raised(program: Program, caplog: pytest.LogCaptureFixture):
    with pytest.raises(OddError, match=r"^this one$") as error:
        run(program)

    assert error.value.__cause__ is None
    assert not caplog.records


def test_a_data_source_is_answered_from_the_table():
    asked = []

    def zone(arguments: dict[str, Any]) -> dict[str, Any]:
        asked.append(arguments)
        return {"zoneId": "Z1", "nameServers": ["ns-1"], "name": arguments["name"]}

    def program():
        plain = aws.route53.get_zone(name="a.example")
        later = aws.route53.get_zone_output(name=balancer().dns_name)
        holder(pulumi.Output.concat(plain.zone_id, plain.name_servers[0], later.name))

    found = resources(program, calls={"aws:route53/getZone:getZone": zone})

    assert found["holder"].inputs["displayName"] == "Z1ns-1${lb.LoadBalancer shop.dnsName}"
    assert [arguments["name"] for arguments in asked] == ["a.example", "${lb.LoadBalancer shop.dnsName}"]


@pytest.mark.parametrize("call", [aws.get_region, aws.get_region_output])
def test_a_data_source_without_an_answer_is_refused_by_name(call: Callable[[], Any]):
    with pytest.raises(RecordError, match="aws:index/getRegion:getRegion"):
        run(lambda: pulumi.export("region", call()))


def test_a_file_that_is_missing_is_named(tmp_path: Path):
    def program():
        aws.s3.BucketObjectv2("o", bucket="b", source=pulumi.FileAsset(str(tmp_path / "no.html")))

    with pytest.raises(RecordError, match=r"no\.html.*No such file"):
        run(program)


def test_transforms_are_refused_because_the_engine_runs_them():
    def program():
        balancer(opts=pulumi.ResourceOptions(transforms=[lambda _args: None]))

    with pytest.raises(RecordError, match="`shop` has transforms"):
        run(program)


@pytest.mark.parametrize(
    "register", [pulumi.runtime.register_resource_transform, pulumi.runtime.register_invoke_transform]
)
def test_transforms_of_the_whole_stack_are_refused(register: Callable[[Any], None]):
    with pytest.raises(RecordError, match="registers a transform"):
        run(lambda: register(print))


def test_a_component_of_a_provider_is_refused():
    def program():
        pulumi.ComponentResource("other:index:Thing", "thing", remote=True)

    with pytest.raises(RecordError, match="`thing`"):
        run(program)


class Running(pulumi.CustomResource):
    """As one of a dynamic provider: its outputs are annotations, and no getters."""

    url: pulumi.Output[str]
    listeners: pulumi.Output[Mapping[str, str]]

    def __init__(self, name: str) -> None:
        super().__init__("shop:index:Running", name, {"url": None, "listeners": None})


def test_outputs_that_are_annotations_of_a_class_are_known_as_such() -> None:
    def program() -> None:
        running = Running("run")
        aws.sns.Topic("topic", display_name=running.url, tags=running.listeners)

    topic = resources(program)["topic"]
    assert topic.inputs["displayName"] == "${index.Running run.url}"
    assert topic.inputs["tags"] == "[unknown]"


# -- the quick way to import an SDK ------------------------------------------------------------------------------------

OPTIONAL = """
import subprocess
import sys
from contextlib import nullcontext
from edgewright.plan.quick_imports import quickly
from edgewright.plan.recorder import record
with quickly("pulumi_aws") if sys.argv[1] == "quickly" else nullcontext():
    import pulumi_aws as aws
    def program():
        logs = aws.lb.LoadBalancer("shop", subnets=["a"]).access_logs
        aws.sns.Topic("logs", display_name=logs.apply(lambda found: "none" if found is None else found.bucket))
    [topic] = (item for item in record(program, project="shop", stack="dev").resources if item.name == "logs")
    print(topic.inputs["displayName"])
"""


@pytest.mark.parametrize("way", ["quickly", "ordinarily"])
def test_an_optional_output_that_was_not_given_is_left_out_however_the_sdk_was_imported(way: str) -> None:
    done = subprocess.run([sys.executable, "-c", OPTIONAL, way], capture_output=True, text=True, check=True)
    assert done.stdout == "none\n"
