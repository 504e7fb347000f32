"""How the report of a good load run is changed into that of a wrong one; each function one defect.

Figures, parts and histograms stay those of one run: what turns red is the run, not the editing of its report.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from hdrh.histogram import HdrHistogram

from rehearsal.loads import DIRECTORY, REPORT_FILE
from tests.defects.evidence import Evidence

Report = dict[str, Any]
Change = Callable[[Report], None]
_RANGE = (1, 120_000_000, 3)
_SLOW_SHARE = 0.06
_QUANTILES = {"p50": 0.5, "p95": 0.95, "p99": 0.99}


def load_report(change: Change) -> Callable[[Evidence], None]:
    """A doctor that changes the report in a rehearsal's result."""

    def doctor(evidence: Evidence) -> None:
        path = Path(evidence.directory) / DIRECTORY / REPORT_FILE
        report: Report = json.loads(path.read_text(encoding="utf-8"))
        change(report)
        path.write_text(json.dumps(report), encoding="utf-8")

    return doctor


def slowed_to(milliseconds: float) -> Change:
    """Six requests in a hundred of every kind took this long; evenly over the run."""

    def change(report: Report) -> None:
        names: Mapping[str, Report] = report["names"]
        for row in names.values():
            values = [_slowed(_values(part["histogram"]), round(milliseconds * 1000)) for part in row["parts"]]
            _rewrite(row, values)
        whole = [[value for row in names.values() for value in _values(row["parts"][i]["histogram"])] for i in range(9)]
        _rewrite(report["all"], whole)
        # A decoded time is its bucket's least: what was at the limit would be under it.
        report["all"]["at_or_over_limit"] = sum(row["at_or_over_limit"] for row in names.values())

    return change


def _values(encoded: str) -> list[int]:
    """Microseconds, one for each request, from the quickest on."""
    histogram = HdrHistogram.decode(encoded)
    return [
        histogram.get_value_from_index(index)
        for index in range(histogram.counts_len)
        for _ in range(histogram.get_count_at_index(index))
    ]


def _slowed(values: Sequence[int], microseconds: int) -> list[int]:
    slow = math.ceil(_SLOW_SHARE * len(values))
    return sorted([*values[: len(values) - slow], *[microseconds] * slow])


def _encoded(values: Iterable[int]) -> str:
    histogram = HdrHistogram(*_RANGE)
    for value in values:
        histogram.record_value(value)
    return str(histogram.encode().decode("ascii"))


def _rewrite(row: Report, parts: Sequence[Sequence[int]]) -> None:
    """The figures of one kind of request from its times, by ninths of the run; nothing of it is without a time."""
    values = sorted(value for part in parts for value in part)
    assert row["unfinished"] == row["missed"] == 0, "the good run lost requests; adapt the defect"
    limit = row["limit_milliseconds"] * 1000
    row |= {name: values[math.ceil(share * len(values)) - 1] / 1000 for name, share in _QUANTILES.items()}
    row |= {"p95_low": row["p95"], "p95_high": row["p95"], "maximum": values[-1] / 1000}
    row |= {"at_or_over_limit": sum(value >= limit for value in values), "histogram": _encoded(values)}
    row["parts"] = [{"lost": 0, "histogram": _encoded(part)} for part in parts]


def another_digest(report: Report) -> None:
    report["subject"]["image_digest"] = f"sha256:{'0' * 64}"


def four_fifths_of_the_rate(report: Report) -> None:
    for row in report["series"]:
        row["sent"] = row["answered"] = round(0.8 * row["sent"])


def cut_short(report: Report) -> None:
    """An operator ended it after nine seconds of measuring."""
    report["window"] |= {"measured_seconds": 9.0, "cut": "ended by Ctrl-C after 11.0 s"}


def lost_worker(report: Report) -> None:
    sentence = "worker w1 was lost after 9.2 s: nothing was heard of it for 8 s"
    report["workers"]["ended"] -= 1
    report["workers"]["lost"].append({"id": "w1", "elapsed_seconds": 9.2, "sentence": sentence})
