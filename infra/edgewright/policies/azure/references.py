"""Who refers to whom among resources of Azure: by id, by the name of a parent, with a diagnostic setting."""

from collections.abc import Sequence

from edgewright.policies.graph import Graph
from edgewright.policies.view import UNKNOWN, View

DIAGNOSTICS = ("azure-native:monitor:DiagnosticSetting", "azure-native:insights:DiagnosticSetting")
ENDPOINT = "azure-native:network:PrivateEndpoint"
DESTINATIONS = (
    *("workspaceId", "storageAccountId", "eventHubAuthorizationRuleId", "serviceBusRuleId", "marketplacePartnerId"),
)


def parents(stack: Graph, child: View, key: str, kind: str) -> Sequence[View]:
    """The resources that a property of another one names as its parent: by what it comes from, or by the same name."""
    found = stack.referred(child, key, kind)
    name = child.text(key) if not found else None
    if not isinstance(name, str):
        return found
    return [one for one in stack.of(kind) if str(one.text(key)).lower() == name.lower()]


def points(view: View, key: str) -> bool:
    """Whether an object with an id is there; an object that is not known yet is remembered."""
    there = view.child(key)
    return there is not None and there.has("id")


def last_part(identity: str) -> str:
    """The last name in the id of a resource, small letters."""
    return identity.rstrip("/").rpartition("/")[2].lower()


def sends(stack: Graph, target: View, categories: Sequence[str] = ()) -> bool:
    """Whether a diagnostic setting sends what a resource logs somewhere.

    categories: small letters, one of which is needed, by itself or as a group; none where any log or metric does.
    """
    found = [
        _switched_on(setting, categories) and _goes_somewhere(setting)
        for setting in stack.referring(target, "resourceUri", *DIAGNOSTICS)
    ]
    return any(found)


def _switched_on(setting: View, categories: Sequence[str]) -> bool:
    """Whether it sends something that is asked for; what is not known may be that, and is remembered."""
    listed = (*setting.children("logs"), *(() if categories else setting.children("metrics")))
    wanted = [item for item in listed if not categories or _is_one_of(item, categories)]
    return any(item.flag("enabled") in {True, UNKNOWN} for item in wanted)


def _is_one_of(item: View, categories: Sequence[str]) -> bool:
    names = [item.text(key) for key in ("category", "categoryGroup")]
    return any(name is UNKNOWN or (isinstance(name, str) and name.lower() in categories) for name in names)


def _goes_somewhere(setting: View) -> bool:
    return any(setting.has(key) for key in DESTINATIONS)


def has_endpoint(stack: Graph, target: View) -> bool:
    """Whether a private endpoint leads to a resource."""
    for endpoint in stack.of(ENDPOINT):
        for key in ("privateLinkServiceConnections", "manualPrivateLinkServiceConnections"):
            if target.subject.urn in endpoint.subject.refs.get(key, ()):
                return True
            for connection in endpoint.children(key):
                # One that comes from nowhere in the stack, and is not known, may lead here.
                unknown = connection.text("privateLinkServiceId") is UNKNOWN
                if unknown and not endpoint.subject.refs.get(key):
                    target.note("", f"`{endpoint.subject.name}` may lead to it: where it leads is not known yet")
    return False
