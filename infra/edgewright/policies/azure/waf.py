"""Rules over firewall policies of Application Gateway and Front Door."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import takewhile

from edgewright.policies.azure.application_gateway import GATEWAY, LEGACY, has_policy
from edgewright.policies.azure.words import is_one, says
from edgewright.policies.rule import AnyRule, Rule, Setting
from edgewright.policies.view import Unknown, View, Violation

GATEWAY_POLICY = "azure-native:network:WebApplicationFirewallPolicy"
FRONT_DOOR_POLICY = ("azure-native:frontdoor:Policy", "azure-native:network:Policy")
"""The second is the type's name in azure-native before 3."""

DEFAULT_SET, CORE_SET, BOT_SET = "Microsoft_DefaultRuleSet", "OWASP", "Microsoft_BotManagerRuleSet"

# https://learn.microsoft.com/azure/web-application-firewall/ag/application-gateway-crs-rulegroups-rules: CRS 3.0 and
# older have neither the rules of today nor support.
_LEAST = {DEFAULT_SET.lower(): (2,), CORE_SET.lower(): (3, 1), BOT_SET.lower(): (1,)}
"""The oldest version of a rule set that will do, by its type in small letters."""

# The same page: 944240 is in DRS, and in CRS from 3.1 on; 800100 in the group of known vulnerabilities of CRS.
LOG4SHELL = frozenset({"944240", "800100"})
"""Rules against Log4Shell (CVE-2021-44228)."""
_LOG4SHELL_GROUPS = frozenset({"java", "request-944-application-attack-java", "known-cves"})

_NO_STOP = frozenset({"Allow", "Log"})
"""Actions of a rule that matches and lets a request go on."""


@dataclass(frozen=True, slots=True)
class _Form:
    """How one of the two kinds of policies writes what both have. state: of a managed or custom rule."""

    state: str
    custom: str


_FORMS: Mapping[str, _Form] = {
    GATEWAY_POLICY: _Form("state", "customRules"),
    **dict.fromkeys(FRONT_DOOR_POLICY, _Form("enabledState", "customRules.rules")),
}


def _legacy(view: View) -> View | None:
    """The old configuration of a gateway, where it is what counts: no policy overrides it, and it is not off."""
    if view.subject.type != GATEWAY or has_policy(view) or view.flag(f"{LEGACY}.enabled") is False:
        return None
    return view.child(LEGACY)


def _policy(view: View) -> View | None:
    return None if view.subject.type == GATEWAY else view


# -- settings ----------------------------------------------------------------------------------------------------------


def prevents(view: View) -> Iterator[Violation]:
    """What the firewall finds it stops, and does not only write down."""
    policy, legacy = _policy(view), _legacy(view)
    for holder, key in ((policy, "policySettings.mode"), (legacy, "firewallMode")):
        if holder is not None and not is_one(mode := holder.text(key), "Prevention"):
            yield holder.fails(key, f"is {mode or 'not said'}: what is found is only logged")
    for rule_set in view.children("managedRules.managedRuleSets") if policy is not None else ():
        # Of Front Door alone, and over the mode of the policy.
        if says(rule_set, "ruleSetAction", "Log"):
            yield rule_set.fails("ruleSetAction", "is Log: what is found is only logged")


def enabled(policy: View) -> Iterator[Violation]:
    """The policy is on, and says so. (Front Door's is on unless it says otherwise.)"""
    if policy.subject.type == GATEWAY_POLICY:
        state = policy.text("policySettings.state")
        if not is_one(state, "Enabled"):
            yield policy.fails("policySettings.state", f"is {state or 'not said'}")
    elif policy.has("policySettings.enabledState") and not says(policy, "policySettings.enabledState", "Enabled"):
        yield policy.fails("policySettings.enabledState", "is not Enabled")


def checks_bodies(view: View) -> Iterator[Violation]:
    """Bodies of requests are looked at, which Azure does unless it is told otherwise."""
    policy, legacy = _policy(view), _legacy(view)
    for holder, key in ((policy, "policySettings.requestBodyCheck"), (legacy, "requestBodyCheck")):
        if holder is None:
            continue
        off = holder.flag(key) is False if view.subject.type not in FRONT_DOOR_POLICY else says(holder, key, "Disabled")
        if off:
            yield holder.fails(key, "is off: what a body carries goes by")


def only_watches(policy: View) -> bool:
    """Whether a policy says that it is off, or that it stops nothing."""
    off = "policySettings.state" if policy.subject.type == GATEWAY_POLICY else "policySettings.enabledState"
    return says(policy, off, "Disabled") or says(policy, "policySettings.mode", "Detection")


