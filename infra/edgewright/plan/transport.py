"""What clients have to speak and to show before a request is read, as the clouds' data say."""

from collections.abc import Mapping
from typing import Any


def least_tls(type_: str, inputs: Mapping[str, Any]) -> str | None:
    """``TLS 1.2``, empty without TLS; None for a type that has none, and where nobody knows yet."""
    from edgewright.aws.transport import LEAST_TLS as AWS
    from edgewright.azure.transport import LEAST_TLS as AZURE

    found = AWS.get(type_) or AZURE.get(type_)
    return found(inputs) if found is not None else None


def asks_for_certificates(type_: str, inputs: Mapping[str, Any]) -> bool:
    """Whether every client has to show a certificate of its own."""
    from edgewright.aws.transport import CERTIFICATES

    found = CERTIFICATES.get(type_)
    return found is not None and found(inputs)
