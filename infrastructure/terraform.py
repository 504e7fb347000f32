"""Runs Terraform as a bounded child: no network but the endpoint it is given, no credentials of the caller's.

The provider comes from a directory that is laid out like a mirror (`terraform providers mirror DIR` makes one); which
one is said by TERRAFORM_PLUGINS, never by a file of this repository.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

PLUGINS_VARIABLE = "TERRAFORM_PLUGINS"
_STOP_SECONDS = 20.0
# What Terraform needs of the caller's environment; credentials and proxies are not among it.
_KEPT = ("PATH", "LANG", "LC_ALL", "TMPDIR", "SSL_CERT_FILE")


class TerraformMissing(Exception):
    """Terraform or its provider is not on this machine; the message says what to do."""


class TerraformFailed(Exception):
    """A command ended with another code than was asked for, or not in time; the message ends with its last lines."""


@dataclass(frozen=True, kw_only=True)
class Finished:
    """One command that ended: exit code, what it printed, how long it took (seconds)."""

    code: int
    output: str
    seconds: float


@dataclass(frozen=True, kw_only=True)
class Terraform:
    """Terraform in one root module. `scratch` takes what it writes: plugins' links, plans, settings.

    `variables` become TF_VAR_..., `environment` is added as it is (AWS_ENDPOINT_URL and so on).
    """

    directory: Path
    scratch: Path
    variables: Mapping[str, str] = field(default_factory=dict)
    environment: Mapping[str, str] = field(default_factory=dict)

    def run(self, *arguments: str, timeout_seconds: float, allowed: Sequence[int] = (0,)) -> Finished:
        """Run `terraform arguments...`. Raises TerraformMissing without a program, else TerraformFailed."""
        command = [_program(), f"-chdir={self.directory}", *arguments]
        started = time.monotonic()
        log = self.scratch / f"{arguments[0]}-{time.monotonic_ns()}.log"
        with log.open("wb") as sink:
            child = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=sink,
                stderr=subprocess.STDOUT,
                env=self._environment(),
                start_new_session=True,
            )
            code = _await(child, timeout_seconds)
        output = log.read_text(encoding="utf-8", errors="replace")
        finished = Finished(code=code, output=output, seconds=time.monotonic() - started)
        if code not in allowed:
            what = f"did not end within {timeout_seconds:g} s" if code == _TIMED_OUT else f"ended with {code}"
            raise TerraformFailed(f"terraform {arguments[0]} {what}:\n{_errors_of(output)}")
        return finished

    def _environment(self) -> Mapping[str, str]:
        kept = {name: os.environ[name] for name in _KEPT if name in os.environ}
        return {
            **kept,
            "HOME": str(self.scratch),
            "TF_CLI_CONFIG_FILE": str(self._settings()),
            "TF_DATA_DIR": str(self.scratch / "data"),
            "TF_IN_AUTOMATION": "1",
            "TF_INPUT": "0",
            "CHECKPOINT_DISABLE": "1",
            "AWS_EC2_METADATA_DISABLED": "true",
            **{f"TF_VAR_{name}": value for name, value in self.variables.items()},
            **self.environment,
        }

    def _settings(self) -> Path:
        """The command line's own settings: where plugins are, and that nothing is fetched or reported."""
        path = self.scratch / "terraform.rc"
        if not path.exists():
            plugins = os.environ.get(PLUGINS_VARIABLE)
            mirror = f'provider_installation {{\n  filesystem_mirror {{\n    path = "{plugins}"\n  }}\n}}\n'
            path.write_text(f"disable_checkpoint = true\n{mirror if plugins else ''}", encoding="utf-8")
        return path


_TIMED_OUT = -1_000


def _program() -> str:
    found = shutil.which("terraform")
    if found is None:
        raise TerraformMissing("terraform is not on PATH; install version 1.11 or later")
    return found


def _await(child: subprocess.Popen[bytes], timeout_seconds: float) -> int:
    """The exit code; past the time limit the child's whole group is ended, gently first, and the code says so."""
    try:
        return child.wait(timeout_seconds)
    except subprocess.TimeoutExpired:
        os.killpg(child.pid, signal.SIGINT)  # Terraform gives its lock back
        with contextlib.suppress(subprocess.TimeoutExpired):  # what does not end by itself is ended below
            child.wait(_STOP_SECONDS)
        return _TIMED_OUT
    finally:
        with contextlib.suppress(ProcessLookupError):  # the usual case: nobody of the group is left
            os.killpg(child.pid, signal.SIGKILL)
        child.wait()


def _errors_of(output: str, lines_max: int = 60) -> str:
    """From the first error on; without one, the end."""
    lines = output.splitlines()
    first = next((number for number, line in enumerate(lines) if "Error: " in line), None)
    chosen = lines[-lines_max:] if first is None else lines[first : first + lines_max]
    return "\n".join(chosen)
