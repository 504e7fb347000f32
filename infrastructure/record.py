"""Records production's apply for sandboxes on machines without Terraform: `python -m infrastructure.record`.

Applies to an empty emulated account, plans again (no change may be left), and writes what changed something there, with
Terraform's outputs, to infrastructure/recorded/production.jsonl. Beside it, in change/, go the saved plan that was
applied, what it shows, the record of the apply, and what it left (PRE-16, PROC-01, PRE-01). Takes as long as an apply
does. Exit codes: 0 written; 1 something did not hold, nothing was written; 2 Terraform or its provider is not on this
machine.
"""

from __future__ import annotations

import gzip
import importlib.metadata
import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from infrastructure.backend_file import read_backend
from infrastructure.drill import (
    ENVIRONMENT,
    FAILED,
    FAILURES,
    MISSING,
    demand_provider,
    drill_of,
    made_up,
    step,
)
from infrastructure.emulated import emulated_account
from infrastructure.terraform import TerraformMissing
from probes.change_files import APPLIED, KEPT_PLAN, KEPT_SHOWN, SAVED, SHOWN
from sandbox.cloud.api import Api
from sandbox.recorded.recorder import Recorder
from sandbox.recorded.recording import RECORDING, Recording, tree_digest
from sandbox.recorded.requests import mapped

OPENS_NOTHING = "recorded-value-that-opens-nothing"


def record(scratch: Path, place: Path) -> Recording:
    """Apply, plan again, and give what was recorded; the files of the change go to `place`.

    Raises TerraformMissing, or one of the drill's FAILURES.
    """
    # A saved plan holds its variables, and this one is kept: what it holds must be no secret anywhere.
    backend, variables = read_backend(ENVIRONMENT), {**made_up(), "test_header_value": OPENS_NOTHING}
    # A digest without its prefix: in the body of a form the colon is written in another way.
    secrets = {name: value.removeprefix("sha256:") for name, value in variables.items()}
    recorders: list[Recorder] = []

    def front(application: Api) -> Recorder:
        recorders.append(
            Recorder(application, application.lock, state=f"/{backend.bucket}/{backend.key}", values=secrets)
        )
        return recorders[0]

    digest = tree_digest()
    with emulated_account(scratch, front) as account:
        drill = drill_of(account, scratch=scratch, variables=variables, place=place)
        step("terraform", lambda: demand_provider(drill.terraform))
        step("state bucket", drill.bootstrap)
        step("init", drill.change.init)
        step("plan", drill.change.plan)
        step("apply", drill.apply)
        requests = recorders[0].requests()
        step("record", drill.record)
        step("outputs", drill.outputs)
        step("inventory", drill.change.inventory)
    return Recording(
        infrastructure_sha256=digest,
        moto=importlib.metadata.version("moto"),
        outputs=_outputs(scratch / "outputs.json", secrets),
        requests=requests,
    )


def _outputs(path: Path, secrets: Mapping[str, str]) -> dict[str, Any]:
    """Plain values by name, with placeholders."""

    def name(text: str) -> str:
        for placeholder, secret in secrets.items():
            text = text.replace(secret, f"${{{placeholder}}}")
        return text

    found = json.loads(path.read_text(encoding="utf-8"))
    return {output: mapped(one["value"], name) for output, one in found.items()}


def keep(place: Path, kept: Path) -> None:
    """The change's files under version control; what the plan shows is long, and is kept compressed."""
    kept.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(place / SAVED, kept / KEPT_PLAN)
    shutil.copyfile(place / APPLIED, kept / APPLIED)
    (kept / KEPT_SHOWN).write_bytes(gzip.compress((place / SHOWN).read_bytes(), mtime=0))


@click.command()
@click.option("--to", "path", type=click.Path(path_type=Path), default=RECORDING, show_default=False, help="The file.")
def main(path: Path) -> None:
    """Apply production to an emulated account and keep the requests that made it."""
    try:
        with tempfile.TemporaryDirectory(prefix="release-gates-record-") as scratch:
            place = Path(scratch) / "change"
            recording = record(Path(scratch), place)
            keep(place, path.parent / place.name)
    except TerraformMissing as error:
        click.echo(f"not run: {error}", err=True)
        sys.exit(MISSING)
    except FAILURES as error:
        click.echo(f"nothing was recorded: {error}", err=True)
        sys.exit(FAILED)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(recording.text(), encoding="utf-8")
    if path == RECORDING:
        # Of the replay, in a process whose moto nobody has used: that is what sandboxes start from.
        subprocess.run([sys.executable, "-m", "infrastructure.recorded_inventory"], check=True)
    click.echo(f"{len(recording.requests)} requests, {path.stat().st_size / 1024:.0f} KiB: {path.name}")


if __name__ == "__main__":
    main()