def limits_rates(policy: View) -> Iterator[Violation]:
    """A rule of its own stops clients that ask too often."""
    form = _FORMS[policy.subject.type]
    for rule in policy.children(form.custom):
        on = not rule.has(form.state) or says(rule, form.state, "Enabled")
        if on and says(rule, "ruleType", "RateLimitRule") and not says(rule, "action", *_NO_STOP):
            return
    yield policy.fails(form.custom, "have no limit of a rate that is on and stops anybody")


# -- managed rules -----------------------------------------------------------------------------------------------------


def has_attack_rules(view: View) -> Iterator[Violation]:
    """Microsoft's rules against attacks are there, in a version of today."""
    legacy = _legacy(view)
    if legacy is not None:
        if not _recent(legacy):
            yield legacy.fails("ruleSetVersion", "is too old", "ruleSetType")
        return
    policy = _policy(view)
    if policy is not None and _may_have_managed_rules(policy):
        sets = [one for one in policy.children(_SETS) if says(one, "ruleSetType", DEFAULT_SET, CORE_SET)]
        yield from _one_recent(policy, sets, f"have neither {DEFAULT_SET} nor {CORE_SET}")


def has_bot_rules(policy: View) -> Iterator[Violation]:
    """Microsoft's rules against bots are there."""
    if _may_have_managed_rules(policy):
        sets = [one for one in policy.children(_SETS) if says(one, "ruleSetType", BOT_SET)]
        yield from _one_recent(policy, sets, f"have no {BOT_SET}")


_SETS = "managedRules.managedRuleSets"


def _may_have_managed_rules(policy: View) -> bool:
    """Of Front Door, only Premium has managed rules: https://learn.microsoft.com/azure/frontdoor/tier-comparison."""
    return policy.subject.type == GATEWAY_POLICY or says(policy, "sku.name", "Premium_AzureFrontDoor")


def _one_recent(policy: View, sets: list[View], text: str) -> Iterator[Violation]:
    if any(_recent(one) for one in sets):
        return
    if not sets:
        yield policy.fails(_SETS, text, "sku.name")
    for one in sets:
        yield one.fails("ruleSetVersion", f"is {one.text('ruleSetVersion')}, which is too old", "ruleSetType")


def _recent(rule_set: View) -> bool:
    kind, version = rule_set.text("ruleSetType"), rule_set.text("ruleSetVersion")
    return isinstance(kind, str) and isinstance(version, str) and _version(version) >= _LEAST.get(kind.lower(), (0,))


def _version(text: str) -> tuple[int, ...]:
    """3.2 as numbers to compare; what follows something else than a number is left out."""
    return tuple(int(part) for part in takewhile(str.isdigit, text.split(".")))


@dataclass(frozen=True, slots=True)
class _Weakened:
    """A managed rule, or a group of them, that stops nothing. log4shell: whether a rule against that is among them."""

    violation: Violation
    log4shell: bool


def _weakened(view: View) -> Iterator[_Weakened]:
    legacy, policy = _legacy(view), _policy(view)
    if legacy is not None:
        for group in legacy.children("disabledRuleGroups"):
            yield from _disabled(group)
    for rule_set in policy.children(_SETS) if policy is not None else ():
        # Which of the bots may come in is for each site to say.
        attacks = not says(rule_set, "ruleSetType", BOT_SET)
        for group in rule_set.children("ruleGroupOverrides"):
            yield from _overridden(group, _FORMS[view.subject.type], attacks=attacks)


def _disabled(group: View) -> Iterator[_Weakened]:
    """Of the old configuration: numbers of rules, or none for the whole group."""
    name = group.text("ruleGroupName")
    if group.count("rules") == 0:
        yield _Weakened(group.fails("ruleGroupName", f"is {name}, all of which is off", "rules"), _log4shell_in(name))
        return
    rules = {str(int(number)) for number in group.numbers("rules")}
    for listed, log4shell in ((rules & LOG4SHELL, True), (rules - LOG4SHELL, False)):
        if listed:
            yield _Weakened(group.fails("rules", f"turn {', '.join(sorted(listed))} off"), log4shell)


