"""IAM: what every role may do, who may take it, and the account's root."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from probes.account.asking import Asker, ClientMaker, Unread
from probes.account.declared import Declared
from probes.account.policy_documents import allowing, allows, conditions, is_everybody, principals, texts, too_wide
from probes.account.population import Members, Resource, Seen, Unknown, View, check, known, population, view_of

_AWS_OWN_PATHS = ("/aws-service-role/", "/aws-reserved/")  # nobody but AWS can change what stands there


def view(account: ClientMaker, declared: Declared) -> View:
    """Every role that the account can change, with the documents of its policies."""
    asker = Asker(account)
    roles = population("role", "iam ListRoles", lambda: _roles(asker))
    return view_of(
        declared,
        roles,
        population("deploy role", "iam ListRoles", lambda: _named(roles.members, declared.deploy_roles)),
        population(
            "engine role", "iam ListRoles", lambda: _named(roles.members, frozenset({declared.engine_role} - {""}))
        ),
        population("account", "iam GetAccountSummary", lambda: _account(asker, declared)),
    )


def _roles(asker: Asker) -> Members:
    rows = known(asker.all("iam", "list_roles", "Roles"))
    return tuple(
        Resource(name=row["RoleName"], facts={**row, "documents": _documents(asker, row["RoleName"])})
        for row in rows
        if not row["Path"].startswith(_AWS_OWN_PATHS)
    )


def _documents(asker: Asker, role: str) -> Mapping[str, Any] | Unread:
    """Every policy of the role by name, in line or attached, in its present version."""
    inline = asker.all("iam", "list_role_policies", "PolicyNames", RoleName=role)
    attached = asker.all("iam", "list_attached_role_policies", "AttachedPolicies", RoleName=role)
    if isinstance(inline, Unread):
        return inline
    if isinstance(attached, Unread):
        return attached
    found: dict[str, Any] = {}
    for name in inline:
        found[name] = asker.field("iam", "get_role_policy", "PolicyDocument", RoleName=role, PolicyName=name)
    for policy in attached:
        found[policy["PolicyName"]] = _version(asker, policy["PolicyArn"])
    return next((one for one in found.values() if isinstance(one, Unread)), found)


def _version(asker: Asker, arn: str) -> Any:
    policy = asker.field("iam", "get_policy", "Policy", PolicyArn=arn)
    if isinstance(policy, Unread):
        return policy
    version = asker.field(
        "iam", "get_policy_version", "PolicyVersion", PolicyArn=arn, VersionId=policy["DefaultVersionId"]
    )
    return version if isinstance(version, Unread) else version["Document"]


def _named(roles: Members, names: frozenset[str]) -> Members:
    """Declared roles; one that does not exist is a member without facts."""
    found = {one.name: one for one in known(roles)}
    return tuple(found.get(name, Resource(name=name)) for name in sorted(names))


def _account(asker: Asker, declared: Declared) -> Members:
    summary = known(asker.field("iam", "get_account_summary", "SummaryMap"))
    return (Resource(name=declared.account_id, facts=summary or {}),)


def _all_documents(one: Resource) -> Mapping[str, Any]:
    documents: Mapping[str, Any] = one["documents"]
    return documents


@check("role", rule="may not do everything of a service to everything")
def no_star_on_star(one: Resource, _: Declared) -> Seen:
    """SEC-03: `*` or `service:*` on `*`, and every action but some. Conditions do not excuse it."""
    found = {name: wide for name, given in _all_documents(one).items() if (wide := too_wide(given))}
    told = [f"{', '.join(wide)} on every resource by {name}" for name, wide in sorted(found.items())]
    return Seen(sorted(_all_documents(one)), "; ".join(told))


@check("role", rule="cannot be taken by everybody")
def trusts_somebody(one: Resource, _: Declared) -> Seen:
    """SEC-03. A condition does not excuse it here: who is trusted has to be readable."""
    found = [name for statement in allowing(one["AssumeRolePolicyDocument"]) for name in principals(statement)]
    return Seen(sorted(set(found)), "trusts everybody" if any(map(is_everybody, found)) else "")


@check("deploy role", rule="is taken through OIDC for one repository, or with a second factor")
def second_factor(one: Resource, _: Declared) -> Seen:
    """VAL-11, design.md 12. A trust statement without either is a way around both."""
    statements = list(allowing(one["AssumeRolePolicyDocument"]))
    if not statements:
        raise Unknown("nobody may take it: its trust allows nothing")
    ways = [_way(statement) for statement in statements]
    weak = [who for who, good in ways if not good]
    return Seen([who for who, _ in ways], f"taken without a second factor by {', '.join(weak)}" if weak else "")


def _way(statement: Mapping[str, Any]) -> tuple[str, bool]:
    """Who may take the role by this statement, and whether OIDC's subject or a second factor guards it."""
    who = ", ".join(principals(statement))
    found = list(conditions(statement))
    if "sts:AssumeRoleWithWebIdentity" in texts(statement.get("Action")):
        named = any(
            key.endswith(":sub") and values and all(value.strip("*:") and not value.startswith("*") for value in values)
            for operator, key, values in found
            if operator in ("StringEquals", "StringLike")
        )
        audience = any(key.endswith(":aud") and operator == "StringEquals" for operator, key, _ in found)
        return who, named and audience
    # BoolIfExists would let callers without the key pass: long-lived keys have none.
    return who, any(op == "Bool" and key == "aws:multifactorauthpresent" and v == ("true",) for op, key, v in found)


@check("engine role", rule="may do exactly what is published", limit=lambda declared: len(declared.engine_actions))
def published_minimum(one: Resource, declared: Declared) -> Seen:
    """SEC-03: not more than rollout/policies says, and all of it."""
    if not declared.engine_actions:
        raise Unknown("the published actions were not given")
    documents = list(_all_documents(one).values())
    granted = {a for given in documents for statement in allowing(given) for a in texts(statement.get("Action"))}
    extra = sorted(action for action in granted if action.lower() not in {a.lower() for a in declared.engine_actions})
    short = sorted(
        action for action in declared.engine_actions if not any(allows(given, action) for given in documents)
    )
    wrong = [f"more than published: {', '.join(extra)}"] if extra else []
    wrong += [f"not enough: {', '.join(short)}"] if short else []
    return Seen(len(granted), "; ".join(wrong))


@check("account", rule="its root has a second factor and no access key")
def root_guarded(one: Resource, _: Declared) -> Seen:
    """HIPAA 164.312(d)."""
    factor, keys = int(one["AccountMFAEnabled"]), int(one["AccountAccessKeysPresent"])
    wrong = ["root has no second factor"] if factor != 1 else []
    wrong += ["root has an access key"] if keys else []
    return Seen([factor, keys], ", ".join(wrong))
