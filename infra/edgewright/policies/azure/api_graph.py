"""What a stack says of its API Management services: what each holds, and which policies meet a request to an API."""

import re
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from edgewright.policies import openapi
from edgewright.policies.azure.policy_xml import Document, Element, read
from edgewright.policies.azure.words import says
from edgewright.policies.graph import Graph
from edgewright.policies.types import type_of
from edgewright.policies.view import UNKNOWN, View

_MODULE = "azure-native:apimanagement:"
SERVICE = f"{_MODULE}ApiManagementService"
API = f"{_MODULE}Api"
WORKSPACE_API = f"{_MODULE}WorkspaceApi"
APIS = (API, WORKSPACE_API)
OPERATION = f"{_MODULE}ApiOperation"
BACKENDS = (f"{_MODULE}Backend", f"{_MODULE}WorkspaceBackend")
NAMED_VALUES = (f"{_MODULE}NamedValue", f"{_MODULE}WorkspaceNamedValue")
PRODUCTS = (f"{_MODULE}Product", f"{_MODULE}WorkspaceProduct")
PRODUCT_LINKS = (f"{_MODULE}ProductApi", f"{_MODULE}ProductApiLink", f"{_MODULE}WorkspaceProductApiLink")
SUBSCRIPTIONS = (f"{_MODULE}Subscription", f"{_MODULE}WorkspaceSubscription")
GROUP_LINKS = (f"{_MODULE}ProductGroup", f"{_MODULE}ProductGroupLink", f"{_MODULE}WorkspaceProductGroupLink")
DIAGNOSTICS = (
    f"{_MODULE}Diagnostic",
    f"{_MODULE}ApiDiagnostic",
    f"{_MODULE}WorkspaceDiagnostic",
    f"{_MODULE}WorkspaceApiDiagnostic",
)
GATEWAY = f"{_MODULE}Gateway"
CACHE = f"{_MODULE}Cache"
IDENTITY_PROVIDER = f"{_MODULE}IdentityProvider"

GLOBAL_POLICIES = (f"{_MODULE}Policy", f"{_MODULE}WorkspacePolicy")
API_POLICIES = (f"{_MODULE}ApiPolicy", f"{_MODULE}WorkspaceApiPolicy")
OPERATION_POLICIES = (f"{_MODULE}ApiOperationPolicy", f"{_MODULE}WorkspaceApiOperationPolicy")
PRODUCT_POLICIES = (f"{_MODULE}ProductPolicy", f"{_MODULE}WorkspaceProductPolicy")
FRAGMENTS = (f"{_MODULE}PolicyFragment", f"{_MODULE}WorkspacePolicyFragment")
_OF_REVISIONS = (*API_POLICIES, *OPERATION_POLICIES, OPERATION)
"""What each revision of an API has for itself; products and keys are for all."""
# Those of GraphQL resolvers have no sections of requests.
NARROWER_POLICIES = (f"{_MODULE}WorkspacePolicy", *API_POLICIES, *OPERATION_POLICIES, *PRODUCT_POLICIES)
POLICIES = (f"{_MODULE}Policy", *NARROWER_POLICIES, *FRAGMENTS, f"{_MODULE}GraphQLApiResolverPolicy")

OVER = ("suspended", "cancelled", "expired", "rejected")
"""States of a key that opens nothing any more."""

JSON_DOCUMENTS = ("openapi+json", "swagger-json")

# https://learn.microsoft.com/azure/api-management/api-management-features
IN_A_NETWORK = ("Developer", "Premium", "Isolated", "StandardV2", "PremiumV2")
CLASSIC = ("Developer", "Basic", "Standard", "Premium", "Isolated")


def joins(one: View, one_key: str, other: View, other_key: str) -> bool | None:
    """Whether a property names another resource, by where its value comes from or by what it is; None: nobody knows."""
    sources = one.subject.refs.get(one_key, frozenset())
    if other.subject.urn in sources:
        return True
    here, there = View(one.subject).text(one_key), View(other.subject).text(other_key)
    if isinstance(here, str) and isinstance(there, str):
        return _name(here) == _name(there)
    shared = sources & other.subject.refs.get(other_key, frozenset())
    if shared:
        return True
    return False if sources or here is None else None


def _name(text: str) -> str:
    """An id without a revision, or the last part of one with slashes, in small letters."""
    return _last(text).partition(";")[0]


def _last(text: str) -> str:
    return text.rpartition("/")[2].lower()


