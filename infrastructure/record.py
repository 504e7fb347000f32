"""Records production's apply for sandboxes on machines without Terraform: `python -m infrastructure.record`.

Applies to an empty emulated account, plans again (no change may be left), and writes what changed something there, with
Terraform's outputs, to infrastructure/recorded/production.jsonl. Takes as long as an apply does. Exit codes: 0 written;
1 something did not hold, nothing was written; 2 Terraform or its provider is not on this machine.
"""

from __future__ import annotations

import importlib.metadata
import json
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
    control_plane,
    demand_provider,
    drill_of,
    made_up,
    step,
)
from infrastructure.terraform import TerraformMissing
from sandbox.cloud.api import Api
from sandbox.recorded.recorder import Recorder
from sandbox.recorded.recording import RECORDING, Recording, tree_digest
from sandbox.recorded.requests import mapped


def record(scratch: Path) -> Recording:
    """Apply, plan again, and give what was recorded. Raises TerraformMissing, or one of the drill's FAILURES."""
    backend, variables = read_backend(ENVIRONMENT), made_up()
    # A digest without its prefix: in the body of a form the colon is written in another way.
    secrets = {name: value.removeprefix("sha256:") for name, value in variables.items()}
    recorders: list[Recorder] = []

    def front(application: Api) -> Recorder:
        recorders.append(
            Recorder(application, application.lock, state=f"/{backend.bucket}/{backend.key}", values=secrets)
        )
        return recorders[0]

    digest = tree_digest()
    with control_plane(scratch, front) as endpoint_url:
        drill = drill_of(endpoint_url, scratch=scratch, variables=variables)
        step("terraform", lambda: demand_provider(drill.terraform))
        step("state bucket", drill.bootstrap)
        step("init", drill.init)
        step("plan", drill.plan)
        step("apply", drill.apply)
        requests = recorders[0].requests()
        step("plan again", drill.plan_again)
        step("outputs", drill.outputs)
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


@click.command()
@click.option("--to", "path", type=click.Path(path_type=Path), default=RECORDING, show_default=False, help="The file.")
def main(path: Path) -> None:
    """Apply production to an emulated account and keep the requests that made it."""
    try:
        with tempfile.TemporaryDirectory(prefix="release-gates-record-") as scratch:
            recording = record(Path(scratch))
    except TerraformMissing as error:
        click.echo(f"not run: {error}", err=True)
        sys.exit(MISSING)
    except FAILURES as error:
        click.echo(f"nothing was recorded: {error}", err=True)
        sys.exit(FAILED)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(recording.text(), encoding="utf-8")
    click.echo(f"{len(recording.requests)} requests, {path.stat().st_size / 1024:.0f} KiB: {path.name}")


if __name__ == "__main__":
    main()
