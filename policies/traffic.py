"""Listeners and their rules: what they do with a request."""

from __future__ import annotations

from policies.rule import number
from policies.tree import Resource
from policies.values import Unknown, Value

_ACTIONS = {"aws_lb_listener": "default_action", "aws_lb_listener_rule": "action"}


def actions(listener: Resource) -> list[Value]:
    """The actions of a listener or of one of its rules; an Unknown where they are not known."""
    return listener.blocks(_ACTIONS[listener.kind])


def forwards(listener: Resource) -> list[Value]:
    """The actions that forward, and those of which that is not known."""
    found = []
    for action in actions(listener):
        kind = action if isinstance(action, Unknown) else action.get("type")
        if isinstance(kind, Unknown) or kind == "forward":
            found.append(action)
    return found


def is_test_route(listener: Resource) -> bool:
    """A rule that only the rollout's own requests meet: it asks for a header (docs/decisions/0010)."""
    return listener.kind == "aws_lb_listener_rule" and bool(listener.blocks("condition.http_header"))


def carries_customers(listener: Resource) -> bool:
    return bool(forwards(listener)) and not is_test_route(listener)


def is_plain_http(listener: Resource) -> Value:
    """Whether it listens without TLS; the protocol's Unknown where that is not known. The default is HTTP."""
    protocol = listener.one("protocol")
    if isinstance(protocol, Unknown):
        return protocol
    return protocol == "HTTP" or (protocol is None and number(listener.one("port")) == 80)
