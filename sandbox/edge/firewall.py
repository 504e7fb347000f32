"""What a web ACL before the load balancer refuses, as routes that are tried before every rule.

An imitation: of each group that AWS manages one signature of its kind is known, as harmless as the string that a
release check sends. Source: WAF developer guide, AWS managed rules, baseline and use-case specific rule groups.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

# Looked for in path and query, plain or percent-encoded once, in any case.
_SIGNATURES = {
    "AWSManagedRulesCommonRuleSet": r"(?:<|%3c)script",
    "AWSManagedRulesKnownBadInputsRuleSet": r"(?:\$|%24)(?:\{|%7b)jndi(?::|%3a)",
    "AWSManagedRulesSQLiRuleSet": r"(?:'|%27)(?:\s|\+|%20)+or(?:\s|\+|%20)+(?:'|%27)?1",
}
_BODY = "<html><head><title>403 Forbidden</title></head><body><center><h1>403 Forbidden</h1></center></body></html>"


def refusals(groups: Sequence[str]) -> list[dict[str, Any]]:
    """One route per group that blocks and is known here: 403, as a web ACL answers that does not say otherwise."""
    return [_refusal(group, _SIGNATURES[group]) for group in groups if group in _SIGNATURES]


def _refusal(group: str, signature: str) -> dict[str, Any]:
    path = {"name": ":path", "string_match": {"safe_regex": {"regex": f"(?i).*{signature}.*"}}}
    return {
        "name": f"fixed-firewall-{group}",
        "match": {"prefix": "/", "headers": [path]},
        "direct_response": {"status": 403, "body": {"inline_string": _BODY}},
        "response_headers_to_add": [
            {"header": {"key": "content-type", "value": "text/html"}, "append_action": "OVERWRITE_IF_EXISTS_OR_ADD"}
        ],
    }
