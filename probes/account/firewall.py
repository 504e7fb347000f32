"""WAFv2: the web ACL of what every request passes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from probes.account.asking import Asker, ClientMaker, Unread
from probes.account.declared import Declared
from probes.account.population import Members, Resource, Seen, View, check, known, population, view_of

# Rule groups that AWS manages against what OWASP lists. Source: WAF developer guide, list of managed rule groups.
GROUPS_NEEDED = ("AWSManagedRulesCommonRuleSet", "AWSManagedRulesKnownBadInputsRuleSet", "AWSManagedRulesSQLiRuleSet")


def view(account: ClientMaker, declared: Declared) -> View:
    """The declared entrance: what every request passes."""
    asker = Asker(account)
    return view_of(declared, population("entrance", "wafv2 GetWebACLForResource", lambda: _entrance(asker, declared)))


def _entrance(asker: Asker, declared: Declared) -> Members:
    arn = declared.entrance
    if not arn:
        return Unread("the outputs name neither an entrance nor a load balancer")
    acl = known(asker.field("wafv2", "get_web_acl_for_resource", "WebACL", ResourceArn=arn))
    facts: dict[str, Any] = {"acl": acl}
    if isinstance(acl, Mapping):
        facts["logging"] = asker.field(
            "wafv2", "get_logging_configuration", "LoggingConfiguration", ResourceArn=acl["ARN"]
        )
    return (Resource(name=arn.split(":", 5)[-1], facts=facts),)


def _acl(one: Resource) -> Mapping[str, Any] | None:
    acl: Mapping[str, Any] | None = one["acl"]
    return acl


_BARE = Seen(None, "has no web ACL")


@check("entrance", rule="has a web ACL")
def attached(one: Resource, _: Declared) -> Seen:
    """SEC-04: an ACL that hangs on nothing guards nothing (design.md 14.12: it is an association, not a hop)."""
    acl = _acl(one)
    return Seen(acl["Name"]) if acl else _BARE


@check(
    "entrance", rule="its web ACL has the managed groups against common attacks", limit=lambda _: list(GROUPS_NEEDED)
)
def managed_groups(one: Resource, _: Declared) -> Seen:
    """SEC-04."""
    acl = _acl(one)
    if not acl:
        return _BARE
    found = sorted(_groups(acl))
    missing = sorted(set(GROUPS_NEEDED) - set(found))
    return Seen(found, f"lacks {', '.join(missing)}" if missing else "")


def _groups(acl: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    """Rules with a group that AWS manages, by the group's name."""
    found = {}
    for rule in acl["Rules"]:
        group = rule["Statement"].get("ManagedRuleGroupStatement")
        if group and group["VendorName"] == "AWS":
            found[str(group["Name"])] = rule
    return found


@check("entrance", rule="its managed groups block and do not only count")
def blocking(one: Resource, _: Declared) -> Seen:
    """SEC-04: neither the whole group nor one of its rules is overridden to Count, none is excluded or narrowed."""
    acl = _acl(one)
    if not acl:
        return _BARE
    groups = {name: rule for name, rule in _groups(acl).items() if name in GROUPS_NEEDED}
    soft = [f"{name} {how}" for name, rule in sorted(groups.items()) if (how := _softened(rule))]
    none = "" if groups else "has none of the managed groups"
    return Seen(sorted(groups), "; ".join(soft) or none)


def _softened(rule: Mapping[str, Any]) -> str:
    """How a managed group is kept from blocking, empty if nothing keeps it."""
    group = rule["Statement"]["ManagedRuleGroupStatement"]
    override: Mapping[str, Any] = rule.get("OverrideAction") or {}
    if "None" not in override:
        return "counts only" if "Count" in override else "does not say what it does"
    counted = [str(row["Name"]) for row in group.get("RuleActionOverrides") or () if "Block" not in row["ActionToUse"]]
    excluded = [str(row["Name"]) for row in group.get("ExcludedRules") or ()]
    if counted or excluded:
        return f"does not block by {', '.join(counted + excluded)}"
    return "looks at a part of the requests only" if group.get("ScopeDownStatement") else ""


@check("entrance", rule="its web ACL writes down what it refused")
def logged(one: Resource, _: Declared) -> Seen:
    """SEC-04, HIPAA 164.312(b)."""
    if not _acl(one):
        return _BARE
    places = [str(arn) for arn in (one["logging"] or {}).get("LogDestinationConfigs", ())]
    return Seen(places, "" if places else "its web ACL writes no log")
