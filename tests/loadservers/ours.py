"""A run of the load tests against a known server: its own files of traffic and thresholds, the command, the report."""

from __future__ import annotations

import json
import secrets
import sys
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.loadservers.answers import CLIENT_ID

_ROOT = Path(__file__).resolve().parents[2]
VISITS = ("health", "status", "obtain_token", "use_token", "refresh_token", "write_and_read", "rate_limited")
# Where a short run against a known server is judged otherwise than a run of a service (loadtests/thresholds.toml).
SHORT: Mapping[str, float] = {
    "p99_milliseconds_max": 2000,
    "maximum_milliseconds_max": 10_000,
    "requests_min": 100,
    "measured_seconds_min": 1,
}


@dataclass(frozen=True)
class LoadRun:
    """One run: where to, how much, how long, judged by what. `seconds` includes the warm-up."""

    url: str
    directory: Path
    rate: float
    seconds: float
    warm_up_seconds: float = 1.0
    # Weights of visits; whoever is not named stays away.
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
        shipped = tomllib.loads((_ROOT / "loadtests" / "thresholds.toml").read_text(encoding="utf-8"))
        credentials = self.directory / "credentials.json"
        secret = {"client_id": CLIENT_ID, "client_secret": secrets.token_urlsafe(16)}
        credentials.write_text(json.dumps(secret), encoding="utf-8")
        wanted = {**shipped, **SHORT, **self.thresholds}
        thresholds.write_text("".join(f"{name} = {value}\n" for name, value in wanted.items()), encoding="utf-8")
        return [
            sys.executable, "-m", "loadtests", "run", "--host", self.url, "--profile", "steady",
            "--traffic", str(traffic), "--thresholds", str(thresholds), "--report", str(self.report),
            "--credentials", str(credentials), *self.options,
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
        mix = "".join(f"{name} = {self.mix.get(name, 0)}\n" for name in VISITS)
        return (
            f'schema = 1\n[traffic]\nname = "known server"\narrivals = "{self.arrivals}"\n'
            f"arrivals_per_second = {self.rate}\nin_flight_max = {self.in_flight_max}\n"
            f"timeout_seconds = {self.timeout_seconds}\n[mix]\n{mix}[profiles.steady]\n"
            f"warm_up_seconds = {self.warm_up_seconds}\n"
            f"stages = [{{ seconds = {self.seconds}, arrivals_percent = 100 }}]\n"
        )
