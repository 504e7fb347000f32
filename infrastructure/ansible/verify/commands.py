"""Commands that this package runs, each with a deadline, and what it means when one fails."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path


class CannotVerify(Exception):
    """The verification could not be made; the message says what is missing and what to do. It proves nothing."""


def run(
    command: Sequence[str],
    *,
    seconds_max: float,
    directory: Path | None = None,
    environment: Mapping[str, str] | None = None,
) -> subprocess.CompletedProcess[str]:
    """Run to the end, whatever the exit code. Raises CannotVerify when it cannot be started or takes too long."""
    try:
        return subprocess.run(
            list(command),
            cwd=directory,
            env=dict(environment) if environment is not None else None,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=seconds_max,
            check=False,
            stdin=subprocess.DEVNULL,
        )
    except subprocess.TimeoutExpired:
        raise CannotVerify(f"{command[0]} did not end within {seconds_max:.0f} s") from None
    except OSError as error:
        raise CannotVerify(f"{command[0]} cannot be started: {error.strerror}") from None


def must(
    command: Sequence[str],
    *,
    seconds_max: float,
    directory: Path | None = None,
    environment: Mapping[str, str] | None = None,
) -> str:
    """Standard output of a command that has to succeed. Raises CannotVerify with the last lines of what it said."""
    done = run(command, seconds_max=seconds_max, directory=directory, environment=environment)
    if done.returncode:
        said = "\n".join((done.stderr.strip() or done.stdout.strip()).splitlines()[-5:])
        raise CannotVerify(f"{' '.join(command[:3])} ended with {done.returncode}: {said}")
    return done.stdout