def _overridden(group: View, form: _Form, *, attacks: bool) -> Iterator[_Weakened]:
    name = group.text("ruleGroupName")
    if group.count("rules") == 0:
        text = f"are none, which turns all of {name} off"
        yield _Weakened(group.fails("rules", text, "ruleGroupName"), _log4shell_in(name))
    for rule in group.children("rules"):
        number, state, action = rule.text("ruleId"), rule.text(form.state), rule.text("action")
        log4shell = number in LOG4SHELL
        if not is_one(state, "Enabled"):
            # Azure's default for a rule that is named here.
            text = f"is {state or 'not said, which means Disabled,'} for {number}"
            yield _Weakened(rule.fails(form.state, text), log4shell)
        elif attacks and is_one(action, *_NO_STOP):
            yield _Weakened(
                rule.fails("action", f"is {action} for {number}, which stops nothing", form.state), log4shell
            )


def _log4shell_in(group: str | Unknown | None) -> bool:
    return isinstance(group, str) and group.lower() in _LOG4SHELL_GROUPS


def all_rules(view: View) -> Iterator[Violation]:
    """No managed rule is off or only logs. Those against Log4Shell are left to `stops_log4shell`."""
    yield from (one.violation for one in _weakened(view) if not one.log4shell or view.subject.type in FRONT_DOOR_POLICY)


def stops_log4shell(view: View) -> Iterator[Violation]:
    """The managed rules against Log4Shell are on and stop requests."""
    yield from (one.violation for one in _weakened(view) if one.log4shell)


def no_exclusions(view: View) -> Iterator[Violation]:
    """Managed rules look at every part of every request, or what they leave out is said rule by rule."""
    policy, legacy = _policy(view), _legacy(view)
    left_out = [] if legacy is None else list(legacy.children("exclusions"))
    if policy is not None:
        left_out += [*policy.children("managedRules.exclusions"), *policy.children("managedRules.exceptions")]
    for part in left_out:
        if not (view.setting("acceptNarrow") and _is_narrow(part)):
            yield part.fails("matchVariable", f"is {part.text('matchVariable')}, which rules do not look at")


def _is_narrow(exclusion: View) -> bool:
    """Whether it names the rules that it is for."""
    for key in ("exclusionManagedRuleSets", "exceptionManagedRuleSets"):
        groups = [group for rule_set in exclusion.children(key) for group in rule_set.children("ruleGroups")]
        if groups and all(group.count("rules") != 0 for group in groups):
            return True
    return False


_ON = "policySettings: {state: Enabled, mode: Prevention, requestBodyCheck: true, ...}"
_ON_AT_FRONT_DOOR = "policySettings: {enabledState: Enabled, mode: Prevention, requestBodyCheck: Enabled, ...}"
_MANAGED = f"managedRules: {{managedRuleSets: [{{ruleSetType: {DEFAULT_SET}, ruleSetVersion: 2.1}}, {{ruleSetType: {BOT_SET}, ruleSetVersion: 1.1}}]}}"  # noqa: E501
_NO_OVERRIDE = "No ruleGroupOverrides with state Disabled (or without a state or rules, which means the same) or action Log; exclude what is wrongly found from single rules instead."  # noqa: E501
_RATE = "A custom rule with ruleType: RateLimitRule, action: Block, a rateLimitThreshold and a rateLimitDuration."
_RATE_OPTIONAL = "A right limit follows from a site's clients; many share an address behind a proxy."

