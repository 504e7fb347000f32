"""Runs that read prepared results instead of rehearsing: they say so, and are partial at best.

`rehearsal.plugin` registers this where RELEASE_GATES_RESULTS is set. Only tests/defects prepare results, to show that
scenarios turn red on what a good engine never leaves behind.
"""

from __future__ import annotations

import json
from collections.abc import Generator
from typing import Any

import pytest

from gate.collect import COLLECTION
from gate.settings import RUN

SENTENCE = "prepared results were used instead of a rehearsal"


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config) -> None:
    """The rehearsals themselves were offered and are left out, so the run is never whole."""
    if RUN in config.stash:
        config.stash[COLLECTION].offered.append(SENTENCE)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, Any, Any]:
    """A scenario that read a rehearsal carries the sentence as its reason, or in front of it."""
    report = yield
    if "run" in getattr(item, "funcargs", {}) and hasattr(report, "gate_record"):
        scenario = json.loads(report.gate_record)
        scenario["reason"] = "; ".join(filter(None, (SENTENCE, scenario["reason"])))
        report.gate_record = json.dumps(scenario)
    return report


@pytest.hookimpl(tryfirst=True)
def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    """Above the summary, where nobody overlooks it."""
    if RUN in config.stash:
        terminalreporter.write_line(f"{SENTENCE}: this run proves nothing about a release", yellow=True)