@dataclass
class Policies:
    """What a request to an API meets on its way in, and where that is not all known.

    shared: elements of the API's own documents, which hold for all operations; ways: those of wider scopes, a list for
    each product by whose key a request may come, as it meets one of them only; own: those of operations' policies, by
    the id of the operation in small letters; apart: operations whose policies leave out all that is wider; operations:
    the ids of all; open: why something may have been missed.
    """

    shared: list[Element] = field(default_factory=list[Element])
    ways: list[list[Element]] = field(default_factory=list[list[Element]])
    own: dict[str, list[Element]] = field(default_factory=dict[str, "list[Element]"])
    apart: set[str] = field(default_factory=set[str])
    operations: frozenset[str] = frozenset()
    open: list[str] = field(default_factory=list[str])

    def meet(self, wanted: Callable[[Element], bool], among: Collection[str] | None = None) -> bool:
        """Whether each request meets an element that is wanted. among: requests for these operations; None for all."""
        own = {name for name, elements in self.own.items() if any(map(wanted, elements))}
        by_ways = bool(self.ways) and all(any(map(wanted, way)) for way in self.ways)
        if by_ways or any(map(wanted, self.shared)):
            left_out = self.apart - own
            return not (left_out if among is None else left_out & set(among))
        asked = self.operations if among is None else among
        return bool(asked) and own.issuperset(asked)


def document_of(api: View) -> View | None:
    """The OpenAPI document that an API imports; None where there is none in JSON. One not known yet is remembered."""
    return api.document("value") if says(api, "format", *JSON_DOCUMENTS) else None