_OF_GATEWAY: tuple[AnyRule, ...] = (
    Rule(
        name="agw-waf-prevention",
        controls=("agw-waf-prevention",),
        title="The firewall of a gateway stops what it finds",
        severity="critical",
        types=(GATEWAY_POLICY, GATEWAY),
        check=prevents,
        remedy=f"{_ON}; in an old configuration, firewallMode: Prevention.",
    ),
    Rule(
        name="agw-waf-policy-enabled",
        controls=("agw-waf-policy-enabled",),
        title="A firewall policy is on",
        severity="critical",
        types=(GATEWAY_POLICY,),
        check=enabled,
        remedy=_ON,
    ),
    Rule(
        name="agw-waf-no-exclusions",
        controls=("agw-waf-no-exclusions",),
        title="A firewall looks at every part of every request",
        severity="medium",
        types=(GATEWAY_POLICY, GATEWAY),
        check=no_exclusions,
        remedy="No managedRules.exclusions or exceptions; one that is needed names its rules (acceptNarrow).",
        settings={
            "acceptNarrow": Setting(
                {"type": "boolean"}, False, "whether exclusions that name the rules that they are for are accepted"
            )
        },
    ),
    Rule(
        name="agw-waf-rule-sets",
        controls=("agw-waf-rule-sets",),
        title="A firewall has Microsoft's rules against attacks, in a version of today",
        severity="high",
        types=(GATEWAY_POLICY, GATEWAY),
        check=has_attack_rules,
        remedy=f"{_MANAGED}; of {CORE_SET}, 3.1 at least.",
    ),
    Rule(
        name="agw-waf-bot-protection",
        controls=("agw-waf-bot-protection",),
        title="A firewall has Microsoft's rules against bots",
        severity="medium",
        types=(GATEWAY_POLICY,),
        check=has_bot_rules,
        remedy=_MANAGED,
    ),
    Rule(
        name="agw-waf-request-body-check",
        controls=("agw-waf-request-body-check",),
        title="A firewall looks at bodies of requests",
        severity="medium",
        types=(GATEWAY_POLICY, GATEWAY),
        check=checks_bodies,
        remedy=_ON,
    ),
    Rule(
        name="agw-waf-all-rules",
        controls=("agw-waf-all-rules",),
        title="No managed rule of a firewall is off or only logs",
        severity="medium",
        types=(GATEWAY_POLICY, GATEWAY),
        check=all_rules,
        remedy=_NO_OVERRIDE,
    ),
    Rule(
        name="agw-waf-log4j",
        controls=("agw-waf-log4j",),
        title="The managed rules against Log4Shell are on",
        severity="high",
        types=(GATEWAY_POLICY, GATEWAY),
        check=stops_log4shell,
        remedy=f"No ruleGroupOverrides for {' and '.join(sorted(LOG4SHELL))}, nor for their whole group.",
    ),
    Rule(
        name="agw-waf-rate-limit",
        controls=("agw-waf-rate-limit",),
        title="A firewall stops clients that ask too often",
        severity="low",
        types=(GATEWAY_POLICY,),
        check=limits_rates,
        remedy=_RATE,
        optional=_RATE_OPTIONAL,
    ),
)

# For no control of tests/data/controls.csv; who asks for the same is in `controls.OWN`. After
# https://learn.microsoft.com/azure/frontdoor/secure-front-door and
# https://learn.microsoft.com/azure/web-application-firewall/afds/waf-front-door-best-practices.
_OF_FRONT_DOOR: tuple[AnyRule, ...] = (
    Rule(
        name="afd-waf-prevention",
        controls=(),
        title="The firewall of a Front Door stops what it finds",
        severity="critical",
        types=FRONT_DOOR_POLICY,
        check=prevents,
        remedy=f"{_ON_AT_FRONT_DOOR}, and ruleSetAction: Block of each managed rule set.",
    ),
    Rule(
        name="afd-waf-policy-enabled",
        controls=(),
        title="A firewall policy of Front Door is on",
        severity="critical",
        types=FRONT_DOOR_POLICY,
        check=enabled,
        remedy=_ON_AT_FRONT_DOOR,
    ),
    Rule(
        name="afd-waf-rule-sets",
        controls=(),
        title="A firewall of Front Door Premium has Microsoft's rules against attacks, in a version of today",
        severity="high",
        types=FRONT_DOOR_POLICY,
        check=has_attack_rules,
        remedy=_MANAGED,
    ),
    Rule(
        name="afd-waf-bot-protection",
        controls=(),
        title="A firewall of Front Door Premium has Microsoft's rules against bots",
        severity="medium",
        types=FRONT_DOOR_POLICY,
        check=has_bot_rules,
        remedy=_MANAGED,
    ),
    Rule(
        name="afd-waf-request-body-check",
        controls=(),
        title="A firewall of Front Door looks at bodies of requests",
        severity="medium",
        types=FRONT_DOOR_POLICY,
        check=checks_bodies,
        remedy=_ON_AT_FRONT_DOOR,
    ),
    Rule(
        name="afd-waf-all-rules",
        controls=(),
        title="No managed rule of a Front Door's firewall is off or only logs",
        severity="medium",
        types=FRONT_DOOR_POLICY,
        check=all_rules,
        remedy=_NO_OVERRIDE.replace("state", "enabledState"),
    ),
    Rule(
        name="afd-waf-rate-limit",
        controls=(),
        title="A firewall of Front Door stops clients that ask too often",
        severity="low",
        types=FRONT_DOOR_POLICY,
        check=limits_rates,
        remedy=_RATE.replace("rateLimitDuration", "rateLimitDurationInMinutes"),
        optional=_RATE_OPTIONAL,
    ),
)

RULES: tuple[AnyRule, ...] = (*_OF_GATEWAY, *_OF_FRONT_DOOR)
