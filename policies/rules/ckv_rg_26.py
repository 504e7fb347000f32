"""A managed rule group that counts, blocks nothing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from policies.rule import Judged, Rule, deferred, fails, holds
from policies.settings import Settings
from policies.tree import Resource, Tree
from policies.values import Unknown, Value

# AWS managed rules that answer the OWASP top ten's injection and known-exploit parts (WAF developer guide).
_GROUPS = ("AWSManagedRulesCommonRuleSet", "AWSManagedRulesKnownBadInputsRuleSet", "AWSManagedRulesSQLiRuleSet")


def judge(tree: Tree, settings: Settings) -> Iterator[Judged]:
    for acl in tree.of("aws_wafv2_web_acl"):
        yield _judge(acl)


def _judge(acl: Resource) -> Judged:
    rules = acl.blocks("rule")
    unknown = [rule for rule in rules if isinstance(rule, Unknown)]
    blocking = [name for rule in rules if isinstance(rule, Mapping) for name in _blocking(rule)]
    missing = [group for group in _GROUPS if group not in blocking]
    if missing and unknown:
        return deferred(acl, unknown, "which groups it blocks by")
    return fails(acl, f"it does not block by {', '.join(missing)}") if missing else holds(acl)


def _blocking(rule: Mapping[str, Value]) -> Iterator[Value]:
    """Names of managed groups of a rule that decide for themselves, with none of their rules turned to counting."""
    override = rule.get("override_action") or []
    counts = any(isinstance(one, Unknown) or one.get("count") for one in override)
    for statement in rule.get("statement") or []:
        for group in statement.get("managed_rule_group_statement") or [] if isinstance(statement, Mapping) else []:
            softened = any(_counts(one) for one in group.get("rule_action_override") or [])
            if not counts and not softened and not group.get("excluded_rule"):
                yield group.get("name")


def _counts(override: Value) -> bool:
    used = override.get("action_to_use") or [{}] if isinstance(override, Mapping) else []
    return isinstance(override, Unknown) or any(
        isinstance(one, Unknown) or one.get("count") is not None for one in used
    )


RULE = Rule(
    id="CKV_RG_26",
    says="The web ACL blocks by the managed groups for common attacks, known bad inputs and SQL injection",
    remedy="Add the three managed_rule_group_statements with override_action { none {} }.",
    controls=("SEC-04",),
    judge=judge,
)
