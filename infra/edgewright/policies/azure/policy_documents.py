"""Rules over policy documents of API Management."""

import re
from collections.abc import Callable, Iterator, Mapping
from ipaddress import ip_address

from edgewright.policies.azure.api_graph import APIS, LIMITS, NARROWER_POLICIES, POLICIES, ApiGraph
from edgewright.policies.azure.policy_xml import SECTIONS, Document, Element, read
from edgewright.policies.graph import Graph
from edgewright.policies.rule import AnyRule, Rule, Setting, StackRule
from edgewright.policies.secrets import secret_in
from edgewright.policies.view import View, Violation

_GROUPS = (
    ("allowed-origins", "origin"),
    ("allowed-methods", "method"),
    ("allowed-headers", "header"),
    ("expose-headers", "header"),
)
_EVERYTHING = ("*", "http://*", "https://*")
_CREDENTIALS: Mapping[str, tuple[str, ...]] = {
    "authentication-basic": ("password",),
    "authentication-certificate": ("body", "password"),
}
"""Attributes that are secrets, by policy."""
_SECRET_HEADER = re.compile(
    r"(?i)^(proxy-)?authorization$|^cookie$|(^|[-_])(api|functions|subscription|access)-?_?key$|(^|[-_])(token|secret)$"
)
_SECRET_PARAMETER = re.compile(
    r"(?i)^(code|sig|key|sas)$|(^|[-_])(api|subscription|access)?-?_?key$|password|secret|token$"
)
_SCHEME = re.compile(r"(?i)^(basic|bearer|apikey|sharedaccesssignature)\b\s*")
# A digit among its signs, so that no sentence is meant.
_BEHIND_ITS_SCHEME = re.compile(r"(?:Basic|Bearer)\s+(?=[A-Za-z+/=._~-]*\d)[A-Za-z0-9+/=._~-]{16,}")
_KEYS = ("issuer-signing-keys", "decryption-keys")
_READS = re.compile(r"\bcontext\b")
_LONG_TEXT = re.compile(r'"(?:\\.|[^"\\]){8,}"')
"""A text in code that is long enough for a credential: not a scheme, a separator or a format."""


def inherits(policy: View) -> Iterator[Violation]:
    """Each section of a policy includes what wider scopes do.

    ``backend`` takes one policy only: it has ``<base/>``, or what it does instead
    (https://learn.microsoft.com/azure/api-management/forward-request-policy).
    """
    document = read(policy)
    if document is None:
        return
    for name in SECTIONS:
        section = document.section(name)
        names = [item.name for item in section.children] if section is not None else []
        if "base" not in names and not (name == "backend" and names):
            yield document.fails(section, f"has no <base/> in {name}, so it switches off what wider scopes do there")
        elif "base" in names[1:] and policy.setting("first"):
            yield document.fails(section, f"has {names[0]} before <base/> in {name}")


def no_open_cors(policy: View) -> Iterator[Violation]:
    """CORS names origins, methods and headers, and not all there are."""
    document = read(policy)
    if document is None:
        return
    for cors in document.root.within("cors"):
        for group, name in _GROUPS:
            listed = cors.child(group)
            for item in listed.within(name) if listed is not None else ():
                if document.knows(item, item.text) and item.text in _EVERYTHING:
                    yield document.fails(item, f"lets every {name} in")


def no_secrets(policy: View) -> Iterator[Violation]:
    """Secrets are named values, and not in the text of a policy."""
    document = read(policy)
    if document is None:
        return
    # A document of hundreds of elements is searched as one text first.
    listed = "\n".join(
        text for element in document.root.within() for text in (*element.attributes.values(), element.text)
    )
    suspicious = bool(_secret(listed)) or "${" in listed
    held: dict[str, tuple[Element, str]] = {}
    for element in document.root.within():
        for text in _texts(document, element) if suspicious else ():
            if kind := _secret(text):
                held.setdefault(element.path, (element, kind))
        for holder, text in _credentials(element):
            if document.knows(holder, text) and _is_written_out(text):
                held.setdefault(holder.path, (holder, "a credential"))
    for holder, kind in held.values():
        yield document.fails(holder, f"holds {kind}, for everybody who may read the policy")


def _texts(document: Document, element: Element) -> Iterator[str]:
    """The attributes and the text of an element that are known."""
    for text in (*element.attributes.values(), element.text):
        if document.knows(element, text):
            yield text


def _secret(text: str) -> str:
    return secret_in("", text) or ("a credential" if _BEHIND_ITS_SCHEME.search(text) else "")


