"""Defects of the running service, its address and its names: faults in the shared sandbox."""

from __future__ import annotations

from tests.defects.accounts import leave_dangling_record
from tests.defects.model import Defect, World

TLS = (
    "features/pre_deployment/certificates_and_names.feature",
    "features/post_deployment/live_address.feature",
)
ENDPOINTS = ("features/pre_deployment/endpoints.feature",)
HEADERS = ("features/post_deployment/live_address.feature",)

_TRUSTED = "The certificate is trusted, right and far from expiry"
_STILL_TRUSTED = "The certificate is still trusted, right and far from expiry"
_MODERN = "Only modern TLS is offered"
_NAMES = "Names lead to the load balancer that will be shifted"
_BASIC = "Basic health names the version and slot that answer"
_DETAILED = "Detailed health reports every declared component"
_DATABASE = "Database health tries a read and a write"
_CACHE = "Cache health tries a read and a write"
_EXTERNAL = "External health tries each dependency within a time limit"
_STATUS = "The status endpoint answers its published shape"
_GENUINE = "Only genuine tokens are accepted"
_SIGN_IN = "Sign-in issues tokens that every part of the service accepts"
# A required component that is down fails the basic page as well, and what the service needs it for.
_PAGES = "Every kind of answer carries the security headers"
_WITHOUT_DATABASE = (_BASIC, _DETAILED, _DATABASE, _SIGN_IN)
_WITHOUT_CACHE = (_BASIC, _DETAILED, _CACHE, _GENUINE, _SIGN_IN)


def _edge(value: str) -> World:
    return World(faults={"edge": {"certificate": value}})


def _live(**dials: object) -> World:
    """A dial of the slot that is live in the shared sandbox."""
    return World(faults={"green": dials})


def _names(fault: str) -> World:
    return World(faults={"dns": {fault: True}})


_FIRST = (
    (
        "PRE-03",
        "expires-in-29-days",
        "expires in 29 days",
        _edge("expires_29_days"),
        (_TRUSTED, _STILL_TRUSTED),
        "29|28",
    ),
    (
        "PRE-03",
        "wrong-host",
        "wrong host name",
        _edge("wrong_host"),
        (_TRUSTED, _STILL_TRUSTED, _PAGES, _NAMES),
        "name",
    ),
    (
        "PRE-03",
        "self-signed",
        "self-signed or incomplete chain",
        _edge("self_signed"),
        (_TRUSTED, _STILL_TRUSTED, _PAGES),
        "self",
    ),
    (
        "PRE-03",
        "incomplete-chain",
        "self-signed or incomplete chain",
        _edge("incomplete_chain"),
        (_TRUSTED, _STILL_TRUSTED, _PAGES),
        "chain|issuer",
    ),
    ("PRE-03", "old-tls", "TLS 1.0 offered", World(faults={"edge": {"tls_minimum": "1.0"}}), (_MODERN,), r"1\.0"),
    (
        "PRE-03",
        "presents-another",
        "listener presents another certificate than declared",
        _edge("other"),
        (_TRUSTED, _STILL_TRUSTED),
        "declare",
    ),
    (
        "PRE-04",
        "wrong-target",
        "record points at another load balancer",
        _names("wrong_target"),
        (_NAMES,),
        "load balancer",
    ),
    ("PRE-04", "ttl-of-a-day", "TTL of a day", _names("long_ttl"), (_NAMES,), "86400|TTL|lifetime"),
    (
        "PRE-04",
        "dangling",
        "dangling CNAME",
        World(act=leave_dangling_record),
        (_NAMES,),
        r"dangling: old\.shop\.example",
    ),
    ("VAL-07", "expired", "expired", _edge("expired"), (_TRUSTED, _STILL_TRUSTED, _PAGES), "expired"),
)

_ENDPOINTS = (
    ("HEALTH-01", "another-version", "another version answers", _live(wrong_version=True), (_BASIC,), "version"),
    ("HEALTH-01", "slow", "slow answer", _live(health="slow"), (_BASIC,), r"1\.5|slow|under|limit"),
    ("HEALTH-02", "left-out", "a component left out", _live(components="left_out"), (_DETAILED,), "cache"),
    (
        "HEALTH-02",
        "says-up",
        "says up while the single endpoint says down",
        World(faults={"green": {"components": "detailed_says_up"}, "external": {"down": True}}),
        (_DETAILED, _EXTERNAL),
        "up",
    ),
    (
        "HEALTH-03",
        "stopped",
        "database stopped",
        World(faults={"database": {"stopped": True}}),
        _WITHOUT_DATABASE,
        "cannot be used",
    ),
    (
        "HEALTH-03",
        "read-only",
        "database read-only",
        World(faults={"database": {"read_only": True}}),
        _WITHOUT_DATABASE,
        "write",
    ),
    ("HEALTH-04", "stopped", "cache stopped", World(faults={"cache": {"stopped": True}}), _WITHOUT_CACHE, "cache"),
    (
        "HEALTH-05",
        "hangs",
        "dependency hangs",
        World(faults={"external": {"hang": True}}),
        (_DETAILED, _EXTERNAL),
        "external",
    ),
    (
        "API-01",
        "field-missing",
        "field missing",
        _live(status_field_missing=True),
        (_STATUS,),
        "required|missing|lacks",
    ),
    ("API-02", "alg-none", "accepts alg none", _live(auth="accepts_alg_none"), (_GENUINE,), "none"),
    ("API-02", "expired", "accepts an expired token", _live(auth="accepts_expired"), (_GENUINE,), "expired"),
)

_HEADERS = (
    ("VAL-08", "hsts-zero", "max-age=0", _live(headers="hsts_zero"), (_PAGES,), "max-age"),
    (
        "VAL-08",
        "hsts-twice",
        "header sent twice with different values",
        _live(headers="hsts_twice"),
        (_PAGES,),
        "twice|two|different",
    ),
    (
        "VAL-08",
        "not-on-errors",
        "missing on error answers only",
        _live(headers="missing_on_errors"),
        (_PAGES,),
        "missing|absent|not sent|401|404",
    ),
    ("VAL-08", "cookie-insecure", "cookie without Secure", _live(headers="cookie_insecure"), (_PAGES,), "Secure"),
)


def _table(
    rows: tuple[tuple[str, str, str, World, tuple[str, ...], str], ...], watched: tuple[str, ...]
) -> list[Defect]:
    return [
        Defect(control=c, slug=s, break_=b, plant=p, watched=watched, expected=e, says=says)
        for c, s, b, p, e, says in rows
    ]


DEFECTS = (*_table(_FIRST, TLS), *_table(_ENDPOINTS, (*ENDPOINTS,)), *_table(_HEADERS, HEADERS))
