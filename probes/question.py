"""A question with its rule: turns what a probe saw into an `Observation`."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import dataclass, replace

from rollout.model import Basis, Observation, Verdict

_WORST_FIRST = (
    Verdict.FAIL,
    Verdict.SOURCE_ERROR,
    Verdict.NO_DATA,
    Verdict.LOW_SAMPLE,
    Verdict.BLOCKED,
    Verdict.DEFERRED,
    Verdict.WAIVED,
    Verdict.PASS,
    Verdict.NOT_APPLICABLE,
)


@dataclass(frozen=True, kw_only=True)
class Question:
    """What is asked: `name` of the observation, `rule` as a sentence, `limit` in `unit`, `source` that answers."""

    name: str
    rule: str
    source: str
    limit: object = None
    unit: str = ""
    basis: Basis = Basis.LIVE
    window_seconds: float | None = None

    def named(self, name: str) -> Question:
        """The same question under another name."""
        return replace(self, name=name)

    def answer(self, verdict: Verdict, value: object, *, message: str, n: int | None = None) -> Observation:
        """The observation made now; `message` says what was seen, the source is added to it."""
        return Observation(
            name=self.name,
            value=value,
            verdict=verdict,
            time=time.time(),
            limit=self.limit,
            unit=self.unit,
            rule=self.rule,
            source=self.source,
            n=n,
            window_seconds=self.window_seconds,
            basis=self.basis,
            message=f"{message} [{self.source}]",
        )

    def passed(self, value: object, message: str, *, n: int | None = None) -> Observation:
        """The rule holds."""
        return self.answer(Verdict.PASS, value, message=message, n=n)

    def failed(self, value: object, message: str, *, n: int | None = None) -> Observation:
        """The rule is broken."""
        return self.answer(Verdict.FAIL, value, message=message, n=n)

    def no_data(self, message: str, *, value: object = None) -> Observation:
        """Nothing was seen that the rule could be held against."""
        return self.answer(Verdict.NO_DATA, value, message=message)

    def source_error(self, message: str) -> Observation:
        """The thing that should know the answer failed itself."""
        return self.answer(Verdict.SOURCE_ERROR, None, message=message)


def worst(observations: Iterable[Observation]) -> Verdict:
    """The verdict that stands for all of them; NO_DATA when there are none, so that nothing never passes."""
    verdicts = {observation.verdict for observation in observations}
    return next((verdict for verdict in _WORST_FIRST if verdict in verdicts), Verdict.NO_DATA)