class ApiGraph:
    """A stack's services and APIs, with what belongs to each. One is made for each run of a rule."""

    def __init__(self, stack: Graph) -> None:
        """Look at a stack."""
        self._stack = stack
        self._documents: dict[str, Document | None] = {}
        self._services: dict[str, View | None] = {}
        self._indexes: dict[tuple[str, tuple[str, ...]], dict[str, list[View]]] = {}

    @cached_property
    def services(self) -> Sequence[View]:
        """All services."""
        return self._stack.of(SERVICE)

    @cached_property
    def apis(self) -> Sequence[View]:
        """All APIs, those of workspaces too."""
        return self._stack.of(*APIS)

    def held(self, service: View, *types: str) -> list[View]:
        """What a service holds of some types. What may be its is noted at the service."""
        return self._belonging(service, "serviceName", "serviceName", types)

    def apis_of(self, service: View) -> list[View]:
        """The APIs of a service."""
        return self.held(service, *APIS)

    def naming(self, service: View, key: str, *types: str) -> list[View]:
        """Resources of some types that name a service, by its id or its name. What may is noted at the service."""
        return self._belonging(service, key, "serviceName", types)

    def service_of(self, view: View) -> View | None:
        """The service that holds something, where it is in the stack."""
        urn = view.subject.urn
        if urn not in self._services:
            meant = (item for item in self.services if joins(view, "serviceName", item, "serviceName"))
            self._services[urn] = next(meant, None)
        return self._services[urn]

    def same_service(self, one: View, other: View) -> bool:
        """Whether two things can be of one service, however they name it."""
        here, there = self.service_of(one), self.service_of(other)
        if here is not None and there is not None:
            return here is there
        return joins(one, "serviceName", other, "serviceName") is not False

    def of_api(self, api: View, *types: str) -> list[View]:
        """What belongs to an API of some types. What may be its is noted at the API."""
        return [
            item
            for item in self._belonging(api, "apiId", "apiId", types)
            if self.same_service(item, api) and not self._is_of_another(item, api)
        ]

    def _is_of_another(self, item: View, api: View) -> bool:
        """Whether something names a revision that is in the stack too (``shop;rev=2``), and is not this one."""
        there, own = (View(one.subject).text("apiId") for one in (item, api))
        if item.subject.type not in _OF_REVISIONS or not isinstance(there, str) or not isinstance(own, str):
            return False
        named = _last(there)
        return named != _last(own) and named in self._api_ids

    @cached_property
    def _api_ids(self) -> frozenset[str]:
        ids = (View(api.subject).text("apiId") for api in self.apis)
        return frozenset(_last(text) for text in ids if isinstance(text, str))

    def document(self, policy: View) -> Document | None:
        """The document of a policy, read once."""
        urn = policy.subject.urn
        if urn not in self._documents:
            self._documents[urn] = read(policy)
        return self._documents[urn]

    def policies(self, api: View) -> Policies:
        """What a request to an API meets on its way in, from the widest scope to the narrowest."""
        found = Policies()
        own = self._inbound(self.of_api(api, *API_POLICIES), found)
        inherits = all(map(_inherits, own)) if own else not found.open
        found.shared = self._all_elements(own, found)
        if inherits:
            found.ways = list(self._ways(api, found))
        for policy in self.of_api(api, *OPERATION_POLICIES):
            operation = View(policy.subject).text("operationId")
            name = str(operation).lower()
            if operation is UNKNOWN:
                found.open.append(f"which operation `{policy.subject.name}` is for is not known yet")
            for section in self._inbound((policy,), found):
                found.own[name] = list(self._elements(section, found))
                if not _inherits(section):
                    found.apart.add(name)
        found.operations = frozenset(self._operations(api, found)) if found.own else frozenset()
        return found

    def _ways(self, api: View, found: Policies) -> Iterator[list[Element]]:
        """What requests meet of scopes that are wider than an API: by the key of each product, or without one."""
        service = self.service_of(api)
        everywhere = self._inbound(self._wider(api, service) if service is not None else (), found)
        wider = self._all_elements(everywhere, found)
        products = self.of_api(api, *PRODUCT_LINKS) if api.flag("subscriptionRequired") is not False else ()
        for link in products:
            sections = self._inbound(self._of_product(link, found), found)
            elements = self._all_elements(sections, found)
            yield [*wider, *elements] if all(map(_inherits, sections)) else elements
        if not products or any(self._is_direct(key, api) for key in self._stack.of(*SUBSCRIPTIONS)):
            yield wider

    def _is_direct(self, key: View, api: View) -> bool:
        """Whether a key is for an API, or for all, so that no product is asked."""
        if says(key, "state", *OVER) or not self.same_service(key, api):
            return False
        sources = key.subject.refs.get("scope", frozenset[str]())
        if api.subject.urn in sources:
            return True
        scope, name = View(key.subject).written("scope"), View(api.subject).text("apiId")
        way = ["", "", *(scope.rstrip("/").lower().split("/") if isinstance(scope, str) else ())]
        kind, last = way[-2:]
        told = any(type_of(urn) in (*PRODUCTS, *APIS) for urn in sources)
        if (scope is UNKNOWN and not told) or (kind == "apis" and name is UNKNOWN):
            api.note("", f"`{key.subject.name}` may be a key for it: that is not known yet")
        return last == "apis" or (kind == "apis" and isinstance(name, str) and last == _name(name))

    def _operations(self, api: View, found: Policies) -> Iterator[str]:
        """The ids of an API's operations: resources, those of the document that is imported, a WebSocket's one."""
        if says(api, "apiType", "websocket"):
            yield "onhandshake"
        for operation in self.of_api(api, OPERATION):
            name = operation.text("operationId")
            if isinstance(name, str):
                yield name.lower()
            else:
                found.open.append(f"the id of `{operation.subject.name}` is not known yet")
        if not api.has("value"):
            return
        document = document_of(api)
        for _, _, operation in openapi.operations(document) if document is not None else ():
            name = operation.text("operationId")
            yield name.lower() if isinstance(name, str) else "?"
        if document is None:
            yield "?"  # there may be others than those that have a policy

    def _inbound(self, policies: Sequence[View], found: Policies) -> list[Element]:
        sections: list[Element] = []
        for policy in policies:
            document = self.document(policy)
            section = document.section("inbound") if document is not None else None
            if document is None:
                found.open.append(f"the policy `{policy.subject.name}` cannot be read before the deployment")
            elif section is not None:
                sections.append(section)
        return sections

    def _all_elements(self, sections: Sequence[Element], found: Policies) -> list[Element]:
        return [item for section in sections for item in self._elements(section, found)]

    def _elements(self, section: Element, found: Policies) -> Iterator[Element]:
        """The elements of a section, with those of the fragments that it includes."""
        for item in section.within():
            yield item
            if item.name != "include-fragment":
                continue
            name = item.attributes.get("fragment-id", "")
            fragment = self._fragments.get(name.lower())
            document = self.document(fragment) if fragment is not None else None
            if document is None:
                found.open.append(f"the fragment `{name}` is not known here")
            else:
                yield from document.root.within()

    @cached_property
    def _fragments(self) -> Mapping[str, View]:
        listed = [(View(item.subject).text("id"), item) for item in self._stack.of(*FRAGMENTS)]
        return {name.lower(): item for name, item in listed if isinstance(name, str)}

    def _of_product(self, link: View, found: Policies) -> Sequence[View]:
        """The policies of the product that a link names."""
        meant = [(one, joins(link, "productId", one, "productId")) for one in self._stack.of(*PRODUCT_POLICIES)]
        found.open += [f"`{one.subject.name}` may be of a product that it is in" for one, its in meant if its is None]
        return [one for one, its in meant if its]

    def _wider(self, api: View, service: View) -> list[View]:
        """The policies of the service, and of the workspace that an API is in."""
        return [
            policy
            for policy in self.held(service, *GLOBAL_POLICIES)
            if policy.subject.type == GLOBAL_POLICIES[0] or joins(policy, "workspaceId", api, "workspaceId")
        ]

    def _belonging(self, owner: View, key: str, owner_key: str, types: Sequence[str]) -> list[View]:
        found: list[View] = []
        for item in self._candidates(owner, key, owner_key, types):
            meant = joins(item, key, owner, owner_key)
            if meant:
                found.append(item)
            elif meant is None:
                owner.note("", f"`{item.subject.name}` may belong to it: its `{key}` is not known yet")
        return found

    def _candidates(self, owner: View, key: str, owner_key: str, types: Sequence[str]) -> Sequence[View]:
        """What may name the owner, found without asking each of the others."""
        index = self._index(key, tuple(types))
        name = View(owner.subject).text(owner_key)
        if not isinstance(name, str):
            return index[""]
        keys = (owner.subject.urn, *owner.subject.refs.get(owner_key, ()), f"={_name(name)}", "?")
        return list({item.subject.urn: item for key in keys for item in index.get(key, ())}.values())

    def _index(self, key: str, types: tuple[str, ...]) -> Mapping[str, list[View]]:
        """Resources of some types by what a property of theirs comes from or is: urns, ``=name``, ``?``; ``""`` all."""
        found = self._indexes.get((key, types))
        if found is None:
            found = self._indexes[key, types] = {"": list(self._stack.of(*types))}
            for item in found[""]:
                text = View(item.subject).text(key)
                named = [f"={_name(text)}"] if isinstance(text, str) else []
                for one in (*item.subject.refs.get(key, ()), *named) or "?":
                    found.setdefault(one, []).append(item)
        return found


