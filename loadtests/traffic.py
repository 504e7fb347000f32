"""Reads a file of expected traffic (traffic.toml): who comes, how often, and for how long.

The file comes from outside: what is not known is refused, and every complaint names the place.
"""

from __future__ import annotations

import hashlib
import math
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

SCHEMA = 1
POISSON, CONSTANT = "poisson", "constant"
_BYTES_MAX = 64 * 1024
_PER_SECOND_MAX = 1_000_000
_SECONDS_MAX = 7 * 24 * 3600
_PERCENT_MAX = 100_000


class BadTraffic(ValueError):
    """The file cannot be used; the text names the place and what is right."""


@dataclass(frozen=True, kw_only=True)
class Stage:
    """A time in which the rate goes in a straight line from `from_percent` to `percent` of the declared rate."""

    seconds: float
    from_percent: float
    percent: float


@dataclass(frozen=True, kw_only=True)
class Profile:
    """How the rate goes over time. `breaking_point`: each stage is judged alone, and the first that fails ends it."""

    name: str
    warm_up_seconds: float
    stages: tuple[Stage, ...]
    breaking_point: bool = False

    @property
    def seconds(self) -> float:
        """Of the whole profile, warm-up included."""
        return math.fsum(stage.seconds for stage in self.stages)


@dataclass(frozen=True, kw_only=True)
class Traffic:
    """What is sent. `mix`: the weight of each visit among the arrivals; `sha256`: of the file as it was read."""

    name: str
    arrivals: str
    arrivals_per_second: float
    in_flight_max: int
    timeout_seconds: float
    seed: int | None
    mix: Mapping[str, float]
    profile: Profile
    sha256: str

    @property
    def arrivals_expected(self) -> float:
        """Of the whole profile, warm-up included."""
        means = (stage.seconds * (stage.from_percent + stage.percent) / 200 for stage in self.profile.stages)
        return self.arrivals_per_second * math.fsum(means)

    def scaled(self, *, seconds: float | None = None, per_second: float | None = None) -> Traffic:
        """The same in another time (every stage stretched alike, the warm-up not) or at another rate.

        Raises BadTraffic.
        """
        changed = self
        if per_second is not None:
            _demand(0 < per_second <= _PER_SECOND_MAX, f"--rate: from above 0 to {_PER_SECOND_MAX}, not {per_second:g}")
            changed = replace(changed, arrivals_per_second=per_second)
        if seconds is not None:
            _demand(0 < seconds <= _SECONDS_MAX, f"--seconds: from above 0 to {_SECONDS_MAX}, not {seconds:g}")
            factor = seconds / self.profile.seconds
            stages = tuple(replace(stage, seconds=stage.seconds * factor) for stage in self.profile.stages)
            changed = replace(changed, profile=replace(self.profile, stages=stages))
            _demand_time_to_measure(changed.profile, "--seconds")
        return changed


