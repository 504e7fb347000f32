"""Images are pulled by the tasks' execution role, by functions of ours, and by nobody else."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from policies.rule import Judged, Rule, deferred, fails, holds
from policies.settings import Settings
from policies.shapes import attached, in_statement, statements
from policies.tree import Resource, Tree
from policies.values import Unknown, Value

_FUNCTION = re.compile(r"arn:aws[a-z-]*:lambda:[^:*]+:[0-9]{12}:function:")
_PULLS = ("ecr:*", "*", "ecr:batchgetimage", "ecr:getdownloadurlforlayer", "ecr:batchget*", "ecr:get*")


def judge(tree: Tree, settings: Settings) -> Iterator[Judged]:
    pullers = {
        role.address
        for task in tree.of("aws_ecs_task_definition")
        for role in tree.meant(task.values.get("execution_role_arn"), "aws_iam_role")
    }
    for repository in tree.of("aws_ecr_repository"):
        found = attached(tree, repository, "aws_ecr_repository_policy", "repository")
        if not found:
            yield fails(repository, "it has no policy: every identity of the account with ECR rights may pull")
        for policy in found:
            for statement in statements(policy.values.get("policy")):
                yield from _judge(tree, repository, statement, pullers)


def _judge(tree: Tree, repository: Resource, statement: Value, pullers: set[str]) -> Iterator[Judged]:
    if isinstance(statement, Unknown):
        yield deferred(repository, statement, "who may pull")
        return
    actions = [str(action).lower() for action in in_statement(statement, "Action")]
    if statement.get("Effect") != "Allow" or not any(action in _PULLS for action in actions):
        yield holds(repository)
        return
    for principal in in_statement(statement, "Principal"):
        roles = {role.address for role in tree.meant(principal, "aws_iam_role")}
        if (roles and roles <= pullers) or _is_own_function(tree, repository, principal, statement):
            yield holds(repository)
        elif isinstance(principal, Unknown) and not roles:
            yield deferred(repository, principal, "who may pull")
        else:
            yield fails(repository, f"{principal} may pull, which is no execution role of a task")


def _is_own_function(tree: Tree, repository: Resource, principal: Value, statement: Mapping[str, Value]) -> bool:
    """Lambda pulls the image of a function of ours by itself; a condition must say which function may make it."""
    functions = [one for one in tree.of("aws_lambda_function") if one.one("package_type") == "Image"]
    uses = any(repository in tree.meant(one.values.get("image_uri"), "aws_ecr_repository") for one in functions)
    return principal == "lambda.amazonaws.com" and uses and _names_functions(statement.get("Condition"))


def _names_functions(condition: Value) -> bool:
    """A condition on where the call comes from, every value of which names functions of one account."""
    if not isinstance(condition, Mapping):
        return False
    for operator in ("StringEquals", "StringLike", "ArnEquals", "ArnLike"):
        pairs = condition.get(operator)
        for key, value in pairs.items() if isinstance(pairs, Mapping) else ():
            named = value if isinstance(value, list | tuple) else [value]
            if key.lower() == "aws:sourcearn" and named and all(_FUNCTION.match(str(one)) for one in named):
                return True
    return False


RULE = Rule(
    id="CKV_RG_34",
    says="Only the tasks' execution role and functions of ours may pull from the image registry",
    remedy="Let pull the execution role alone, and lambda.amazonaws.com only with aws:SourceArn of our functions.",
    controls=("PROC-03",),
    judge=judge,
)
