"""Defects of a release, planted for real: a whole rollout with one more fault, read by the scenarios of its domain."""

from __future__ import annotations

from collections.abc import Callable

from rehearsal.catalogue import RELEASE
from sandbox.client import Sandbox
from tests.defects.accounts import (
    accept_any_answer,
    check_a_deep_path,
    check_an_accepting_path,
    check_sides_differently,
    lead_test_route_to_stable,
    open_test_route,
)
from tests.defects.model import Defect, Rehearsed, Undo

CANDIDATE = ("features/deployment/candidate.feature",)
BOTH_SIDES = ("features/deployment/both_sides.feature",)
STABILITY = ("features/deployment/stability.feature",)
GATES = ("features/deployment/gates.feature", "features/deployment/canary.feature", "-k", "passed_at or stayed_within")
SHARES = ("features/deployment/canary.feature", "-k", "really_moved")
NO_FAILURE = ("features/deployment/canary.feature", "-k", "no_request_fails")

RUNS_IMAGE = "The candidate runs the released image in several zones"
HEALTHY = "The candidate is healthy before it takes a customer"
TARGETS = "All targets of both sides are healthy"
IMAGE_ONLY = "Only the candidate's service gets the new image"
OWN_ADDRESS = "The candidate is reached on its own address only"
SAME_CHECK = "Both sides answer the same shallow health check"
NEVER_READY = (RUNS_IMAGE, HEALTHY, TARGETS, IMAGE_ONLY, OWN_ADDRESS, SAME_CHECK)
STAGES = (
    "The candidate's error rate passed at every stage",
    "The candidate's response time passed at every stage",
    "The candidate's CPU passed at every stage",
    "The candidate's memory passed at every stage",
    "Performance stayed within range at every stage",
)
REALLY_MOVED = "Customers really moved in these shares and in this order"
NAME_FOLLOWS = "The live name follows before the old side goes"
NAMES_DECLARED = "The change of names is declared and can be undone"
NOT_CUT_OFF = "The old side is scaled down without cutting anybody off"
WATCHED = "The candidate is watched for 30 minutes with all customers"
SESSIONS = "A signed-in customer goes on on the other side"
LIMITS = "The rate limit is shared by both sides"

# Where what is looked at lies before or at the first shift, an operator takes the release back soon after it.
_SOON = {"abort_after_seconds": 2.0}


def _candidate(**dials: object) -> Rehearsed:
    return Rehearsed(rehearsal=RELEASE, plant={"before": {"candidate": dials}, **_SOON})


def _deed(act: Callable[[Sandbox], Undo]) -> Rehearsed:
    return Rehearsed(rehearsal=RELEASE, plant=_SOON, act=act)


def _release(**plant: object) -> Rehearsed:
    return Rehearsed(rehearsal=RELEASE, plant=plant)


_LEAK = _release(before={"edge": {"candidate_leak": True}})
_Row = tuple[str, str, str, Rehearsed, tuple[str, ...], str]

_BEFORE_CUSTOMERS: tuple[_Row, ...] = (
    (
        *("DUR-01", "never-healthy", "tasks that never become healthy"),
        *(_candidate(health="fail"), NEVER_READY, "never ready.*0 of [123] targets healthy"),
    ),
    ("DUR-01", "one-zone", "all tasks in one zone", _candidate(one_zone=True), (RUNS_IMAGE,), "3 tasks in 1 zones"),
    ("DUR-02", "crashes", "candidate crashes on start", _candidate(crash_on_start=True), NEVER_READY, "tasks.*died"),
    (
        *("DUR-02", "lies", "health answers 200 while a component is down"),
        _release(at_ready={"candidate": {"health": "lie"}, "cache": {"stopped": True}}, **_SOON),
        *((HEALTHY, TARGETS), "down"),
    ),
    (
        *("DUR-04", "database-down", "database down"),
        _release(at_ready={"database": {"stopped": True}}, **_SOON),
        *((HEALTHY, TARGETS), "database"),
    ),
    (
        *("DUR-04", "cache-down", "cache down"),
        _release(at_ready={"cache": {"stopped": True}}, **_SOON),
        *((HEALTHY, TARGETS), "cache"),
    ),
    (
        *("PROC-04", "restart-loop", "tasks in a restart loop"),
        *(_candidate(crash_on_start=True), NEVER_READY, "tasks.*died"),
    ),
    (
        *("PROC-04", "stable-updated", "the stable service updated"),
        _release(before={"cloud": {"stable_scaled_to": 2}}, **_SOON),
        *((IMAGE_ONLY,), "1 of the stable service"),
    ),
    (
        *("PROC-07", "leads-to-stable", "test route leads to stable"),
        *(_deed(lead_test_route_to_stable), (HEALTHY, TARGETS, OWN_ADDRESS), "green"),
    ),
    (
        *("PROC-07", "open", "test route open to the world"),
        *(_deed(open_test_route), (OWN_ADDRESS,), "without|public|answers|open"),
    ),
    (
        *("PROC-07", "leak", "a customer's request reaches the candidate at weight 0"),
        *(_LEAK, (HEALTHY, OWN_ADDRESS), "before the first shift were answered by the candidate"),
    ),
    (
        *("PROC-09", "accepting-path", "path / that always answers 200"),
        *(_deed(check_an_accepting_path), (SAME_CHECK,), "checks /openapi.json"),
    ),
    ("PROC-09", "any-answer", "matcher 200-499", _deed(accept_any_answer), (SAME_CHECK,), "for status 200-499"),
    (
        *("PROC-09", "sides-differ", "blue differs from green"),
        *(_deed(check_sides_differently), (SAME_CHECK,), "differ in check.HealthCheckIntervalSeconds"),
    ),
    (
        *("PROC-09", "deep-path", "deep path that takes every target out with one dependency"),
        *(_deed(check_a_deep_path), (SAME_CHECK,), "checks /health/database"),
    ),
)

