"""TLS 1.2 with forward secrecy, or newer; the default policy of a listener still speaks TLS 1.0."""

from __future__ import annotations

import re
from collections.abc import Iterator

from policies.rule import Judged, Rule, demand
from policies.settings import Settings
from policies.tree import Tree
from policies.values import Value

# ELB guide, security policies: TLS13-1-2 and TLS13-1-3 and their variants without CBC ("-Res-"), and FS-1-2-Res.
# The variants "-Ext" bring CBC and RSA key exchange back.
_MODERN = re.compile(
    r"ELBSecurityPolicy-(TLS13-1-[23](-Res)?(-FIPS)?-\d{4}-\d{2}|TLS13-1-2-Res-PQ.*|FS-1-2-Res-\d{4}-\d{2})"
)


def judge(tree: Tree, settings: Settings) -> Iterator[Judged]:
    for listener in tree.of("aws_lb_listener"):
        if listener.one("protocol") in ("HTTPS", "TLS") or listener.one("certificate_arn") is not None:
            policy = listener.one("ssl_policy")
            yield demand(listener, policy, _is_modern, f"its TLS policy is {policy or 'the default one'}")


def _is_modern(policy: Value) -> bool:
    return isinstance(policy, str) and _MODERN.fullmatch(policy) is not None


RULE = Rule(
    id="CKV_RG_54",
    says="The load balancer speaks TLS 1.2 and 1.3 only, without weak ciphers",
    remedy='Set ssl_policy = "ELBSecurityPolicy-TLS13-1-2-2021-06", or its -Res- variant.',
    controls=("NET-04", "PRE-03"),
    judge=judge,
)
