"""The words of a policy's verdict (contracts.md 1) and how they rank. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum


class Verdict(StrEnum):
    """Only PASS says that something was seen to be good."""

    PASS = "PASS"
    FAIL = "FAIL"
    NO_DATA = "NO_DATA"
    SOURCE_ERROR = "SOURCE_ERROR"
    NOT_APPLICABLE = "NOT_APPLICABLE"
    WAIVED = "WAIVED"
    DEFERRED = "DEFERRED"


# Worst first, in the order of evidence/verdicts.py, which this package must not import; a test compares the two.
BADNESS: tuple[Verdict, ...] = (
    Verdict.FAIL,
    Verdict.SOURCE_ERROR,
    Verdict.NO_DATA,
    Verdict.DEFERRED,
    Verdict.WAIVED,
    Verdict.NOT_APPLICABLE,
    Verdict.PASS,
)
OPENS = frozenset({Verdict.PASS, Verdict.NOT_APPLICABLE, Verdict.WAIVED})
EXIT_PASS, EXIT_FINDINGS, EXIT_UNUSABLE, EXIT_NOT_DECIDABLE = 0, 1, 2, 6


def worst(verdicts: Iterable[Verdict]) -> Verdict:
    """The worst of them; NO_DATA for none at all, since nothing was looked at."""
    return min(verdicts, key=BADNESS.index, default=Verdict.NO_DATA)


def exit_code(verdicts: Iterable[Verdict]) -> int:
    """0 when each opens the gate, 1 with a finding, 6 when only missing or deferred evidence stands in the way."""
    standing = set(verdicts) or {Verdict.NO_DATA}
    if Verdict.FAIL in standing:
        return EXIT_FINDINGS
    return EXIT_PASS if standing <= OPENS else EXIT_NOT_DECIDABLE
