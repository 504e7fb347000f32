"""IAC-04: whether this is the account that the environment names, and whether its outputs still lead somewhere."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from probes.account.asking import Asker, ClientMaker, Unread
from probes.account.declared import Declared
from probes.question import Question
from rollout.model import Observation

_ARN = re.compile(r"arn:[a-z-]+:(?P<service>[a-z0-9-]+):(?P<region>[a-z0-9-]*):(?P<account>\d{12}):(?P<kind>[a-z-]*).*")
# How services say that there is no such thing; everything else that is no answer is no evidence either way.
_GONE = re.compile(r"\((?:\w*NotFound\w*|NoSuch\w*|NotFound)\)")

Ask = Callable[[Asker, str], Any]
# (service, first word of the resource) -> the one call that answers with it.
_LOOKS: Mapping[tuple[str, str], Ask] = {
    ("elasticloadbalancing", "loadbalancer"): lambda a, arn: a.one(
        "elbv2", "describe_load_balancers", LoadBalancerArns=[arn]
    ),
    ("elasticloadbalancing", "listener"): lambda a, arn: a.one("elbv2", "describe_listeners", ListenerArns=[arn]),
    ("elasticloadbalancing", "listener-rule"): lambda a, arn: a.one("elbv2", "describe_rules", RuleArns=[arn]),
    ("elasticloadbalancing", "targetgroup"): lambda a, arn: a.one(
        "elbv2", "describe_target_groups", TargetGroupArns=[arn]
    ),
    ("acm", "certificate"): lambda a, arn: a.one("acm", "describe_certificate", CertificateArn=arn),
    ("iam", "role"): lambda a, arn: a.one("iam", "get_role", RoleName=arn.rsplit("/", 1)[-1]),
    ("sns", ""): lambda a, arn: a.one("sns", "get_topic_attributes", TopicArn=arn),
}


def right_account(account: ClientMaker, declared: Declared) -> Observation:
    """`place.account`: credentials and outputs are of one account."""
    question = Question(
        name="place.account",
        rule="the account is the one that the environment names",
        source="sts GetCallerIdentity",
        limit=declared.account_id,
    )
    answer = Asker(account).field("sts", "get_caller_identity", "Account")
    if isinstance(answer, Unread) or not answer:
        return question.source_error(answer.cause if isinstance(answer, Unread) else "STS named no account")
    if answer != declared.account_id:
        return question.failed(answer, f"the account is {answer}, the environment names {declared.account_id}")
    return question.passed(answer, f"the account is {answer}, as the environment names it")


def outputs_lead(account: ClientMaker, declared: Declared, outputs: Mapping[str, Any]) -> Observation:
    """`place.outputs`: every ARN in the outputs is of this account and leads to a resource that exists.

    FAIL for a foreign or a stale one, SOURCE_ERROR where one could not be asked for, NO_DATA where none was. What the
    engine has no use for (a kind of resource that is not in `_LOOKS`) is named as not looked at.
    """
    question = Question(
        name="place.outputs", rule="every ARN of the outputs leads to a resource of this account", source="outputs"
    )
    arns, asker = dict(_arns(outputs)), Asker(account)
    looks = {name: look for name, arn in arns.items() if (look := _look(arn)) is not None}
    unasked = "".join(f"; not looked at: {name}" for name in arns if name not in looks)
    if not looks:
        return question.no_data(f"the outputs hold no ARN that can be asked for{unasked}")
    told = {name: _wrong(asker, declared, arn=arns[name], look=look) for name, look in looks.items()}
    wrong = [f"{name}: {said}" for name, said in told.items() if isinstance(said, str) and said]
    if wrong:
        return question.failed(arns, f"{'; '.join(wrong)}{unasked}", n=len(looks))
    unread = [f"{name}: {said.cause}" for name, said in told.items() if isinstance(said, Unread)]
    if unread:
        return question.source_error(f"{'; '.join(unread)}{unasked}")
    return question.passed(arns, f"{len(looks)} ARNs lead to resources that exist{unasked}", n=len(looks))


def _arns(value: Any, name: str = "") -> Iterator[tuple[str, str]]:
    """(where, ARN) of every ARN at any depth; `listener_arn`, `target_group_arns.blue`, `pull_roles.0`."""
    if isinstance(value, str):
        if value.startswith("arn:"):
            yield name, value
        return
    items = value.items() if isinstance(value, Mapping) else enumerate(value) if isinstance(value, list | tuple) else ()
    for key, item in items:
        yield from _arns(item, f"{name}.{key}" if name else str(key))


def _look(arn: str) -> Ask | None:
    parts = _ARN.fullmatch(arn)
    if parts is None:
        return None
    # A topic's ARN ends in its name alone.
    return _LOOKS.get((parts["service"], "" if parts["service"] == "sns" else parts["kind"]))


def _wrong(asker: Asker, declared: Declared, *, arn: str, look: Ask) -> str | Unread:
    """What is wrong with an ARN, "" for nothing, Unread where nobody could say."""
    parts = _ARN.fullmatch(arn)
    assert parts is not None, f"{arn} was no ARN when its look was chosen"
    if parts["account"] != declared.account_id:
        return f"{arn} is of another account than {declared.account_id}"
    if parts["region"] not in ("", declared.region):
        return f"{arn} is of another region than {declared.region}"
    answer = look(asker, arn)
    if isinstance(answer, Unread):
        return f"{arn} is stale: {answer.cause}" if _GONE.search(answer.cause) else answer
    return "" if answer else f"{arn} is stale: nothing is there"
