"""A host name for APIs: certificate, domain, mappings, and the records that point to it."""

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Required, TypedDict

import pulumi
import pulumi_aws as aws

from edgewright.clouds import part

from .certificate import Certificate, CertificateArgs, host_problems, proven_hosts, zone_problems
from .rest_api import ACCESS_MODES, choice_problems, policy_problems

TYPE = "edgewright:aws:CustomDomain"

IP_ADDRESS_TYPES = ("ipv4", "dualstack")
_CERTIFICATE_ARN = re.compile(r"arn:[a-z-]+:acm:(?P<region>[a-z0-9-]+):\d{12}:certificate/\S+")
RECOMMENDED = "SecurityPolicy_TLS13_1_2_PFS_PQ_2025_09"
"""TLS 1.3, and 1.2 with forward secrecy; key exchange that quantum computers do not break either.

https://docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-security-policies-list.html
"""

_ONE_LEVEL = re.compile(r"[A-Za-z0-9$_.+!*'()-]*")
_LEVELS = re.compile(r"[A-Za-z0-9$_.+!*'()/-]*")


class MutualTlsArgs(TypedDict, total=False):
    """Certificates that clients must show."""

    truststore_uri: Required[pulumi.Input[str]]
    """PEM file of the issuers in S3, as ``s3://bucket/key``, in the region of the domain."""

    truststore_version: pulumi.Input[str]
    """Version of that object, so that a change of the file is a change of the domain. Default: the newest at first."""

    ownership_verification_certificate_arn: pulumi.Input[str]
    """A certificate that ACM issued for the host, when ``certificate_arn`` is an imported one. Default: none."""


class MappingArgs(TypedDict, total=False):
    """An API behind the host."""

    api_id: Required[pulumi.Input[str]]
    """Id of the API; of the domain's kind."""

    stage: Required[pulumi.Input[str]]
    """Name of its stage; take it from the stage, so that the mapping waits for it."""

    base_path: str
    """Path below the host, without slashes around; HTTP and WebSocket APIs may have several levels. Default: root."""


class AliasTargetArgs(TypedDict, total=False):
    """A load balancer that stands in front of the domain."""

    dns_name: Required[pulumi.Input[str]]
    """Its DNS name."""

    zone_id: Required[pulumi.Input[str]]
    """Its canonical hosted zone id."""

    dualstack: bool
    """Whether it also has IPv6 addresses, which gives an AAAA record. Default: False."""


class CustomDomainArgs(TypedDict, total=False):
    """Arguments of `CustomDomain`."""

    host: Required[str]
    """The name, lower case, such as api.example.com."""

    region: Required[str]
    """Region of the provider, which the certificate must be of."""

    kind: Required[str]
    """``rest``, ``http``, ``websocket`` (all REGIONAL), or ``private``: REST, through an interface endpoint."""

    certificate_arn: pulumi.Input[str]
    """An existing certificate of ACM for the host. Default: one issued and proven in the zone."""

    zone_id: pulumi.Input[str]
    """Route 53 zone of the host: for the certificate's proof and the alias records. Without it ``certificate_arn`` is
    needed, and no record is made."""

    zone_name: str
    """Name of that zone, to check that the host lies in it. Default: not checked."""

    mutual_tls: MutualTlsArgs
    """For ``rest`` and ``http``. Default: none."""

    security_policy: str
    """TLS_1_2, or for ``rest`` one of ``SecurityPolicy_*``. Default: `RECOMMENDED` for ``rest`` without ``mutual_tls``,
    which it does not go with; else TLS_1_2."""

    endpoint_access_mode: str
    """BASIC or STRICT, with ``SecurityPolicy_*`` only. Default then: STRICT, and BASIC behind ``alias_target``, since a
    load balancer sends no SNI."""

    ip_address_type: str
    """ipv4 or dualstack; ``private`` is always dualstack. Default: ipv4."""

    policy: pulumi.Input[str]
    """Resource policy of a ``private`` domain, JSON text. Default: its endpoint alone may invoke."""

    mappings: dict[str, MappingArgs]
    """APIs by name. Default: none."""

    vpc_endpoint_id: pulumi.Input[str]
    """The interface endpoint that may reach a ``private`` domain. Default: none; then ``policy`` is needed."""

    alias_target: AliasTargetArgs
    """Where the records point instead of the domain. A ``private`` domain without it gets no record."""

    tags: Mapping[str, pulumi.Input[str]]
    """For all that has tags. Default: none."""

    overrides: Mapping[str, Mapping[str, Any]]
    """Raw inputs by attribute: domain, mappings.NAME, association, records.a, records.aaaa, and of the certificate
    certificate.certificate, certificate.records.HOST, certificate.validation."""


