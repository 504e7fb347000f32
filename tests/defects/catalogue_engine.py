"""Defects that only a wrong engine shows: mistakes of tests/planted in a copy of the tree."""

from __future__ import annotations

from rehearsal.catalogue import DRILLS
from tests.defects.model import Defect, Patched

TRIGGERS = ("features/rollback/triggers.feature", "-m", "not drill")
GATES = ("features/deployment/gates.feature", "-k", "not passed_at")

_IN_A_ROW = "Errors over 1% for five consecutive minutes"
_NO_DATA = "A minute without data neither counts nor resets"
_ARMED = "The triggers stay armed whatever the rollout waits for"
_SLOW = "Five percent of slow requests are the limit"
_CPU = "CPU over 90% for ten minutes"
_MEMORY = "Memory over 95% for five minutes"
_TARGETS = "More than half of the targets failing for three minutes"
_LAST_STAGE = "The error limit of 0.1% decides the last stage"
_PROJECTION = "CPU and its projection stay under 70%"
_TREND = "Memory and its trend stay under 80%"


def drill_about(words: str) -> str:
    """The one drill whose name holds these words: what is tested outlives a new name for it."""
    (name,) = [name for name in DRILLS if words in name]
    return name


_VIRTUAL = (
    (
        "TRIG-01",
        "errors-not-counted",
        "candidate answers 5% errors",
        "TRIG-01-blind-to-errors",
        (_IN_A_ROW, _NO_DATA, _ARMED),
    ),
    (
        "TRIG-01",
        "refused-not-counted",
        "candidate refuses connections",
        "TRIG-01-blind-to-refused-connections",
        (_IN_A_ROW,),
    ),
    ("TRIG-02", "mean-for-p95", "candidate answers 10% of requests in 800 ms", "TRIG-02-mean-for-p95", (_SLOW,)),
    ("TRIG-03", "cpu-of-the-host", "candidate burns CPU", "TRIG-03-cpu-of-the-host", (_CPU, _MEMORY)),
    ("TRIG-04", "cpu-for-memory", "candidate grows to 97% of its limit", "TRIG-04-reads-cpu-for-memory", (_MEMORY,)),
    ("TRIG-05", "only-when-all-fail", "two of three targets unhealthy", "TRIG-05-only-when-all-fail", (_TARGETS,)),
    ("TRIG-05", "nobody-there", "all targets deregistered", "TRIG-05-no-target-is-no-failure", (_TARGETS,)),
    ("PROC-11", "triggers-off", "triggers off after 100%", "PROC-11-triggers-off-at-full-share", (_ARMED,)),
)

_GATES = (
    ("GATE-01", "silence-passes", "no requests at all", "GATE-01-silence-passes", (_LAST_STAGE,)),
    (
        *("GATE-03", "no-projection", "35% at a quarter of the traffic that would become 140% at full"),
        *("GATE-03-without-projection", (_PROJECTION,)),
    ),
    ("GATE-04", "no-trend", "a leak that reaches 80% before the plan ends", "GATE-04-without-trend", (_TREND,)),
)

_DRILLS = (
    (
        *("RB-01", "waits-for-ecs", "ECS API down during rollback", "RB-01-waits-for-the-container-service"),
        *("container service", "traffic_moves_although", ("Traffic moves although the container service is down",)),
        "only after it had been reported as not verified|did not come to its end",
    ),
    (
        *("RB-01", "empty-side", "stable side scaled to zero", "RB-01-switches-to-an-empty-side", "scaled to zero"),
        *("capacity_comes_first", ("Capacity comes first when nobody is there to take over",)),
        "0 s before|scalings of the stable side|scaled up -",
    ),
    (
        *(
            "RB-02",
            "stays-small",
            "stable scaled in by autoscaling meanwhile",
            "RB-02-leaves-stable-small",
            "scaled in",
        ),
        *("back_at_its_size", ("The stable side is back at its size",), "1 of 2 tasks at the end"),
    ),
    (
        *("RB-03", "unverified-success", "stable unhealthy after the switch", "RB-03-success-without-verification"),
        *("stable side after them", "cannot_be_verified or kept_while"),
        ("A rollback that cannot be verified says so", "The candidate is kept while the stable side is not verified"),
        "12 says not verified",
    ),
    (
        *("RB-09", "shifts-again", "engine tries to shift again afterwards", "RB-09-shifts-again", "emergency"),
        "emergency",
        (
            "One command moves all customers back",
            "The emergency command may be run twice",
            "The engine accepts the emergency and never shifts again",
        ),
        "shares given after the command|never saw it|changed:",
    ),
)


def _virtual(row: tuple[str, str, str, str, tuple[str, ...]], watched: tuple[str, ...]) -> Defect:
    control, slug, break_, patch, expected = row
    return Defect(
        control=control,
        slug=slug,
        break_=break_,
        plant=Patched(patch=patch),
        watched=watched,
        expected=expected,
        says="the feature",
    )


def _drilled(row: tuple[str, str, str, str, str, str, tuple[str, ...], str]) -> Defect:
    control, slug, break_, patch, words, selected, expected, says = row
    return Defect(
        control=control,
        slug=slug,
        break_=break_,
        plant=Patched(patch=patch, rehearsal=drill_about(words)),
        watched=("features/rollback", "-k", selected),
        expected=expected,
        says=says,
    )


DEFECTS = (
    *(_virtual(row, TRIGGERS) for row in _VIRTUAL),
    *(_virtual(row, GATES) for row in _GATES),
    *(_drilled(row) for row in _DRILLS),
)
