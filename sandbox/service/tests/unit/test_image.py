"""The digest is the release's name: it must change with the code and with nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest

from sandbox.service import image


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    """A small tree."""
    (tmp_path / "a.py").write_text("one")
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests" / "test_a.py").write_text("test")
    (tmp_path / "__pycache__").mkdir()
    return tmp_path


def test_the_digest_changes_with_content_name_and_version(directory: Path) -> None:
    """Four different things, four digests."""
    digests = {image.digest("1.0.0", directory), image.digest("1.1.0", directory)}
    (directory / "a.py").write_text("two")
    digests.add(image.digest("1.0.0", directory))
    (directory / "a.py").rename(directory / "b.py")
    digests.add(image.digest("1.0.0", directory))

    assert len(digests) == 4


def test_the_digest_ignores_tests_and_what_python_makes(directory: Path) -> None:
    """Running the tests must not make another release."""
    before = image.digest("1.0.0", directory)
    (directory / "tests" / "test_a.py").write_text("changed")
    (directory / "__pycache__" / "a.pyc").write_bytes(b"x")

    assert before == image.digest("1.0.0", directory)


def test_an_unknown_version_has_no_digest() -> None:
    """The message names the versions that exist."""
    with pytest.raises(ValueError, match=r"1\.1\.0"):
        image.digest("9.9.9")
