"""Rules over key vaults: who reaches them, who may what, keys and secrets that end."""

from collections.abc import Iterator

from edgewright.policies.azure.identities import means
from edgewright.policies.azure.monitoring import BLIND_TO_SETTINGS, ELSEWHERE, sends_logs
from edgewright.policies.graph import Graph
from edgewright.policies.rule import AnyRule, Rule, StackRule
from edgewright.policies.view import UNKNOWN, View, Violation

VAULT = "azure-native:keyvault:Vault"
KEY = "azure-native:keyvault:Key"
SECRET = "azure-native:keyvault:Secret"  # noqa: S105  # a type of resource
ENDPOINT = "azure-native:network:PrivateEndpoint"
ACCESS_POLICY = "azure-native:keyvault:AccessPolicy"

_KINDS = ("keys", "secrets", "certificates", "storage")
_TOO_MUCH = {"all", "purge"}


def purge_protected(vault: View) -> Iterator[Violation]:
    """What is deleted can be had back until its time is over, whoever deletes it."""
    if vault.flag("properties.enablePurgeProtection") is not True:
        yield vault.fails("properties.enablePurgeProtection", "is not true")


def soft_deleted(vault: View) -> Iterator[Violation]:
    """Soft delete is not switched off; it is on where nothing is said."""
    if vault.flag("properties.enableSoftDelete") is False:
        yield vault.fails("properties.enableSoftDelete", "is false")


def not_public(vault: View) -> Iterator[Violation]:
    """It is reached by private endpoints only."""
    access = vault.text("properties.publicNetworkAccess")
    if not isinstance(access, str) or access.lower() != "disabled":
        yield vault.fails("properties.publicNetworkAccess", f"is {access or 'not said, which means Enabled'}")


def firewall_closed(vault: View) -> Iterator[Violation]:
    """The firewall lets nobody in who is not named, also while it is not asked because public access is off."""
    action = vault.text("properties.networkAcls.defaultAction")
    if not isinstance(action, str) or action.lower() != "deny":
        yield vault.fails("properties.networkAcls.defaultAction", f"is {action or 'not said, which means Allow'}")


def vault_has_endpoint(stack: Graph) -> Iterator[Violation]:
    """A private endpoint leads to it."""
    for vault in stack.of(VAULT):
        if not any(_leads_to(endpoint, vault) for endpoint in stack.of(ENDPOINT)):
            yield vault.lacks("", "has no private endpoint")


def _leads_to(endpoint: View, vault: View) -> bool:
    """Whether a private endpoint is the vault's. One that may be, since that is not known yet, is remembered."""
    for key in ("privateLinkServiceConnections", "manualPrivateLinkServiceConnections"):
        sources = endpoint.subject.refs.get(key, frozenset[str]())
        if vault.subject.urn in sources:
            return True
        for connection in endpoint.children(key) if not sources else ():
            target = connection.text("privateLinkServiceId")
            if isinstance(target, str) and means(target, vault):
                return True
            if target is UNKNOWN:
                vault.note("", f"`{endpoint.subject.name}` may lead to it: where it leads is not known yet")
    return False


def by_roles(vault: View) -> Iterator[Violation]:
    """Roles say who may what, as everywhere in Azure."""
    if vault.flag("properties.enableRbacAuthorization") is not True:
        yield vault.fails("properties.enableRbacAuthorization", "is not true, so access policies say who may what")


def least_privilege(view: View) -> Iterator[Violation]:
    """No access policy allows everything, or to delete for ever."""
    entries = view.children("properties.accessPolicies") if view.subject.type == VAULT else view.children("policy")
    for entry in entries:
        for kind in _KINDS:
            found = sorted({word.lower() for word in entry.texts(f"permissions.{kind}")} & _TOO_MUCH)
            if found:
                yield entry.fails(f"permissions.{kind}", f"have {' and '.join(f'`{word}`' for word in found)}")


def vault_audited(stack: Graph) -> Iterator[Violation]:
    """Who read what is logged."""
    for vault in stack.of(VAULT):
        yield from sends_logs(stack, vault, ("AuditEvent",), groups=("allLogs", "audit"))


def ends(view: View) -> Iterator[Violation]:
    """It ends some day, so that it is renewed."""
    attributes = view.child("properties.attributes")
    if attributes is None or not attributes.has("expires"):
        yield view.fails("properties.attributes.expires", "is not said")


def key_kept_and_renewed(key: View) -> Iterator[Violation]:
    """A key never leaves a hardware module, and a new one takes its place in time."""
    kind = key.text("properties.kty")
    if not isinstance(kind, str) or not kind.upper().endswith("-HSM"):
        yield key.fails("properties.kty", f"is {kind or 'not said'}, a key in software")
    actions = [action.text("action.type") for action in key.children("properties.rotationPolicy.lifetimeActions")]
    if not any(isinstance(action, str) and action.lower() == "rotate" for action in actions):
        yield key.fails("properties.rotationPolicy", "does not rotate it")