def _credentials(element: Element) -> Iterator[tuple[Element, str]]:
    """The texts that are secrets by where they stand, with the element that holds them."""
    for key in _CREDENTIALS.get(element.name, ()):
        yield element, element.attributes.get(key, "")
    pattern = {"set-header": _SECRET_HEADER, "set-query-parameter": _SECRET_PARAMETER}.get(element.name)
    if pattern is not None and pattern.search(element.attributes.get("name", "")):
        yield from ((item, _SCHEME.sub("", item.text)) for item in element.children if item.name == "value")
    if element.name in _KEYS:
        # A key with attributes is the half of a pair that everybody may see, or is kept by the service.
        yield from ((item, item.text) for item in element.children if item.name == "key")


def _is_written_out(text: str) -> bool:
    """Whether a text is neither a named value nor code that reads what it is from a request."""
    if "{{" in text:
        return False
    return _LONG_TEXT.search(text) is not None and not _READS.search(text) if text.startswith("@") else bool(text)


# --- what requests to an API meet ---


def limited(stack: Graph) -> Iterator[Violation]:
    """An API has a limit or a quota."""
    yield from _met_by_all(stack, lambda element: element.name in LIMITS, "has neither a rate limit nor a quota")


def filtered(stack: Graph) -> Iterator[Violation]:
    """An API is called from some addresses only."""
    yield from _met_by_all(stack, filters, "is called from every address")


def _met_by_all(stack: Graph, wanted: Callable[[Element], bool], text: str) -> Iterator[Violation]:
    found = ApiGraph(stack)
    for api in found.apis:
        policies = found.policies(api)
        if not policies.meet(wanted):
            for why in policies.open:
                api.note("", why)
            yield api.lacks("", text)


def filters(element: Element) -> bool:
    """Whether an element lets some addresses through, or keeps some out."""
    if element.name != "ip-filter":
        return False
    ranges = [item.attributes for item in element.children if item.name == "address-range"]
    return not any(_is_all(one.get("from", ""), one.get("to", "")) for one in ranges)


def _is_all(first: str, last: str) -> bool:
    try:
        low, high = ip_address(first.strip()), ip_address(last.strip())
    except ValueError:
        return False
    return int(low) == 0 and int(high) == 2**high.max_prefixlen - 1


_LINKS = "Documents at an address (formats xml-link and rawxml-link), and those that are no XML."
_INLINE = "Put the document into the stack."

RULES: tuple[AnyRule, ...] = (
    Rule(
        name="apim-policy-base",
        controls=("apim-policy-base",),
        title="A policy includes what wider scopes do, in each section",
        severity="medium",
        types=NARROWER_POLICIES,
        check=inherits,
        remedy="<base/> in inbound, outbound and on-error, and in a backend that does nothing else.",
        blind=_LINKS,
        instead=_INLINE,
        settings={
            "first": Setting(
                {"type": "boolean"}, False, "ask for <base/> before all others; CORS has to stand before it"
            )
        },
    ),
    Rule(
        name="apim-policy-cors-no-wildcard",
        controls=("apim-policy-cors-no-wildcard",),
        title="CORS names origins, methods and headers",
        severity="medium",
        types=POLICIES,
        check=no_open_cors,
        remedy="<origin>https://www.example.com</origin>, and methods and headers by their names.",
        blind=_LINKS,
        instead=_INLINE,
    ),
    Rule(
        name="apim-policy-no-inline-secrets",
        controls=("apim-policy-no-inline-secrets",),
        title="Policies hold no secrets",
        severity="high",
        types=POLICIES,
        check=no_secrets,
        remedy="A named value from Key Vault, {{name}} in the policy.",
        blind=f"{_LINKS} Secrets that look like nothing in particular.",
        instead=f"{_INLINE} A scanner of secrets over the repository.",
    ),
    StackRule(
        name="apim-policy-rate-limit",
        controls=("apim-policy-rate-limit",),
        title="An API has a rate limit or a quota",
        severity="low",
        types=APIS,
        check=limited,
        remedy="rate-limit-by-key in inbound, or a product with rate-limit or quota.",
        optional="Not every API needs one; `apim-public-api-throttled` asks it of what everybody may call.",
        blind="Policies of other stacks, and firewalls.",
        instead="Turn it off for APIs behind a firewall that limits.",
    ),
    StackRule(
        name="apim-policy-ip-filter",
        controls=("apim-policy-ip-filter",),
        title="An API is called from some addresses only",
        severity="low",
        types=APIS,
        check=filtered,
        remedy='<ip-filter action="allow"> with addresses or ranges, in inbound.',
        optional="An API for everybody has no addresses to name.",
        blind="Policies of other stacks, networks and firewalls.",
        instead="`apim-not-around-front`, where something stands before the service.",
    ),
)
