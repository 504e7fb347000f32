"""Plain HTTP exists to send people to HTTPS."""

from __future__ import annotations

from collections.abc import Iterator

from policies.rule import Judged, Rule, deferred, demand, fails
from policies.settings import Settings
from policies.traffic import actions, is_plain_http
from policies.tree import Resource, Tree
from policies.values import Unknown, Value


def judge(tree: Tree, settings: Settings) -> Iterator[Judged]:
    for listener in tree.of("aws_lb_listener"):
        plain = is_plain_http(listener)
        if isinstance(plain, Unknown):
            yield deferred(listener, plain, "whether it listens without TLS")
        elif plain:
            yield from _judge(listener)
            for rule in tree.of("aws_lb_listener_rule"):
                if listener in tree.meant(rule.values.get("listener_arn"), "aws_lb_listener"):
                    yield from _judge(rule)


def _judge(listener: Resource) -> Iterator[Judged]:
    found = actions(listener)
    if not found:
        yield fails(listener, "it has no action")
    for action in found:
        yield demand(listener, action, _redirects, "it answers plain HTTP instead of redirecting to HTTPS")


def _redirects(action: Value) -> bool:
    redirect = next(iter(action.get("redirect") or []), None)
    return action.get("type") == "redirect" and redirect is not None and redirect.get("protocol") == "HTTPS"


RULE = Rule(
    id="CKV_RG_21",
    says="A listener without TLS only redirects to HTTPS",
    remedy='Use default_action { type = "redirect" } with redirect { protocol = "HTTPS" port = "443" }.',
    controls=("NET-04", "NET-02"),
    judge=judge,
)
