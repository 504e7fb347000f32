"""Applies of minutes run only where they are asked for: `pytest tests/infrastructure -m terraform_apply`."""

from __future__ import annotations

import pytest

_MARKER = "terraform_apply"


def pytest_configure(config: pytest.Config) -> None:
    """The marker's one line."""
    meaning = (
        f"{_MARKER}: applies production with Terraform, for minutes (owner: the platform team); -m {_MARKER} runs it"
    )
    config.addinivalue_line("markers", meaning)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Deselect what nobody asked for."""
    if _MARKER in str(config.option.markexpr):
        return
    left_out = [item for item in items if item.get_closest_marker(_MARKER)]
    if left_out:
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if item not in left_out]
