"""Marks of the end-to-end tests."""

import pytest


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "heavy: drives whole sandboxes for tens of seconds")
