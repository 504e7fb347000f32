"""Defects of a load run: boundaries in the report of a good one, gross values in real runs."""

from __future__ import annotations

from rehearsal.catalogue import LOAD, RELEASE
from tests.defects import doctoring_load as doctoring
from tests.defects.model import Defect, Recorded, Rehearsed

_BEFORE = ("features/pre_deployment/performance.feature", "features/compliance/response_time.feature")
_LIVE = ("features/post_deployment/load.feature",)

_TIMES = "Slow requests and rare stalls stay under their limits"
_CARRIED = "The expected traffic was carried in time"
_WHOLE = "The load run was whole to its end"
_REACHED = "The expected traffic is reached and held"
_IN_TIME = "Response times hold on the public address"
_SUFFICE = "Processor and memory suffice under the expected traffic"
_LASTS = "Performance holds under live traffic and does not wear off"

_Row = tuple[str, str, str, Recorded | Rehearsed, tuple[str, ...], str]


def _doctored(rehearsal: str, change: doctoring.Change) -> Recorded:
    return Recorded(rehearsal=rehearsal, doctor=doctoring.load_report(change))


def _at_full_share(**dials: object) -> Rehearsed:
    return Rehearsed(rehearsal=RELEASE, plant={"at_share": {"100": {"candidate": dials}}})


_ON_THE_CANDIDATE: tuple[_Row, ...] = (
    (
        *("QG-03", "at-the-limit", "200.0 ms", _doctored(LOAD, doctoring.slowed_to(200.0))),
        *((_TIMES, _CARRIED, _WHOLE), r"p95 of all requests 200\.\d ms, limit 200\.0 ms"),
    ),
    (
        "QG-03",
        "stalls",
        "a one-second stall every ten seconds (true p95 about 640 ms, a closed loop reports 140)",
        Rehearsed(rehearsal=LOAD, plant={"before": {"candidate": {"stall_ms": 1000, "stall_every_ms": 10_000}}}),
        (_TIMES, _CARRIED, _WHOLE),
        r"p95 of all requests [4-9]\d\d\.\d ms, limit 200\.0 ms",
    ),
    (
        *("PRE-08", "201-ms", "p95 of 201 ms", _doctored(LOAD, doctoring.slowed_to(201.0))),
        *((_TIMES, _CARRIED, _WHOLE), r"p95 of all requests 201\.\d ms, limit 200\.0 ms"),
    ),
    (
        *("PRE-08", "another-version", "report of another version", _doctored(LOAD, doctoring.another_digest)),
        *((_TIMES, _CARRIED, _WHOLE), "report of another version: its image digest is sha256:0000"),
    ),
    (
        *("PRE-08", "rate", "run that never reached the expected rate"),
        *(
            _doctored(LOAD, doctoring.four_fifths_of_the_rate),
            (_CARRIED, _WHOLE),
            r"[78]\d\.\d % of \d+ requests a second",
        ),
    ),
    (
        *("PRE-14", "cut-short", "a run cut short", _doctored(LOAD, doctoring.cut_short)),
        *((_WHOLE,), "the run was cut short: ended by Ctrl-C"),
    ),
    (
        *("PRE-14", "lost-worker", "a lost worker", _doctored(LOAD, doctoring.lost_worker)),
        *((_WHOLE,), "a worker was lost: .*w1 was lost after 9.2 s"),
    ),
)

# Five milliseconds more in every second: 95 ms at the end, far from every limit, but growing.
_CREEPING = [{"candidate": {"latency_ms": 8 * second}} for second in range(1, 20)]

_UNDER_LIVE_TRAFFIC: tuple[_Row, ...] = (
    (
        *("VAL-04", "rate", "rate not reached", _doctored(RELEASE, doctoring.four_fifths_of_the_rate)),
        *((_REACHED, _LASTS), r"[78]\d\.\d % of \d+ requests a second"),
    ),
    (
        *("VAL-05", "slow", "p95 over", _at_full_share(latency_ms=260)),
        *((_IN_TIME, _LASTS), r"p95 of all requests [23]\d\d\.\d ms, limit 200\.0 ms"),
    ),
    (
        *("VAL-06", "burns", "CPU over", _at_full_share(cpu_percent=80)),
        *((_SUFFICE, _LASTS), r"GATE-03 [789]\d\.?\d* %, CPU < 70 %"),
    ),
    (
        *("POST-02", "leak", "p95 grows with time (leak)"),
        *(Rehearsed(rehearsal=RELEASE, plant={"under_load": _CREEPING}), (_LASTS,), r"the p95 surely grew by \d+ ms"),
    ),
)


def _defect(row: _Row, watched: tuple[str, ...]) -> Defect:
    control, slug, break_, plant, expected, says = row
    return Defect(control=control, slug=slug, break_=break_, plant=plant, watched=watched, expected=expected, says=says)


DEFECTS = (
    *(_defect(row, _BEFORE) for row in _ON_THE_CANDIDATE),
    *(_defect(row, _LIVE) for row in _UNDER_LIVE_TRAFFIC),
)
