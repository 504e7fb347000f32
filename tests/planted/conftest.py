"""The marker of this directory, registered where it is used."""

from __future__ import annotations

import pytest


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "planted: applies a mistake to a copy of the engine and expects a red test")
