"""ARNs: their parts, and what is wrong with one that is given for another service or region."""

import re
from dataclasses import dataclass

_ARN = re.compile(r"arn:(aws|aws-cn|aws-us-gov):([a-z0-9-]+):([a-z0-9-]*):(\d{12}|):(.+)")


@dataclass(frozen=True, slots=True)
class Arn:
    """The parts of ``arn:aws:acm:eu-west-1:123456789012:certificate/...``."""

    partition: str
    service: str
    region: str
    account: str
    resource: str


def parse_arn(text: str) -> Arn | None:
    """The parts, or None if it is no ARN."""
    found = _ARN.fullmatch(text)
    return Arn(*found.groups()) if found else None


def arn_problem(text: str, service: str) -> str:
    """What is wrong with an ARN that should be of ``service``; an empty text if nothing is. Placeholders pass."""
    if text.startswith("{{") or "${" in text:
        return ""
    found = parse_arn(text)
    if found is None:
        return f"`{text}` is no ARN; it should begin with arn:aws:{service}:"
    if found.service != service:
        return f"`{text}` is an ARN of {found.service}; one of {service} is needed"
    return ""
