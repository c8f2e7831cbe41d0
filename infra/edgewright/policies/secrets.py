"""What looks like a secret where none should be."""

import re

from edgewright.policies.view import Unknown

_NAMES = re.compile(
    r"(?i)(^|[_-])(password|passwd|pass|pwd|passphrase|secret|token|(api|private|access)[_-]?key|credentials?)$"
)
_CAMEL = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
# What is written in each of them is looked for first: policies have thousands of texts.
_VALUES = (
    (("AKIA", "ASIA"), re.compile(r"\b(AKIA|ASIA)[0-9A-Z]{16}\b"), "an access key of AWS"),
    (("-----BEGIN",), re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----"), "a private key"),
    (("eyJ",), re.compile(r"\beyJ[\w-]{8,}\.eyJ[\w-]{8,}\.[\w-]+"), "a token"),
    (
        ("ghp_", "gho_", "ghu_", "ghs_", "ghr_", "github_pat_"),
        re.compile(r"\bgh[pousr]_\w{30,}|\bgithub_pat_\w{30,}"),
        "a token of GitHub",
    ),
    (("xox",), re.compile(r"\bxox[abprs]-[\w-]{10,}"), "a token of Slack"),
    (("AIza",), re.compile(r"\bAIza[\w-]{35}"), "a key of Google"),
    (("k_live_",), re.compile(r"\b[rs]k_live_\w{16,}"), "a key of Stripe"),
    (("://",), re.compile(r"://[^/\s:@]+:[^/\s:@]+@"), "an address with a password"),
)
# Names of secrets are no secrets, and neither is whether there is one.
_PLAIN = re.compile(r"(?i)^(arn:|/|ssm:|secretsmanager:|\$\{stageVariables|(true|false|yes|no|on|off|[01])$)")


def secret_in(name: str, value: str | Unknown | None) -> str:
    """What kind of secret a named value looks like, or an empty text. The value itself is never repeated."""
    if not isinstance(value, str) or not value:
        return ""
    for marks, pattern, kind in _VALUES:
        if any(mark in value for mark in marks) and pattern.search(value):
            return kind
    if _NAMES.search(_CAMEL.sub("_", name)) and not _PLAIN.match(value):
        return f"a secret, by its name `{name}`"
    return ""
