"""A lifecycle by age removes the image that has run well for a year, on the day it is needed back."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial

from policies.rule import Judged, Rule, deferred, demand, fails, number
from policies.settings import Settings
from policies.shapes import attached
from policies.tree import Resource, Tree
from policies.values import Unknown, Value, decoded, listed


def judge(tree: Tree, settings: Settings) -> Iterator[Judged]:
    for repository in tree.of("aws_ecr_repository"):
        found = attached(tree, repository, "aws_ecr_lifecycle_policy", "repository")
        if not found:
            yield fails(repository, "it has no lifecycle: images pile up until the quota stops a release")
        for lifecycle in found:
            yield from _judge(repository, decoded(lifecycle.values.get("policy")), settings)


def _judge(repository: Resource, document: Value, settings: Settings) -> Iterator[Judged]:
    if isinstance(document, Unknown):
        yield deferred(repository, document, "what it expires")
        return
    for rule in listed(document.get("rules")):
        selection = rule if isinstance(rule, Unknown) else rule.get("selection")
        if isinstance(selection, Unknown):
            yield deferred(repository, selection, "what it expires")
            continue
        kept = settings.images_kept_min
        why = f"it expires {_shown(selection)}, which may be live or the way back; {kept} must stay"
        yield demand(repository, selection, partial(_keeps, kept=kept), why)


def _keeps(selection: Value, *, kept: int) -> bool:
    """Untagged images are nobody's way back: a release is tagged for as long as it may be needed."""
    if selection.get("tagStatus") == "untagged":
        return True
    count = number(selection.get("countNumber"))
    return selection.get("countType") == "imageCountMoreThan" and count is not None and count >= kept


def _shown(selection: Value) -> str:
    words = (selection.get("tagStatus"), "images by", selection.get("countType"), selection.get("countNumber"))
    return " ".join(map(str, words))


RULE = Rule(
    id="CKV_RG_35",
    says="The registry's lifecycle keeps the live image and the way back",
    remedy="Expire tagged images by imageCountMoreThan >= 10, never by age.",
    controls=("PROC-03", "PIPE-08"),
    judge=judge,
)
