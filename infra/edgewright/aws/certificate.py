"""A public TLS certificate, issued and proven by records in one zone."""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Required, TypedDict

import pulumi
import pulumi_aws as aws

from edgewright.clouds import part

TYPE = "edgewright:aws:Certificate"

NAMES_LIMIT = 10  # names of one certificate that ACM issues without a raised quota
RECORD_TTL = 60  # seconds
_LABEL = r"(?!-)[a-z0-9-]{1,63}(?<!-)"
_HOST = re.compile(rf"(\*\.)?({_LABEL}\.)+{_LABEL}")


class CertificateArgs(TypedDict, total=False):
    """Arguments of `Certificate`."""

    host: Required[str]
    """First name of the certificate, lower case; ``*.`` in front stands for one label."""

    alternative_hosts: list[str]
    """Further names; with the first up to 10. Default: none."""

    zone_id: Required[pulumi.Input[str]]
    """The public Route 53 zone that gets the proving records; all names lie in it."""

    zone_name: str
    """Name of that zone, to check that all names lie in it. Default: not checked."""

    tags: Mapping[str, pulumi.Input[str]]
    """For the certificate. Default: none."""

    overrides: Mapping[str, Mapping[str, Any]]
    """Raw inputs by attribute: certificate, records.HOST, validation."""


class Certificate(pulumi.ComponentResource):
    """A certificate of ACM in the provider's region, renewed by ACM as long as its records stay.

    ``arn`` is the validation's, so that whoever uses it waits until the certificate is issued. Raw resources:
    ``certificate``, ``records`` (by host, without ``*.``), ``validation``.
    """

    def __init__(self, name: str, args: CertificateArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(TYPE, name, None, opts)
        part.refuse("Certificate", name, _problems(args))

        self.certificate = _certificate(self, name, args)
        self.records = {host: _record(self, name, args, host) for host in proven_hosts(args)}
        self.validation = _validation(self, name, args)

        self.arn = self.validation.certificate_arn
        self.register_outputs({"arn": self.arn})


def proven_hosts(args: CertificateArgs) -> list[str]:
    """The names that are proven, in order: ACM proves ``*.example.com`` and ``example.com`` with one record."""
    names = [args["host"], *args.get("alternative_hosts", [])]
    return list(dict.fromkeys(name.removeprefix("*.") for name in names))


def host_problems(host: Any, what: str = "host") -> list[str]:
    """A problem when a plain host is not a lower-case DNS name of at least two labels."""
    if not isinstance(host, str) or (_HOST.fullmatch(host) and len(host) <= 253):
        return []
    return [f"{what} is `{host}`; write a DNS name in lower case, such as api.example.com"]


def zone_problems(hosts: Iterable[str], zone_name: str | None) -> list[str]:
    """A problem for each host that does not lie in the zone."""
    if zone_name is None:
        return []
    zone = zone_name.removesuffix(".").lower()
    outside = [host for host in hosts if host != zone and not host.endswith(f".{zone}")]
    return [f"`{host}` does not lie in the zone `{zone}`: name the zone that holds it" for host in outside]


def _certificate(self: Certificate, name: str, args: CertificateArgs) -> aws.acm.Certificate:
    return part.place(
        aws.acm.Certificate,
        name,
        {
            "domain_name": args["host"],
            "subject_alternative_names": args.get("alternative_hosts") or None,
            "validation_method": "DNS",
            "tags": part.tagged(args.get("tags"), name),
        },
        parent=self,
        overrides=args.get("overrides"),
        key="certificate",
    )


def _record(self: Certificate, name: str, args: CertificateArgs, host: str) -> aws.route53.Record:
    options = self.certificate.domain_validation_options

    def of(field: str) -> pulumi.Output[str]:
        return options.apply(lambda found: _option(found, host, field))

    return part.place(
        aws.route53.Record,
        f"{name}-{host}",
        {
            "zone_id": args["zone_id"],
            "name": of("resource_record_name"),
            "type": of("resource_record_type"),
            "records": [of("resource_record_value")],
            "ttl": RECORD_TTL,
            # One account gets the same record for a name in every region and for every certificate.
            "allow_overwrite": True,
        },
        parent=self,
        overrides=args.get("overrides"),
        key=f"records.{host}",
    )


def _option(options: Sequence[Any] | None, host: str, field: str) -> str:
    """A field of the option that proves a host; options come in no order.

    Raises LookupError when ACM gave none: the name is then not proven by DNS.
    """
    for option in options or ():
        if str(option.domain_name).removeprefix("*.") == host:
            return str(getattr(option, field))
    raise LookupError(f"ACM gave no record that proves `{host}`")


def _validation(self: Certificate, name: str, args: CertificateArgs) -> aws.acm.CertificateValidation:
    return part.place(
        aws.acm.CertificateValidation,
        f"{name}-validation",
        {
            "certificate_arn": self.certificate.arn,
            "validation_record_fqdns": [record.fqdn for record in self.records.values()],
        },
        parent=self,
        overrides=args.get("overrides"),
        key="validation",
    )


def _problems(args: CertificateArgs) -> list[str]:
    missing = [key for key in ("host", "zone_id") if args.get(key) is None]
    if missing:
        return [f"`{key}` is missing" for key in missing]
    hosts = [args["host"], *args.get("alternative_hosts", [])]
    known = ["certificate", "validation", *(f"records.{host}" for host in proven_hosts(args))]
    problems = part.unknown_keys(args, CertificateArgs.__annotations__, "the certificate")
    for host in hosts:
        problems += host_problems(host)
    problems += zone_problems(hosts, args.get("zone_name"))
    if len(hosts) > NAMES_LIMIT:
        problems.append(f"{len(hosts)} names in one certificate; ACM takes {NAMES_LIMIT}: use a second certificate")
    return problems + part.unknown_keys(args.get("overrides") or {}, known, "overrides")
