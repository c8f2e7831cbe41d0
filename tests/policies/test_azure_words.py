"""Azure takes its own words and ids in any case, and so do rules: no verdict hangs on capital letters."""

from collections.abc import Callable, Mapping
from typing import Any, cast

import pytest

from edgewright.policies.rule import check_resources
from edgewright.policies.view import Subject
from policies.examples import Example, examples
from policies.test_examples import RULES

AZURE = [example for example in examples() if example.module.startswith("azure.")]
WORDS = frozenset(
    {
        *("access", "direction", "protocol", "protocols", "supportedProtocols", "forwardingProtocol", "httpsRedirect"),
        *("tier", "type", "state", "enabledState", "mode", "action", "ruleType", "ruleSetType", "ruleSetAction"),
        *("requestBodyCheck", "firewallMode", "policyType", "minProtocolVersion", "disabledSslProtocols"),
        *("minimumTlsVersion", "cipherSuiteSetType", "linkToDefaultDomain", "virtualNetworkType", "defaultAction"),
        *("publicNetworkAccess", "developerPortalStatus", "certificateSource", "apiType", "format", "kty"),
        *("publicIPAllocationMethod", "protectionMode", "sourceAddressPrefix", "destinationAddressPrefix"),
    }
)
"""Properties whose values are words of Azure's."""


def written(value: Any, change: Callable[[str], str], key: str = "", around: str = "") -> Any:
    """The value with its words and ids in another case; the name of a SKU is a word too."""
    if isinstance(value, Mapping):
        listed = cast(Mapping[str, Any], value)
        return {name: written(item, change, name, key) for name, item in listed.items()}
    if isinstance(value, list):
        return [written(item, change, key, around) for item in cast(list[Any], value)]
    is_word = key in WORDS or (around, key) in {("sku", "name"), ("sslPolicy", "policyName")}
    is_id = key.lower().endswith(("id", "uri")) and str(value).startswith("/")
    return change(value) if (is_word or is_id) and isinstance(value, str) else value


def changed(subject: Subject, change: Callable[[str], str]) -> Subject:
    if not subject.type.startswith("azure-native"):
        return subject
    properties = written(subject.properties, change)
    return Subject(subject.urn, subject.type, subject.name, properties, subject.refs, subject.delete_before_replace)


@pytest.mark.parametrize("change", [str.lower, str.upper], ids=["small", "capital"])
@pytest.mark.parametrize("example", AZURE, ids=str)
def test_a_verdict_does_not_hang_on_capital_letters(example: Example, change: Callable[[str], str]) -> None:
    rule, settings = [RULES[example.rule]], {example.rule: example.settings}
    subjects = [changed(subject, change) for subject in example.subjects]
    places = [(verdict.urn, verdict.path, verdict.kind) for verdict in check_resources(subjects, rule, settings)]
    assert places == [
        (verdict.urn, verdict.path, verdict.kind) for verdict in check_resources(example.subjects, rule, settings)
    ]


def test_there_are_examples_with_words_to_change() -> None:
    touched = [one for one in AZURE if any(changed(item, str.upper) != item for item in one.subjects)]
    assert len(touched) > len(AZURE) // 2