_AT_GATES: tuple[_Row, ...] = (
    (
        *("DUR-06", "slow-at-25", "p95 of 210 ms at 25% only"),
        # Gross values on real traffic; 200.0 against 199.9 is decided on the virtual clock.
        *(_release(at_share={"25": {"candidate": {"latency_ms": 260}}}), STAGES, "FAIL GATE-02"),
    ),
    ("DUR-06", "too-few", "too few samples to know", _release(rate=10.0), STAGES, "LOW_SAMPLE"),
    (
        *("GATE-01", "refuses", "candidate that refuses connections (no 5xx of its own)"),
        *(_release(at_shift={"candidate": {"refuse_connections": True}}), STAGES, "FAIL (TRIG-0[15]|GATE-01)"),
    ),
    (
        *("GATE-02", "slow", "candidate p95 of 260 ms"),
        *(_release(at_shift={"candidate": {"latency_ms": 260}}), STAGES, "FAIL GATE-02"),
    ),
    (
        *("GATE-03", "burns", "candidate burns CPU"),
        *(_release(at_shift={"candidate": {"cpu_percent": 80}}), STAGES, "FAIL GATE-03"),
    ),
)

_BOTH_SIDES: tuple[_Row, ...] = (
    ("ARCH-03", "off", "no limit", _candidate(rate_limit="off"), (LIMITS,), "429|limit"),
    (
        *("ARCH-03", "per-process", "limit per process"),
        *(_candidate(rate_limit="per_process"), (LIMITS,), "each process count|count apart"),
    ),
    (
        "ARCH-03",
        "forgets",
        "limit that forgets the client",
        _candidate(rate_limit="forgets"),
        (LIMITS,),
        "the client is forgotten",
    ),
    ("ARCH-11", "own-key", "signing key differs by slot", _candidate(signing_key="own"), (SESSIONS,), "token|401"),
    (
        *("ARCH-11", "other-format", "session format changed"),
        *(_candidate(session_format="changed"), (SESSIONS,), "session|cookie"),
    ),
)

_OTHERS: tuple[tuple[_Row, tuple[str, ...]], ...] = (
    (
        (
            *("DUR-07", "leak", "a second listener rule forgotten"),
            *(_LEAK, (REALLY_MOVED,), "observed share = 5 %"),
        ),
        SHARES,
    ),
    (
        (
            *("DUR-07", "foreign-writer", "a foreign writer changes the weights"),
            _release(at_shift={"cloud": {"foreign_write": 37}}, abort_after_seconds=6.0),
            *((REALLY_MOVED,), r"the listener was given \[5, 37, 5"),
        ),
        SHARES,
    ),
    (
        (
            *("DUR-10", "never-in-sync", "change never INSYNC"),
            *(_release(before={"dns": {"never_insync": True}}), (NAME_FOLLOWS, NAMES_DECLARED, NOT_CUT_OFF), "INSYNC"),
        ),
        STABILITY,
    ),
    (
        (
            *("MET-04", "one-lost", "one lost request at a shift"),
            _release(before={"edge": {"drop_one": True}}, **_SOON),
            *(("No request fails while customers move",), "1 of [0-9]+ requests failed"),
        ),
        NO_FAILURE,
    ),
    (
        (
            *("PROC-11", "scaled-in", "stable scaled in meanwhile"),
            # Somebody scales the side with most customers: at 25 % that is still the stable one.
            _release(at_share={"25": {"cloud": {"stable_scaled_to": 1}}}),
            *((WATCHED,), "found lost [1-9]|1 of 2 tasks"),
        ),
        STABILITY,
    ),
)

# 0.5 % of 750 requests are about four: shown bad at the first gate in seven of ten runs, else at a later one.
_HALF_A_PERCENT = Defect(
    control="GATE-01",
    slug="half-a-percent",
    break_="candidate answers 0.5% errors",
    plant=_release(at_shift={"candidate": {"error_rate": 0.005}}),
    watched=GATES,
    expected=(STAGES[0], STAGES[4]),
    perhaps=STAGES[1:4],
    says="FAIL GATE-01",
)


def _defect(row: _Row, watched: tuple[str, ...]) -> Defect:
    control, slug, break_, plant, expected, says = row
    return Defect(control=control, slug=slug, break_=break_, plant=plant, watched=watched, expected=expected, says=says)


DEFECTS = (
    *(_defect(row, CANDIDATE) for row in _BEFORE_CUSTOMERS),
    *(_defect(row, GATES) for row in _AT_GATES),
    _HALF_A_PERCENT,
    *(_defect(row, BOTH_SIDES) for row in _BOTH_SIDES),
    *(_defect(row, watched) for row, watched in _OTHERS),
)
