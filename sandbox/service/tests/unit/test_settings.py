"""Settings are checked once, and refused with a sentence."""

from __future__ import annotations

from typing import Any

import pytest

from sandbox.service.settings import SettingsError, settings_from

GOOD: dict[str, Any] = {
    "slot": "blue",
    "version": "1.0.0",
    "digest": "sha256:" + "ab" * 32,
    "task_id": "t1",
    "address": "127.0.0.2",
    "database_url": "postgresql://x/y",
    "redis_url": "redis://x",
    "external_url": "http://127.0.0.2:1/",
    "fault_file": "f",
    "clock_file": "c",
    "signing_key_file": "s",
    "log_file": "l",
    "tls": {"certificate": "a", "key": "b", "client_ca": "c"},
}


def test_the_release_id_is_opaque_and_short() -> None:
    """Twelve digits of the digest."""
    assert settings_from(GOOD).release_id == "abababababab"


@pytest.mark.parametrize("name", ["slot", "redis_url", "log_file", "tls"])
def test_a_missing_setting_is_named(name: str) -> None:
    """Whoever starts a task learns what it lacks."""
    with pytest.raises(SettingsError, match=name):
        settings_from({**GOOD, name: None})


@pytest.mark.parametrize(
    ("given", "expected"),
    [(None, {}), ("http://a/", {"external": "http://a/"}), ({"bank": "http://b/"}, {"bank": "http://b/"})],
)
def test_dependencies_are_one_url_or_several_by_name(given: object, expected: dict[str, str]) -> None:
    """Both forms are understood."""
    assert expected == settings_from({**GOOD, "external_url": given}).external


def test_limits_replace_only_the_kinds_that_are_named() -> None:
    """An unknown kind is a mistake, not a new limit."""
    limits = settings_from({**GOOD, "limits": {"limited": {"requests": 3, "window_seconds": 1}}}).limits

    assert (limits["limited"].requests, limits["token"].requests) == (3, 600)
    by_environment = settings_from({**GOOD, "environment": {"LIMIT_TOKEN": "7/3"}}).limits["token"]
    assert (by_environment.requests, by_environment.window_seconds) == (7, 3)
    with pytest.raises(SettingsError, match="LIMIT_ITEMS"):
        settings_from({**GOOD, "environment": {"LIMIT_ITEMS": "many"}})
    with pytest.raises(SettingsError, match="everything"):
        settings_from({**GOOD, "limits": {"everything": {}}})
