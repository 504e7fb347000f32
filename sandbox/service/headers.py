"""The headers that every answer carries: who answered, and the security headers. Planted defects included."""

from __future__ import annotations

from dataclasses import dataclass

from sandbox.service.dials import Dials
from sandbox.service.settings import Settings

Header = tuple[bytes, bytes]
WRONG_VERSION = "0.9.9"

HSTS = (b"strict-transport-security", b"max-age=31536000; includeSubDomains")
CSP = (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'")
_REST: tuple[Header, ...] = (
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
    (b"permissions-policy", b"camera=(), geolocation=(), microphone=()"),
)
SECURITY: tuple[Header, ...] = (HSTS, CSP, *_REST)
UNSAFE_CSP = (b"content-security-policy", b"default-src 'none'; script-src 'unsafe-inline'; frame-ancestors 'none'")

_VARIANTS: dict[str, tuple[Header, ...]] = {
    "no_hsts": (CSP, *_REST),
    "hsts_zero": ((HSTS[0], b"max-age=0"), CSP, *_REST),
    "hsts_twice": (HSTS, (HSTS[0], b"max-age=0"), CSP, *_REST),
    "unsafe_inline": (HSTS, UNSAFE_CSP, *_REST),
    "server_version": ((b"server", b"uvicorn/0.54.0"), *SECURITY),
}


def shown_version(settings: Settings, dials: Dials) -> str:
    """The version that the task claims to be."""
    return WRONG_VERSION if dials.wrong_version else settings.version


@dataclass(frozen=True, kw_only=True)
class CommonHeaders:
    """What goes on answers below 400, and on the others."""

    success: tuple[Header, ...]
    error: tuple[Header, ...]


def common_headers(settings: Settings, dials: Dials, *, draining: bool) -> CommonHeaders:
    """Headers of every answer of this task as long as dials and draining stay as they are."""
    identity: tuple[Header, ...] = (
        (b"x-slot", settings.slot.encode()),
        (b"x-version", shown_version(settings, dials).encode()),
        (b"x-release-digest", settings.release_id.encode()),
        (b"cache-control", b"no-store"),
    )
    if draining:
        identity = (*identity, (b"connection", b"close"))
    security = _VARIANTS.get(dials.headers, SECURITY)
    bare = dials.headers == "missing_on_errors"
    return CommonHeaders(success=(*identity, *security), error=identity if bare else (*identity, *security))
