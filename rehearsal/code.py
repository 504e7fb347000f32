"""pytest plugin: the infrastructure as code, judged by every policy, once per run.

A run of several workers scans once: the others read what the first one left below build/policies, by content.
"""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from gate.facts import record, record_part
from gate.settings import environment_name
from gate.verdicts import NotPassed
from policies.gate import evaluate
from policies.report import Report
from policies.settings import Unusable
from rehearsal.findings import hosts
from rollout.model import Observation, Verdict


@pytest.fixture(scope="session")
def infrastructure(pytestconfig: pytest.Config) -> Path:
    """The directory of the infrastructure's code: that of the tree which the run is about."""
    return pytestconfig.rootpath / "infrastructure"


@pytest.fixture(scope="session")
def judged_code(pytestconfig: pytest.Config, infrastructure: Path) -> Report:
    """Every environment judged. Ends the scenario as SOURCE_ERROR, with the remedy, where policies cannot be asked."""
    started = time.monotonic()
    try:
        report = evaluate(roots(infrastructure))
    except Unusable as error:
        raise NotPassed(Verdict.SOURCE_ERROR, f"the policies could not be asked: {error}") from error
    record_part(pytestconfig, "policies", time.monotonic() - started)
    record(pytestconfig, tools={"checkov": report.facts["checkov"]})
    return report


def roots(infrastructure: Path) -> tuple[Path, ...]:
    """The root module of each environment, by name; none where the directory is missing."""
    return tuple(sorted(path for path in (infrastructure / "environments").glob("*") if path.is_dir()))


@pytest.fixture(scope="session")
def hosts_verified(pytestconfig: pytest.Config) -> tuple[Observation, ...]:
    """What hosts said that were configured by this tree's playbooks."""
    return hosts.verified(pytestconfig.rootpath, environment_name(pytestconfig))
