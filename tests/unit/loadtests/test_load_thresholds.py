"""The file of thresholds: what it says is used, and what cannot be right is refused with its line."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import pytest

import loadtests
from loadtests.thresholds import BadThresholds, parse_thresholds, read_thresholds_file, thresholds_from

SHIPPED = Path(loadtests.__file__).parent / "thresholds.toml"
TEXT = SHIPPED.read_text(encoding="utf-8")


def test_the_shipped_file_holds_what_the_guide_asks_for() -> None:
    thresholds = read_thresholds_file(SHIPPED)

    assert thresholds.p95_milliseconds_max == 200
    assert thresholds.error_rate_percent_max == 0.1
    assert thresholds.missed_max == 0
    assert thresholds.limits_seconds() == {"*": 0.2}
    assert len(thresholds.sha256) == 64


def test_a_name_inherits_what_it_does_not_say() -> None:
    thresholds = parse_thresholds((TEXT + '\n[names."POST /oauth2/token"]\np95_milliseconds_max = 300\n').encode())

    assert thresholds.limits("POST /oauth2/token").p95_milliseconds_max == 300
    assert thresholds.limits("POST /oauth2/token").p99_milliseconds_max == 1000
    assert thresholds.limits("GET /health").p95_milliseconds_max == 200
    assert thresholds.limits_seconds() == {"*": 0.2, "POST /oauth2/token": 0.3}


def test_what_a_report_carries_reads_back() -> None:
    thresholds = parse_thresholds((TEXT + '\n[names."GET /x"]\np99_milliseconds_max = 300\n').encode())

    assert thresholds_from(asdict(thresholds)) == thresholds


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("schema = 1", "schema = 2", "line 2: write schema = 1"),
        ("requests_min = 1000", "requests_minimum = 1000", "line 8: requests_minimum is not known"),
        ("requests_min = 1000", "", "requests_min is missing"),
        ("requests_min = 1000", "requests_min = 0", "line 8: requests_min must be a whole number above 0"),
        ("requests_min = 1000", "requests_min = 10.5", "line 8"),
        ("requests_min = 1000", "requests_min = true", "line 8"),
        ("confidence = 0.95", "confidence = 1.0", "line 11: confidence"),
        ("confidence = 0.95", "confidence = nan", "line 11: confidence"),
        ("p95_milliseconds_max = 200 ", "p95_milliseconds_max = -1 ", "line 3: p95_milliseconds_max"),
        ("p95_milliseconds_max = 200 ", "p95_milliseconds_max = inf ", "line 3: p95_milliseconds_max"),
        ("p95_milliseconds_max = 200 ", 'p95_milliseconds_max = "200" ', "line 3: p95_milliseconds_max"),
        ("missed_max = 0", "missed_max = -1", "line 13: missed_max"),
        ("schema = 1", "schema = 1\nnames = 3", "line 3: write [names."),
        ("schema = 1", "schema 1", "line 2"),
    ],
)
def test_what_cannot_be_right_is_refused_with_its_line(old: str, new: str, says: str) -> None:
    assert old in TEXT

    with pytest.raises(BadThresholds) as refused:
        parse_thresholds(TEXT.replace(old, new, 1).encode())

    assert says in str(refused.value)


def test_a_mistake_below_a_name_is_found_there() -> None:
    text = TEXT + '\n[names."GET /x"]\np95_milliseconds_max = 0\n'

    with pytest.raises(BadThresholds, match=f"line {len(text.splitlines())}: p95_milliseconds_max must be"):
        parse_thresholds(text.encode())


@pytest.mark.parametrize("raw", [b"\xff\xfe", b"#" * 70_000, b"a=" + b"[" * 5000])
def test_what_is_no_file_of_thresholds_is_refused(raw: bytes) -> None:
    with pytest.raises(BadThresholds):
        parse_thresholds(raw)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadThresholds, match=r"none\.toml: cannot be read"):
        read_thresholds_file(tmp_path / "none.toml")
