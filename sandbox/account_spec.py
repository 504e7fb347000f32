"""What differs between the accounts of two sandboxes."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, kw_only=True)
class AccountSpec:
    """What differs between two sandboxes. `images` maps version to digest (`sha256:...`); certificates are PEM."""

    images: Mapping[str, str]
    certificate: bytes
    certificate_key: bytes
    certificate_chain: bytes = b""
    topic_subscriber_url: str
    live_slot: str = "green"
    live_version: str = "1.0.0"
    live_tasks: int = 2
    test_header_value: str = field(default_factory=lambda: secrets.token_urlsafe(24))
