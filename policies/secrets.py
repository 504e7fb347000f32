"""What looks like a secret: by its name, and by its value."""

from __future__ import annotations

import re

from policies.values import Value

_NAME = re.compile(r"passw(or)?d|secret|api_?key|private_?key|(token|credentials?)$", re.IGNORECASE)
# A name that says where a secret is, not what it is.
_POINTER = re.compile(
    r"(arn|name|id|path|file|url|uri|ttl|seconds|days|length|version|prefix|kms_key\w*)$", re.IGNORECASE
)
_IN_ADDRESS = re.compile(r"\w+://[^/\s:@]*:[^/\s@]+@")
_KEY_ID = re.compile(r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b")


def named_as_secret(name: Value) -> bool:
    """A name such as DB_PASSWORD; not SECRET_ARN, which only says where one lies."""
    return isinstance(name, str) and bool(_NAME.search(name)) and not _POINTER.search(name)


def looks_like_secret(value: Value) -> bool:
    """A password within an address, an AWS access key, a private key in PEM form."""
    if not isinstance(value, str):
        return False
    return bool(_IN_ADDRESS.search(value) or _KEY_ID.search(value)) or "PRIVATE KEY-----" in value