def _inherits(section: Element) -> bool:
    """Whether a section includes what wider scopes do there."""
    return section.child("base") is not None


# -- what policies do --------------------------------------------------------------------------------------------------

VALIDATES = ("validate-jwt", "validate-azure-ad-token", "validate-client-certificate")
LIMITS = ("rate-limit", "rate-limit-by-key", "quota", "quota-by-key")
_WITHOUT_A_KEY = ("rate-limit-by-key", "quota-by-key")
"""Limits that count by an expression; the others count by subscriptions: https://learn.microsoft.com/azure/api-management/rate-limit-policy"""
_CERTIFICATE = re.compile(r"context\s*\.\s*Request\s*\.\s*Certificate\b")
_MANAGED = re.compile(r"context\s*\.\s*Deployment\s*\.\s*Gateway\s*\.\s*(IsManaged|Id)\b")


def asks(element: Element) -> bool:
    """Whether an element is a sign that somebody is asked who calls: a token or certificate is validated, or 401 is
    answered. (`authentication-certificate` and its like are shown to backends, and ask nobody.)"""
    if element.name in VALIDATES:
        return True
    if element.name == "when":
        return _is_about(element, _CERTIFICATE)
    if element.name == "check-header":
        return element.attributes.get("failed-check-httpcode") == "401" and element.child("value") is not None
    status = element.child("set-status") if element.name == "return-response" else None
    return status is not None and status.attributes.get("code") == "401"


def limits_everybody(element: Element) -> bool:
    """Whether an element limits callers that have no subscription key too."""
    return element.name in _WITHOUT_A_KEY


def refuses_managed_gateway(element: Element) -> bool:
    """Whether an element answers what comes to the service's own gateway: requests are for self-hosted ones."""
    return refuses(element, _MANAGED)


def refuses(element: Element, about: re.Pattern[str]) -> bool:
    """Whether an element answers by itself on a condition about something, or wherever no such condition holds."""
    if element.name == "when":
        return element.child("return-response") is not None and _is_about(element, about)
    otherwise = element.child("otherwise") if element.name == "choose" else None
    if otherwise is None or otherwise.child("return-response") is None:
        return False
    let_through = [one for one in element.children if one.name == "when" and one.child("return-response") is None]
    return bool(let_through) and all(_is_about(one, about) for one in let_through)


def _is_about(element: Element, about: re.Pattern[str]) -> bool:
    return about.search(element.attributes.get("condition", "")) is not None
