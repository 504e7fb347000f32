"""What a known server does, as one value that travels to its process as JSON."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field


@dataclass(frozen=True)
class Stall:
    """The whole server answers nothing for `length_seconds`, once every `period_seconds`, first after one period.

    The process itself stays awake, so that it can note when the requests of the stall came in; from outside it is a
    stop-the-world pause. A request that comes in a stall begins when the stall ends; an answer due in one waits for it.
    """

    period_seconds: float = 10.0
    length_seconds: float = 1.0

    def end_if_within(self, seconds: float) -> float:
        """The moment itself, or the end of the stall that it lies in; seconds since the server's start."""
        number = seconds // self.period_seconds
        if number < 1 or seconds - number * self.period_seconds >= self.length_seconds:
            return seconds
        return number * self.period_seconds + self.length_seconds


@dataclass(frozen=True)
class Behaviour:
    """A known server. Percentages are exact in every thousand requests; `law` is a text of `laws.law_of`."""

    law: str = "constant:0"
    stall: Stall | None = None
    hang_percent: float = 0.0  # never answered
    error_percent: float = 0.0  # answered at once with status 500
    login_fails: bool = False  # POST /oauth2/token answers 401
    leak_milliseconds_per_second: float = 0.0  # added to every latency, per second since the lane's first request
    seed: int = 1

    def to_json(self) -> str:
        return json.dumps(asdict(self))

    @staticmethod
    def from_json(text: str) -> Behaviour:
        """The inverse of `to_json`. Raises TypeError for names that no behaviour has."""
        values = json.loads(text)
        stall = values.pop("stall", None)
        return Behaviour(stall=None if stall is None else Stall(**stall), **values)


@dataclass(frozen=True)
class Percentiles:
    """Of n latencies, in milliseconds, by nearest rank: the smallest value that at least that share stays within."""

    n: int
    p50: float
    p95: float
    p99: float
    maximum: float
    at_or_over: dict[str, int] = field(default_factory=dict)
