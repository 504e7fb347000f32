"""Fixtures of the evidence tests."""

from __future__ import annotations

from typing import Any

import pytest
from evidence_samples import make_results, make_scenario


@pytest.fixture
def results() -> dict[str, Any]:
    return make_results(make_scenario(1), make_scenario(2))