def read_traffic(raw: bytes, *, profile: str) -> Traffic:
    """The traffic in a file's bytes with one of its profiles. Raises BadTraffic."""
    _demand(len(raw) <= _BYTES_MAX, f"the file has more than {_BYTES_MAX} bytes")
    try:
        document = tomllib.loads(raw.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise BadTraffic(f"not TOML in UTF-8: {error}") from error
    table = _Table(document, "")
    _demand(table.take("schema") == SCHEMA, f"schema: this is read as schema {SCHEMA}")
    head, mix = table.table("traffic"), table.table("mix")
    profiles = {name: _profile(name, entry) for name, entry in table.table("profiles").tables()}
    table.finish()
    _demand(profile in profiles, f"profiles: there is no {profile!r}, only {', '.join(profiles) or 'nothing'}")
    arrivals = head.text("arrivals", "constant or poisson")
    _demand(arrivals in (POISSON, CONSTANT), "traffic.arrivals: constant or poisson")
    traffic = Traffic(
        name=head.text("name", "a name for the report"),
        arrivals=arrivals,
        arrivals_per_second=head.number("arrivals_per_second", above=0, most=_PER_SECOND_MAX),
        in_flight_max=head.whole("in_flight_max", least=1, most=1_000_000),
        timeout_seconds=head.number("timeout_seconds", above=0, most=60),
        seed=head.whole("seed", least=0, most=2**63 - 1) if head.has("seed") else None,
        mix=_mix(mix),
        profile=profiles[profile],
        sha256=hashlib.sha256(raw).hexdigest(),
    )
    head.finish()
    return traffic


def _mix(table: _Table) -> dict[str, float]:
    mix = {name: table.number(name, above=None, most=1_000_000) for name in table.names()}
    _demand(sum(mix.values()) > 0, "mix: at least one visit needs a weight above 0")
    return mix


def _profile(name: str, table: _Table) -> Profile:
    stages = tuple(map(_stage, table.each("stages")))
    warm_up_seconds = table.number("warm_up_seconds", above=None, most=_SECONDS_MAX)
    breaking_point = table.take("breaking_point") if table.has("breaking_point") else False
    _demand(isinstance(breaking_point, bool), f"{table.place}breaking_point: true or false")
    table.finish()
    _demand(bool(stages), f"{table.place}stages: at least one")
    profile = Profile(name=name, warm_up_seconds=warm_up_seconds, stages=stages, breaking_point=breaking_point)
    _demand(any(stage.percent + stage.from_percent > 0 for stage in stages), f"{table.place}stages: nobody ever comes")
    _demand(profile.seconds <= _SECONDS_MAX, f"{table.place}stages: at most {_SECONDS_MAX} seconds together")
    _demand_time_to_measure(profile, f"{table.place}warm_up_seconds")
    return profile


def _demand_time_to_measure(profile: Profile, place: str) -> None:
    said = f"the warm-up of {profile.warm_up_seconds:g} s leaves nothing of {profile.seconds:g} s to be measured"
    _demand(profile.warm_up_seconds < profile.seconds, f"{place}: {said}")


def _stage(table: _Table) -> Stage:
    seconds = table.number("seconds", above=0, most=_SECONDS_MAX)
    percent = table.number("arrivals_percent", above=None, most=_PERCENT_MAX)
    begins = table.number("from_percent", above=None, most=_PERCENT_MAX) if table.has("from_percent") else percent
    table.finish()
    return Stage(seconds=seconds, from_percent=begins, percent=percent)


def _demand(right: bool, said: str) -> None:
    if not right:
        raise BadTraffic(said)


class _Table:
    """A table of the file from which everything must be taken, and that knows its place for complaints."""

    def __init__(self, values: Any, place: str) -> None:
        _demand(isinstance(values, dict), f"{place.rstrip('.')}: must be a table")
        self._left = dict(values)
        self.place = place

    def has(self, name: str) -> bool:
        return name in self._left

    def names(self) -> tuple[str, ...]:
        return tuple(self._left)

    def take(self, name: str) -> Any:
        _demand(name in self._left, f"{self.place}{name}: is missing")
        return self._left.pop(name)

    def table(self, name: str) -> _Table:
        return _Table(self.take(name), f"{self.place}{name}.")

    def tables(self) -> Sequence[tuple[str, _Table]]:
        return [(name, self.table(name)) for name in self.names()]

    def each(self, name: str) -> list[_Table]:
        values = self.take(name)
        _demand(isinstance(values, list), f"{self.place}{name}: must be a list of tables")
        return [_Table(value, f"{self.place}{name}[{number}].") for number, value in enumerate(values)]

    def text(self, name: str, right: str) -> str:
        value = self.take(name)
        _demand(isinstance(value, str) and 0 < len(value) <= 100, f"{self.place}{name}: {right}")
        return str(value)

    def number(self, name: str, *, above: float | None, most: float) -> float:
        """A finite number above `above`, or from 0 on where that is None, up to `most`."""
        value = self.take(name)
        fits = isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= most
        least = "0" if above is None else f"above {above:g}"
        _demand(fits and (above is None or value > above), f"{self.place}{name}: a number from {least} to {most:g}")
        return float(value)

    def whole(self, name: str, *, least: int, most: int) -> int:
        value = self.take(name)
        fits = isinstance(value, int) and not isinstance(value, bool) and least <= value <= most
        _demand(fits, f"{self.place}{name}: a whole number from {least} to {most}")
        return int(value)

    def finish(self) -> None:
        """Raises BadTraffic for what nobody took."""
        _demand(not self._left, f"{self.place}{next(iter(self._left), '')}: is not known here")
