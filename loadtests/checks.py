"""The words of a judgement: verdicts, checks, and how their sentences write numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum


class Verdict(StrEnum):
    """Of a check and of a run, and how they rank; NOT_APPLICABLE is a check's only, and decides nothing."""

    INVALID = "INVALID"  # the generator measured itself
    FAIL = "FAIL"
    INCONCLUSIVE = "INCONCLUSIVE"  # too little was seen to tell
    PASS = "PASS"
    NOT_APPLICABLE = "NOT_APPLICABLE"


# Worst first. A FAIL beside an INVALID stays visible as its own check.
ORDER = (Verdict.INVALID, Verdict.FAIL, Verdict.INCONCLUSIVE, Verdict.PASS)
EXIT_CODES = {Verdict.PASS: 0, Verdict.FAIL: 3, Verdict.INCONCLUSIVE: 4, Verdict.INVALID: 5}


@dataclass(frozen=True, kw_only=True)
class Check:
    """One rule applied: the value seen against its limit, of n, and a sentence that ends with what to do."""

    name: str
    verdict: Verdict
    value: float | None
    limit: float | None
    unit: str
    rule: str
    n: int
    message: str


@dataclass(frozen=True)
class Judgement:
    """All checks of a run in their order, and what they come to."""

    checks: Sequence[Check]

    @property
    def verdict(self) -> Verdict:
        """The worst of the checks; a run without a check that passed proved nothing."""
        seen = {check.verdict for check in self.checks}
        return next((verdict for verdict in ORDER if verdict in seen), Verdict.INCONCLUSIVE)

    @property
    def exit_code(self) -> int:
        return EXIT_CODES[self.verdict]

    @property
    def sentence(self) -> str:
        """The verdict and its first reason; how many more there are."""
        reasons = [check for check in self.checks if check.verdict is self.verdict]
        if not reasons:
            return f"{self.verdict}: nothing was checked."
        if self.verdict is Verdict.PASS:
            shown = next((check for check in reasons if check.name == "p95"), reasons[0])
            return f"{self.verdict}: {shown.message}"
        more = f" ({len(reasons) - 1} more)" if len(reasons) > 1 else ""
        return f"{self.verdict}: {reasons[0].message}{more}"


def number(value: float) -> str:
    """Six digits: 199.999 is not shown as 200."""
    return f"{value:.6g}"


def milliseconds(value: float | None) -> str:
    """A latency, or that there is none at that rank."""
    return "without an answer" if value is None else f"{number(value)} ms"
