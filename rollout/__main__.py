"""`python -m rollout`."""

from __future__ import annotations

import io
import sys

from rollout.cli.main import main


def _carry_any_text() -> None:
    """A reason may hold what a poor terminal cannot show; an escape is better than a crash in a rollout."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


if __name__ == "__main__":
    _carry_any_text()
    sys.exit(main())
