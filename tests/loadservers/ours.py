"""A run of the load tests against a known server: files of traffic and thresholds of its own, the command, its report."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

# What a short run against a known server may be judged by; a run of a service has stricter ones (thresholds.toml).
THRESHOLDS: Mapping[str, float] = {
    "p95_milliseconds_max": 200,
    "p99_milliseconds_max": 2000,
    "maximum_milliseconds_max": 10_000,
    "error_rate_percent_max": 0.1,
    "rate_reached_percent_min": 95,
    "requests_min": 100,
    "requests_per_name_min": 20,
    "measured_seconds_min": 1,
    "confidence": 0.95,
    "lateness_p99_milliseconds_max": 10,
    "missed_max": 0,
}


@dataclass(frozen=True)
class LoadRun:
    """One run: where to, how much, how long, judged by what. `seconds` includes the warm-up."""

    url: str
    directory: Path
    rate: float
    seconds: float
    warm_up_seconds: float = 1.0
    mix: Mapping[str, float] = field(default_factory=lambda: {"status": 1})
    thresholds: Mapping[str, float] = field(default_factory=dict)
    arrivals: str = "constant"
    in_flight_max: int = 4000
    timeout_seconds: float = 5.0
    options: tuple[str, ...] = ()

    def command(self) -> list[str]:
        """`python -m loadtests run` with files written to the run's directory; to be started in the repository."""
        self.directory.mkdir(parents=True, exist_ok=True)
        traffic, thresholds = self.directory / "traffic.toml", self.directory / "thresholds.toml"
        traffic.write_text(self._traffic(), encoding="utf-8")
        wanted = {"schema": 1, **THRESHOLDS, **self.thresholds}
        thresholds.write_text("".join(f"{name} = {value}\n" for name, value in wanted.items()), encoding="utf-8")
        return [
            sys.executable, "-m", "loadtests", "run", "--host", self.url, "--profile", "steady",
            "--traffic", str(traffic), "--thresholds", str(thresholds), "--report", str(self.report), *self.options,
        ]  # fmt: skip

    @property
    def report(self) -> Path:
        """The directory of the report."""
        return self.directory / "report"

    def document(self) -> dict[str, Any]:
        """loadreport.json. Raises FileNotFoundError when the run wrote none."""
        document: dict[str, Any] = json.loads((self.report / "loadreport.json").read_text(encoding="utf-8"))
        return document

    def _traffic(self) -> str:
        mix = "".join(f"{name} = {weight}\n" for name, weight in self.mix.items())
        return (
            f'schema = 1\n[traffic]\nname = "known server"\narrivals = "{self.arrivals}"\n'
            f"arrivals_per_second = {self.rate}\nin_flight_max = {self.in_flight_max}\n"
            f"timeout_seconds = {self.timeout_seconds}\n[mix]\n{mix}[profiles.steady]\n"
            f"warm_up_seconds = {self.warm_up_seconds}\n"
            f"stages = [{{ seconds = {self.seconds}, arrivals_percent = 100 }}]\n"
        )