def says_what_it_is(secret: View) -> Iterator[Violation]:
    """A secret says what is in it."""
    if secret.text("properties.contentType") in {None, ""}:
        yield secret.fails("properties.contentType", "is not said")


def soft_delete_again(vault: View) -> dict[str, bool]:
    """Switch it on where it is switched off, but write over nothing that is unknown."""
    off = vault.flag("properties.enableSoftDelete") is False
    return {"properties.enableSoftDelete": True} if off else {}


RULES: tuple[AnyRule, ...] = (
    Rule(
        name="kv-purge-protection",
        controls=("kv-purge-protection",),
        title="A key vault cannot be purged before its time",
        severity="medium",
        types=(VAULT,),
        check=purge_protected,
        remedy="properties: {enablePurgeProtection: true}; it cannot be switched off again.",
    ),
    Rule(
        name="kv-soft-delete",
        controls=("kv-soft-delete",),
        title="A key vault has soft delete",
        severity="medium",
        types=(VAULT,),
        check=soft_deleted,
        remedy="properties: {enableSoftDelete: true}, the default.",
        remediation=soft_delete_again,
    ),
    Rule(
        name="kv-public-network-disabled",
        controls=("kv-public-network-disabled",),
        title="A key vault is not reached from public networks",
        severity="medium",
        types=(VAULT,),
        check=not_public,
        remedy="properties: {publicNetworkAccess: Disabled}, with a private endpoint.",
    ),
    Rule(
        name="kv-firewall",
        controls=("kv-firewall",),
        title="The firewall of a key vault denies by default",
        severity="critical",
        types=(VAULT,),
        check=firewall_closed,
        remedy="properties: {networkAcls: {defaultAction: Deny, bypass: AzureServices}}",
    ),
    StackRule(
        name="kv-private-endpoint",
        controls=("kv-private-endpoint",),
        title="A private endpoint leads to a key vault",
        severity="medium",
        types=(VAULT,),
        check=vault_has_endpoint,
        remedy="An azure-native:network:PrivateEndpoint with its id and the group `vault`.",
        blind="Endpoints in other stacks.",
        instead="Azure Policy: Azure Key Vaults should use private link.",
    ),
    Rule(
        name="kv-rbac",
        controls=("kv-rbac",),
        title="Roles say who may what in a key vault",
        severity="medium",
        types=(VAULT,),
        check=by_roles,
        remedy="properties: {enableRbacAuthorization: true}, and role assignments in place of access policies first.",
    ),
    Rule(
        name="kv-access-policy-least-privilege",
        controls=("kv-access-policy-least-privilege",),
        title="No access policy of a key vault allows everything, or to purge",
        severity="medium",
        types=(VAULT, ACCESS_POLICY),
        check=least_privilege,
        remedy="permissions: what is needed, such as `get`; roles in place of policies.",
    ),
    StackRule(
        name="kv-diagnostic-logs",
        controls=("kv-diagnostic-logs",),
        title="The audit log of a key vault goes somewhere",
        severity="medium",
        types=(VAULT,),
        check=vault_audited,
        remedy="An azure-native:monitor:DiagnosticSetting with its id as resourceUri, and the category AuditEvent.",
        blind=BLIND_TO_SETTINGS,
        instead=ELSEWHERE,
    ),
    Rule(
        name="kv-key-expiry",
        controls=("kv-key-expiry",),
        title="A key ends some day",
        severity="medium",
        types=(KEY,),
        check=ends,
        remedy="properties: {attributes: {expires: seconds since 1970}}",
    ),
    Rule(
        name="kv-key-hsm-rotation",
        controls=("kv-key-hsm-rotation",),
        title="A key is in a hardware module and rotates by itself",
        severity="low",
        types=(KEY,),
        check=key_kept_and_renewed,
        remedy="properties: {kty: RSA-HSM, rotationPolicy: {lifetimeActions: [{action: {type: rotate}, trigger: ...}]}}"
        " in a vault of the SKU premium.",
    ),
    Rule(
        name="kv-secret-expiry",
        controls=("kv-secret-expiry",),
        title="A secret ends some day",
        severity="medium",
        types=(SECRET,),
        check=ends,
        remedy="properties: {attributes: {expires: seconds since 1970}}",
    ),
    Rule(
        name="kv-secret-content-type",
        controls=("kv-secret-content-type",),
        title="A secret says what is in it",
        severity="low",
        types=(SECRET,),
        check=says_what_it_is,
        remedy="properties: {contentType: text/plain}, or what it is.",
    ),
)