@dataclass(frozen=True, slots=True)
class _Kind:
    """What differs between kinds of domains.

    newer: made by API Gateway's second API (apigatewayv2); base_path: what it may be; own_policies: whether TLS can be
    stricter than TLS_1_2; mutual_tls: whether clients may have to show a certificate.
    """

    newer: bool
    base_path: re.Pattern[str]
    own_policies: bool
    mutual_tls: bool
    private: bool = False


# "Security policies" (TLS_1_2 alone for HTTP, WebSocket and private domains); "Mutual TLS" (REST and HTTP APIs).
KINDS: Mapping[str, _Kind] = {
    "rest": _Kind(newer=False, base_path=_ONE_LEVEL, own_policies=True, mutual_tls=True),
    "private": _Kind(newer=False, base_path=_ONE_LEVEL, own_policies=False, mutual_tls=False, private=True),
    "http": _Kind(newer=True, base_path=_LEVELS, own_policies=False, mutual_tls=True),
    "websocket": _Kind(newer=True, base_path=_LEVELS, own_policies=False, mutual_tls=False),
}


class CustomDomain(pulumi.ComponentResource):
    """A custom domain name of API Gateway.

    ``host``, ``domain_arn``, ``target_dns_name`` and ``target_zone_id`` (what an alias of one's own points to; None for
    private), and the parts ``certificate`` (None when it was given), ``domain``, ``mappings`` (by name),
    ``association`` (private, else None), ``records`` (by ``a`` and ``aaaa``; those that were made).
    A private domain and its association take about a quarter of an hour each; until then it answers 403.
    """

    def __init__(self, name: str, args: CustomDomainArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(TYPE, name, None, opts)
        part.refuse("CustomDomain", name, _problems(args))
        kind = KINDS[args["kind"]]

        self.certificate = _certificate(self, name, args)
        certificate_arn = self.certificate.arn if self.certificate else args.get("certificate_arn")
        self.domain = (_domain_v2 if kind.newer else _domain_v1)(self, name, args, certificate_arn)
        self.association = _association(self, name, args)
        self.mappings = {key: _mapping(self, name, args, key) for key in args.get("mappings", {})}
        self.target_dns_name, self.target_zone_id = _target(self, kind)
        self.records = _records(self, name, args)

        self.host = args["host"]
        self.domain_arn = self.domain.arn
        self.register_outputs({"host": self.host, "domainArn": self.domain_arn})


# ---- resources, in the order of a request's path ----


def _certificate(self: CustomDomain, name: str, args: CustomDomainArgs) -> Certificate | None:
    if args.get("certificate_arn") is not None:
        return None
    made = _certificate_args(args)
    return Certificate(f"{name}-certificate", made, pulumi.ResourceOptions(parent=self))


def _certificate_args(args: CustomDomainArgs) -> CertificateArgs:
    prefix = "certificate."
    overrides = {
        key.removeprefix(prefix): value
        for key, value in (args.get("overrides") or {}).items()
        if key.startswith(prefix)
    }
    made = CertificateArgs(host=args["host"], zone_id=args.get("zone_id", ""), tags=args.get("tags", {}))
    if "zone_name" in args:
        made["zone_name"] = args["zone_name"]
    made["overrides"] = overrides
    return made


def _domain_v1(
    self: CustomDomain, name: str, args: CustomDomainArgs, certificate_arn: Any
) -> aws.apigateway.DomainName:
    private = KINDS[args["kind"]].private
    tls = args.get("mutual_tls")
    props: dict[str, Any] = {
        "domain_name": args["host"],
        # The certificate of a private domain is of the same region too, and yet not the `regional` one.
        "certificate_arn" if private else "regional_certificate_arn": certificate_arn,
        "endpoint_configuration": {
            "types": "PRIVATE" if private else "REGIONAL",
            "ip_address_type": _ip_address_type(args),
        },
        "security_policy": _security_policy(args),
        "endpoint_access_mode": _access_mode(args),
        "policy": _policy(args) if private else None,
        "tags": part.tagged(args.get("tags"), name),
    }
    if tls:
        props["mutual_tls_authentication"] = _truststore(tls)
        props["ownership_verification_certificate_arn"] = tls.get("ownership_verification_certificate_arn")
    return part.place(
        aws.apigateway.DomainName, name, props, parent=self, overrides=args.get("overrides"), key="domain"
    )


def _domain_v2(
    self: CustomDomain, name: str, args: CustomDomainArgs, certificate_arn: Any
) -> aws.apigatewayv2.DomainName:
    tls = args.get("mutual_tls")
    configuration: dict[str, Any] = {
        "certificate_arn": certificate_arn,
        "endpoint_type": "REGIONAL",
        "security_policy": "TLS_1_2",
        "ip_address_type": _ip_address_type(args),
    }
    ownership = tls.get("ownership_verification_certificate_arn") if tls else None
    if ownership is not None:
        configuration["ownership_verification_certificate_arn"] = ownership
    return part.place(
        aws.apigatewayv2.DomainName,
        name,
        {
            "domain_name": args["host"],
            "domain_name_configuration": configuration,
            "mutual_tls_authentication": _truststore(tls) if tls else None,
            "tags": part.tagged(args.get("tags"), name),
        },
        parent=self,
        overrides=args.get("overrides"),
        key="domain",
    )


def _truststore(tls: MutualTlsArgs) -> dict[str, Any]:
    kept = {"truststore_uri": tls.get("truststore_uri"), "truststore_version": tls.get("truststore_version")}
    return {key: value for key, value in kept.items() if value is not None}


def _ip_address_type(args: CustomDomainArgs) -> str:
    return "dualstack" if KINDS[args["kind"]].private else args.get("ip_address_type", "ipv4")


def _security_policy(args: CustomDomainArgs) -> str:
    own = KINDS[args["kind"]].own_policies and "mutual_tls" not in args
    return args.get("security_policy", RECOMMENDED if own else "TLS_1_2")


def _access_mode(args: CustomDomainArgs) -> str | None:
    if _security_policy(args) == "TLS_1_2":
        return None
    return args.get("endpoint_access_mode", "BASIC" if "alias_target" in args else "STRICT")


def _policy(args: CustomDomainArgs) -> pulumi.Input[str]:
    given = args.get("policy")
    if given is not None:
        return given
    return endpoint_policy(args.get("vpc_endpoint_id", ""))


def endpoint_policy(vpc_endpoint_id: pulumi.Input[str]) -> pulumi.Input[str]:
    """A policy, as JSON text, by which anybody may invoke, and only through one interface endpoint.

    For a private API and for a private domain: both need one.
    """
    if isinstance(vpc_endpoint_id, str):
        return _only_through(vpc_endpoint_id)
    return pulumi.Output.from_input(vpc_endpoint_id).apply(_only_through)


def _only_through(vpc_endpoint_id: str) -> str:
    invoke = {"Principal": "*", "Action": "execute-api:Invoke", "Resource": ["execute-api:/*"]}
    elsewhere = {"StringNotEquals": {"aws:SourceVpce": vpc_endpoint_id}}
    statements = [{"Effect": "Allow", **invoke}, {"Effect": "Deny", **invoke, "Condition": elsewhere}]
    return json.dumps({"Version": "2012-10-17", "Statement": statements}, separators=(",", ":"))


def _association(
    self: CustomDomain, name: str, args: CustomDomainArgs
) -> aws.apigateway.DomainNameAccessAssociation | None:
    if not _associates(args):
        return None
    return part.place(
        aws.apigateway.DomainNameAccessAssociation,
        f"{name}-association",
        {
            "access_association_source": args.get("vpc_endpoint_id"),
            "access_association_source_type": "VPCE",
            "domain_name_arn": self.domain.arn,
            "tags": part.tagged(args.get("tags"), name),
        },
        parent=self,
        overrides=args.get("overrides"),
        key="association",
    )


def _mapping(
    self: CustomDomain, name: str, args: CustomDomainArgs, key: str
) -> aws.apigateway.BasePathMapping | aws.apigatewayv2.ApiMapping:
    mapping = args.get("mappings", {})[key]
    make: Callable[..., aws.apigateway.BasePathMapping | aws.apigatewayv2.ApiMapping]
    if isinstance(self.domain, aws.apigatewayv2.DomainName):
        make, props = aws.apigatewayv2.ApiMapping, _mapping_v2(self.domain, mapping)
    else:
        make, props = aws.apigateway.BasePathMapping, _mapping_v1(self.domain, mapping, KINDS[args["kind"]])
    overrides = args.get("overrides")
    return part.place(make, f"{name}-{key}", props, parent=self, overrides=overrides, key=f"mappings.{key}")


def _mapping_v1(domain: aws.apigateway.DomainName, mapping: MappingArgs, kind: _Kind) -> dict[str, Any]:
    return {
        "domain_name": domain.domain_name,
        # Several private domains may have one name: without the id the mapping is not found (404).
        "domain_name_id": domain.domain_name_id if kind.private else None,
        "rest_api": mapping.get("api_id"),
        "stage_name": mapping.get("stage"),
        "base_path": mapping.get("base_path") or None,
    }


def _mapping_v2(domain: aws.apigatewayv2.DomainName, mapping: MappingArgs) -> dict[str, Any]:
    return {
        "domain_name": domain.domain_name,
        "api_id": mapping.get("api_id"),
        "stage": mapping.get("stage"),
        "api_mapping_key": mapping.get("base_path") or None,
    }


def _target(self: CustomDomain, kind: _Kind) -> tuple[pulumi.Output[str] | None, pulumi.Output[str] | None]:
    """Name and zone that an alias of the domain points to; a private domain has none of its own."""
    if kind.private:
        return None, None
    if isinstance(self.domain, aws.apigateway.DomainName):
        return self.domain.regional_domain_name, self.domain.regional_zone_id
    configuration = self.domain.domain_name_configuration
    return (
        configuration.apply(lambda found: found.target_domain_name or ""),
        configuration.apply(lambda found: found.hosted_zone_id or ""),
    )


def _records(self: CustomDomain, name: str, args: CustomDomainArgs) -> dict[str, aws.route53.Record]:
    target = args.get("alias_target")
    dns_name, zone_id = (
        (target.get("dns_name"), target.get("zone_id")) if target else (self.target_dns_name, self.target_zone_id)
    )
    return {
        key: part.place(
            aws.route53.Record,
            f"{name}-{key}",
            {
                "zone_id": args.get("zone_id"),
                "name": args["host"],
                "type": key.upper(),
                "aliases": [{"name": dns_name, "zone_id": zone_id, "evaluate_target_health": False}],
            },
            parent=self,
            overrides=args.get("overrides"),
            key=f"records.{key}",
        )
        for key in _record_types(args)
    }


def _record_types(args: CustomDomainArgs) -> tuple[str, ...]:
    """``a``, and ``aaaa`` where the target has IPv6 addresses; none without a zone or a target."""
    target = args.get("alias_target")
    if args.get("zone_id") is None or (target is None and KINDS[args["kind"]].private):
        return ()
    dualstack = target.get("dualstack", False) if target else _ip_address_type(args) == "dualstack"
    return ("a", "aaaa") if dualstack else ("a",)


def _associates(args: CustomDomainArgs) -> bool:
    return KINDS[args["kind"]].private and args.get("vpc_endpoint_id") is not None


# ---- checks ----


def _problems(args: CustomDomainArgs) -> list[str]:
    missing = [key for key in ("host", "region", "kind") if args.get(key) is None]
    if missing:
        return [f"`{key}` is missing" for key in missing]
    if args["kind"] not in KINDS:
        return choice_problems(args["kind"], tuple(KINDS), "kind")
    return [
        *part.unknown_keys(args, CustomDomainArgs.__annotations__, "the domain"),
        *host_problems(args["host"]),
        *zone_problems([args["host"]], args.get("zone_name")),
        *_certificate_problems(args),
        *_tls_problems(args),
        *_private_problems(args),
        *_mapping_problems(args),
        *_alias_problems(args),
        *part.unknown_keys(args.get("overrides") or {}, _attributes(args), "overrides"),
    ]


def _attributes(args: CustomDomainArgs) -> list[str]:
    known = ["domain", *(f"mappings.{key}" for key in args.get("mappings", {}))]
    known += [f"records.{key}" for key in _record_types(args)]
    if _associates(args):
        known.append("association")
    if args.get("certificate_arn") is None:
        hosts = proven_hosts(_certificate_args(args))
        known += ["certificate.certificate", "certificate.validation"]
        known += [f"certificate.records.{host}" for host in hosts]
    return known


def _certificate_problems(args: CustomDomainArgs) -> list[str]:
    arn = args.get("certificate_arn")
    if arn is None:
        return [] if args.get("zone_id") is not None else ["write `certificate_arn`, or `zone_id` to issue one there"]
    if not isinstance(arn, str):
        return []
    match = _CERTIFICATE_ARN.fullmatch(arn)
    if not match:
        return [f"certificate_arn is `{arn}`; write the ARN of a certificate of ACM"]
    if match["region"] != args["region"]:
        return [f"certificate_arn is of {match['region']}; a domain in {args['region']} needs one of its own region"]
    return []


def _tls_problems(args: CustomDomainArgs) -> list[str]:
    kind = KINDS[args["kind"]]
    policy = _security_policy(args)
    tls = args.get("mutual_tls")
    stricter = policy.startswith("SecurityPolicy_")
    problems = choice_problems(args.get("endpoint_access_mode"), ACCESS_MODES, "endpoint_access_mode")
    problems += choice_problems(args.get("ip_address_type"), IP_ADDRESS_TYPES, "ip_address_type")
    if policy != "TLS_1_2" and not (kind.own_policies and stricter):
        also = " or SecurityPolicy_*" if kind.own_policies else ""
        problems.append(f"security_policy is `{policy}`; a {args['kind']} domain takes TLS_1_2{also}")
    if args.get("endpoint_access_mode") is not None and not stricter:
        problems.append("endpoint_access_mode needs a security_policy that begins with SecurityPolicy_")
    if tls is None:
        return problems
    problems += part.unknown_keys(tls, MutualTlsArgs.__annotations__, "mutual_tls")
    uri = tls.get("truststore_uri", "")
    if not kind.mutual_tls:
        problems.append(f"a {args['kind']} domain cannot ask clients for certificates: leave mutual_tls out")
    if stricter:
        problems.append("mutual_tls does not go with SecurityPolicy_*: write security_policy TLS_1_2")
    if isinstance(uri, str) and not uri.startswith("s3://"):
        problems.append("mutual_tls.truststore_uri must be an object in S3, as s3://bucket/key")
    return problems


def _private_problems(args: CustomDomainArgs) -> list[str]:
    if not KINDS[args["kind"]].private:
        given = [key for key in ("policy", "vpc_endpoint_id") if args.get(key) is not None]
        return [f"{key} is for private domains; this one is {args['kind']}" for key in given]
    problems = policy_problems(args.get("policy"))
    if args.get("policy") is None and args.get("vpc_endpoint_id") is None:
        problems.append("a private domain needs `vpc_endpoint_id`, or a `policy` that says who may invoke")
    if args.get("ip_address_type") == "ipv4":
        problems.append("a private domain is always dualstack: leave ip_address_type out")
    return problems


def _mapping_problems(args: CustomDomainArgs) -> list[str]:
    kind = KINDS[args["kind"]]
    problems: list[str] = []
    taken: dict[str, str] = {}
    for key, mapping in args.get("mappings", {}).items():
        what = f"mappings.{key}"
        path = mapping.get("base_path", "")
        problems += part.unknown_keys(mapping, MappingArgs.__annotations__, what)
        problems += [f"{what}.{item} is missing" for item in ("api_id", "stage") if mapping.get(item) is None]
        if not kind.base_path.fullmatch(path) or path.strip("/") != path or "//" in path:
            levels = "no slash around it" if kind.newer else "one level without slashes"
            problems.append(f"{what}.base_path is `{path}`; write {levels}, of letters, digits and $-_.+!*'()")
        if path in taken:
            problems.append(f"{what} and mappings.{taken[path]} have one base_path `{path}`")
        taken.setdefault(path, key)
    return problems


def _alias_problems(args: CustomDomainArgs) -> list[str]:
    target = args.get("alias_target")
    if target is None:
        return []
    problems = part.unknown_keys(target, AliasTargetArgs.__annotations__, "alias_target")
    problems += [f"alias_target.{key} is missing" for key in ("dns_name", "zone_id") if target.get(key) is None]
    if args.get("zone_id") is None:
        problems.append("alias_target needs `zone_id`, the zone that gets the records")
    return problems
