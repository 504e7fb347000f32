"""How numbers are said to people. Pure."""

from __future__ import annotations

from datetime import UTC, datetime

from rollout.record import Record

_MINUTE, _HOUR = 60, 3600


def duration(seconds: float) -> str:
    """5 s, 2 min, 2 min 5 s, 1 h 4 min; never negative."""
    whole = max(0, round(seconds))
    if whole < _MINUTE:
        return f"{whole} s"
    if whole < _HOUR:
        minutes, rest = divmod(whole, _MINUTE)
        return f"{minutes} min" + (f" {rest} s" if rest else "")
    hours, rest = divmod(whole, _HOUR)
    return f"{hours} h" + (f" {rest // _MINUTE} min" if rest >= _MINUTE else "")


def moment(epoch_seconds: float | None) -> str:
    """2026-11-23 10:00:00Z; a dash for no time."""
    if epoch_seconds is None:
        return "-"
    return f"{datetime.fromtimestamp(epoch_seconds, tz=UTC):%Y-%m-%d %H:%M:%SZ}"


def percent(value: float | None) -> str:
    return "unknown" if value is None else f"{value:g} %"


def sides(record: Record) -> str:
    """1.0.0 (green) -> 1.1.0 (blue): from the stable side to the candidate."""
    before = record.stable_version or "what is live"
    return f"{before} ({record.stable}) -> {record.version_name} ({record.candidate})"


def many(count: int, what: str) -> str:
    return f"{count} {what}" if count == 1 else f"{count} {what}s"
