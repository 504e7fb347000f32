"""ECR: every repository of the region."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from probes.account import task_definitions
from probes.account.asking import Asker, ClientMaker, Unread
from probes.account.declared import Declared
from probes.account.lifecycle_rules import expired
from probes.account.policy_documents import allowing, allows, principals
from probes.account.population import Members, Resource, Seen, View, check, equals, known, population, view_of

_IMAGE = re.compile(r"^(?P<registry>[^/]+)/(?P<name>[^@:]+)@(?P<digest>sha256:[0-9a-f]{64})$")
_PULL = "ecr:BatchGetImage"
_PUSH = "ecr:PutImage"


def view(account: ClientMaker, declared: Declared) -> View:
    """Repositories with their policies, images, and the digests that the services run or would go back to."""
    asker = Asker(account)
    return view_of(declared, population("repository", "ecr DescribeRepositories", lambda: _members(asker, declared)))


def _members(asker: Asker, declared: Declared) -> Members:
    rows = known(asker.all("ecr", "describe_repositories", "repositories"))
    live = _digests_in_use(asker, declared)
    return tuple(_repository(asker, row, live=live) for row in rows)


def _repository(asker: Asker, row: Mapping[str, Any], *, live: Mapping[str, frozenset[str]] | Unread) -> Resource:
    name = row["repositoryName"]
    asked = {"repositoryName": name}
    facts = {
        **row,
        "policy": asker.field("ecr", "get_repository_policy", "policyText", **asked),
        "lifecycle": asker.field("ecr", "get_lifecycle_policy", "lifecyclePolicyText", **asked),
        "images": asker.all("ecr", "describe_images", "imageDetails", **asked),
        "live": live if isinstance(live, Unread) else live.get(name, frozenset()),
    }
    return Resource(name=name, facts=facts)


def _digests_in_use(asker: Asker, declared: Declared) -> Mapping[str, frozenset[str]] | Unread:
    """Digests by repository of every definition that a service of the environment runs."""
    arns = task_definitions.in_use(asker, declared)
    if isinstance(arns, Unread):
        return arns
    found: dict[str, set[str]] = {}
    for arn in arns:
        definition = asker.field("ecs", "describe_task_definition", "taskDefinition", taskDefinition=arn)
        if isinstance(definition, Unread):
            return definition
        for container in definition["containerDefinitions"]:
            image = _IMAGE.match(container["image"])
            if image:
                found.setdefault(image["name"], set()).add(image["digest"])
    return {name: frozenset(digests) for name, digests in found.items()}


@check("repository", rule="never moves a tag")
def immutable(one: Resource, _: Declared) -> Seen:
    """PROC-03. IMMUTABLE_WITH_EXCLUSION leaves some tags movable."""
    return equals(one, "imageTagMutability", "IMMUTABLE")


@check("repository", rule="is encrypted with a key of KMS")
def encrypted(one: Resource, _: Declared) -> Seen:
    """PROC-03."""
    kind = str(one["encryptionConfiguration"]["encryptionType"])
    return Seen(kind, "" if kind.startswith("KMS") else f"is encrypted with {kind}")


@check("repository", rule="scans what is pushed")
def scanned(one: Resource, _: Declared) -> Seen:
    """PROC-03."""
    value = bool(one["imageScanningConfiguration"]["scanOnPush"])
    return Seen(value, "" if value else "does not scan what is pushed")


@check(
    "repository",
    rule="lets the declared roles pull and nobody else",
    limit=lambda declared: sorted(declared.pull_roles),
)
def pulled_by(one: Resource, declared: Declared) -> Seen:
    """PROC-03. Without a policy of its own every identity of the account with leave to pull may, so it needs one.

    Repositories may have different pullers among the declared ones; each needs at least one.
    """
    if not one["policy"]:
        return Seen([], "has no policy: whoever may pull anything may pull this")
    may = {who for statement in allowing(one["policy"]) if _pulls(statement) for who in principals(statement)}
    allowed = declared.pull_roles | declared.push_roles
    foreign = sorted(who for who in may if who not in allowed)
    wrong = [f"may be pulled by {', '.join(foreign)}"] if foreign else []
    wrong += [] if may & declared.pull_roles else ["may be pulled by none of the declared roles"]
    return Seen(sorted(may), "; ".join(wrong))


def _pulls(statement: Mapping[str, Any]) -> bool:
    return "NotAction" in statement or allows({"Statement": [statement]}, _PULL)


@check(
    "repository",
    rule="lets the declared roles push and nobody else",
    limit=lambda declared: sorted(declared.push_roles),
)
def pushed_by(one: Resource, declared: Declared) -> Seen:
    """PROC-03: who may push decides what runs."""
    if not one["policy"]:
        return Seen([], "has no policy: whoever may push anything may push this")
    may = {who for s in allowing(one["policy"]) if allows({"Statement": [s]}, _PUSH) for who in principals(s)}
    foreign = sorted(may - declared.push_roles)
    return Seen(sorted(may), f"may be pushed to by {', '.join(foreign)}" if foreign else "")


@check("repository", rule="its lifecycle keeps the images that run and the way back")
def lifecycle_keeps(one: Resource, _: Declared) -> Seen:
    """PROC-03: computed from its rules and its images. It needs rules, and the images in use have to be there."""
    live: frozenset[str] = one["live"]
    images = one["images"]
    if not one["lifecycle"]:
        return Seen([], "has no lifecycle policy")
    gone = expired(str(one["lifecycle"]), images)
    absent = sorted(live - {str(image["imageDigest"]) for image in images})
    wrong = [f"would expire {', '.join(sorted(live & gone))}, which is in use"] if live & gone else []
    wrong += [f"does not hold {', '.join(absent)}, which is in use"] if absent else []
    return Seen([len(images), len(gone), *sorted(live)], "; ".join(wrong))
