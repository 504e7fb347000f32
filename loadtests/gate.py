"""Judges a load run: what was measured and the thresholds -> a verdict, with a sentence for every rule. Pure."""

from __future__ import annotations

from loadtests.checks import Judgement
from loadtests.latency_checks import latency_checks
from loadtests.measurement import Measurement
from loadtests.run_checks import run_checks
from loadtests.thresholds import Thresholds


def judge(measurement: Measurement, thresholds: Thresholds) -> Judgement:
    """The judgement of a finished run: INVALID over FAIL over INCONCLUSIVE over PASS; exit code 5, 3, 4, 0."""
    return Judgement((*run_checks(measurement, thresholds), *latency_checks(measurement, thresholds)))
