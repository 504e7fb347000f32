"""The record in formats of others: .hlog for tools of HdrHistogram, CSV for spreadsheets."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from hdrh.log import HistogramLogWriter

from loadtests.histogram import decode, hdr, rank_of, value_at_rank
from loadtests.report import write_text
from loadtests.tally import Slice

HLOG_NAME, LATENCY_NAME, SERIES_NAME = "latency.hlog", "latency.csv", "series.csv"
# Where customers live, and the tail in steps of the nines.
QUANTILES = (0.25, 0.5, 0.75, 0.9, 0.95, 0.975, 0.99, 0.995, 0.999, 0.9999, 0.99999)
_SERIES = ("second", "seconds", "wanted", "sent", "answered", "failures", "p50", "p95", "p99")
_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def write_exports(directory: Path, report: Mapping[str, Any], series: Sequence[Slice]) -> tuple[Path, ...]:
    """Write latency.hlog, latency.csv and series.csv; their paths. Raises OSError."""
    texts = {
        HLOG_NAME: hlog(report, series),
        LATENCY_NAME: latency_csv(report),
        SERIES_NAME: series_csv(report),
    }
    for name, text in texts.items():
        write_text(directory / name, text)
    return tuple(directory / name for name in texts)


def hlog(report: Mapping[str, Any], series: Sequence[Slice]) -> str:
    """The measured time as a histogram log, version 1.2: one interval for each slice, all names, microseconds.

    Intervals are in seconds since the start of the test, which is the base time. (The writer's `output_start_time`
    of hdrhistogram 0.10.8 calls a method that does not exist; the base time says the same.)
    """
    text = io.StringIO()
    writer = HistogramLogWriter(text)
    writer.output_log_format_version()
    writer.output_comment(f"[load run {report['run_id']}, all requests by intended time, microseconds]")
    writer.output_base_time(datetime.fromisoformat(report["started"]).timestamp() * 1000)
    writer.output_legend()
    warm_up = report["traffic"]["warm_up_seconds"]
    for one in series:
        if one.start_seconds >= 0 and one.tally.counts:
            start = one.start_seconds + warm_up
            # The writer takes 0 for "not given" and would then read a time stamp that was never set: 0 as well.
            writer.output_interval_histogram(hdr(one.tally.counts), start, start + one.seconds, 1000.0)
    return text.getvalue()


def latency_csv(report: Mapping[str, Any]) -> str:
    """name, quantile, milliseconds: empty where the quantile falls on a request without an answer."""
    rows: list[Sequence[object]] = []
    for name, one in (("all", report["all"]), *report["names"].items()):
        counts, n = decode(one["histogram"]), one["requests"]
        for quantile in QUANTILES if n else ():
            value = value_at_rank(counts, rank_of(quantile, n))
            rows.append((_cell(name), quantile, "" if value is None else min(value / 1000, one["maximum"])))
        rows.append((_cell(name), 1, one["maximum"] if n and not one["unfinished"] + one["missed"] else ""))
    return _csv(("name", "quantile", "milliseconds"), rows)


def series_csv(report: Mapping[str, Any]) -> str:
    """The series of the report, a line for each point."""
    return _csv(_SERIES, ([point[field] for field in _SERIES] for point in report["series"]))


def _csv(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(head)
    writer.writerows(rows)
    return text.getvalue()


def _cell(text: str) -> str:
    """A name of request is user data: a spreadsheet must not run it as a formula."""
    return "'" + text if text.startswith(_FORMULA) else text
