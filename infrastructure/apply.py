"""Plans an environment, and applies the very plan that was approved: `python -m infrastructure.apply plan|apply`.

    python -m infrastructure.apply plan --environment production --place change
    python -m probes.attestation draft --control PRE-16 --plan change/saved.tfplan --shown change/plan.json ...
    python -m infrastructure.apply apply --environment production --place change --approved SHA256

`plan` leaves `saved.tfplan` and `plan.json` (what an approver reads) in the place; `apply` adds `apply.json`, the
record that PROC-01 judges. It refuses, with nothing changed, another plan than the approved one, another provider lock
file or state than the plan was made with, and to work below an active rollout. Credentials (AWS_...) and variables
(TF_VAR_...) are the caller's. Exit codes: 0 done; 1 Terraform failed or changes are left; 2 Terraform is not on this
machine; 3 refused, nothing was changed; 4 wrong use.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import click

from infrastructure.backend_file import ENVIRONMENTS, ROOT, BackendError, environment_directory, read_backend
from infrastructure.change import Change, Refused, State, sha256_of
from infrastructure.declaration import DeclarationError
from infrastructure.rollouts import Rollouts
from infrastructure.terraform import Terraform, TerraformFailed, TerraformMissing
from probes.account.session import Account
from probes.change_files import APPLIED, AUTHORS, SAVED, SHOWN

FAILED, MISSING, REFUSED, USAGE = 1, 2, 3, 4
_CREDENTIALS = ("AWS_", "TF_VAR_")
_ENVIRONMENT = click.option("--environment", type=click.Choice(ENVIRONMENTS), required=True)
_PLACE = click.option(
    "--place", type=click.Path(file_okay=False, path_type=Path), required=True, help="Directory of this change's files."
)
_VARIABLES = click.option("--var-file", default="terraform.tfvars", show_default=True, help="In the environment.")


@click.group(help=__doc__.split("\n", maxsplit=1)[0] if __doc__ else None)
def application() -> None:
    """Commands share nothing."""


@application.command()
@_ENVIRONMENT
@_PLACE
@_VARIABLES
@click.option(
    "--base", default="", help="Commit that was applied last: who wrote since then is an author of this plan."
)
def plan(environment: str, place: Path, var_file: str, base: str) -> None:
    """Save a plan, and show what it would do: its digest is what gets approved."""
    with tempfile.TemporaryDirectory(prefix="release-gates-plan-") as scratch:
        change = _change(environment, place, Path(scratch), var_file=var_file)
        _guarded(lambda: _planned(change, authors_of(ROOT, base)))


def _planned(change: Change, authors: Sequence[str]) -> None:
    change.init()
    counts = change.plan()
    (change.place / AUTHORS).write_text("".join(f"{one}\n" for one in authors), encoding="utf-8")
    click.echo(f"{counts}\nread {change.place / SHOWN}, then approve {sha256_of(change.place / SAVED)}")


@application.command()
@_ENVIRONMENT
@_PLACE
@_VARIABLES
@click.option("--approved", required=True, metavar="SHA256", help="Digest of the saved plan that was approved.")
@click.option("--release-file", type=click.Path(path_type=Path), default=ROOT.parent / "release.toml")
def apply(environment: str, place: Path, var_file: str, approved: str, release_file: Path) -> None:
    """Apply the approved plan, plan again, and leave the record of both."""
    with tempfile.TemporaryDirectory(prefix="release-gates-apply-") as scratch:
        change = _change(environment, place, Path(scratch), var_file=var_file)
        rollouts = Rollouts(
            environment=environment, release_file=release_file, scratch=Path(scratch), account=change.state.account
        )
        _guarded(lambda: _applied(change, approved, rollouts))


def _applied(change: Change, approved: str, rollouts: Rollouts) -> None:
    change.init()
    counts = change.apply(approved, rollouts)
    click.echo(f"{counts}\n{change.inventory()}\nthe record is {change.place / APPLIED}")


def _change(environment: str, place: Path, scratch: Path, *, var_file: str) -> Change:
    place.mkdir(parents=True, exist_ok=True)
    backend = read_backend(environment)
    given = {name: value for name, value in os.environ.items() if name.startswith(_CREDENTIALS)}
    terraform = Terraform(directory=environment_directory(environment), scratch=scratch, environment=given)
    return Change(
        terraform=terraform,
        environment=environment,
        place=place.resolve(),  # Terraform works in the environment's directory, not in the caller's
        state=State(Account(region=backend.region), backend),
        options=(f"-var-file={var_file}",),
        commit=commit_of(ROOT),
    )


def commit_of(tree: Path) -> str:
    """The commit that the tree is at; empty where it has changes that no commit holds, or git does not answer."""
    try:
        dirty = _git(tree, "status", "--porcelain", "--", ".")
        return "" if dirty else _git(tree, "rev-parse", "HEAD")
    except (OSError, subprocess.SubprocessError):
        return ""


def authors_of(tree: Path, base: str) -> list[str]:
    """Who wrote the tree since a commit, or ever: they cannot approve it. Empty where git does not answer, which the
    gate reads as nobody knows."""
    try:
        said = _git(tree, "log", "--format=%ae%n%ce", *([f"{base}..HEAD"] if base else []), "--", ".")
    except (OSError, subprocess.SubprocessError):
        return []
    return sorted({line.strip() for line in said.splitlines() if line.strip()})


def _git(tree: Path, *arguments: str) -> str:
    command = ["git", "-C", str(tree), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=30).stdout.strip()


def _guarded(action: object) -> None:
    """Run it; every way to end otherwise has its own exit code and one sentence."""
    assert callable(action)
    try:
        action()
    except TerraformMissing as error:
        _end(f"not run: {error}", MISSING)
    except Refused as error:
        _end(f"refused, nothing was changed: {error}", REFUSED)
    except BackendError as error:
        _end(str(error), USAGE)
    except (TerraformFailed, DeclarationError) as error:
        _end(str(error), FAILED)


def _end(sentence: str, code: int) -> None:
    click.echo(sentence, err=True)
    sys.exit(code)


if __name__ == "__main__":
    application(prog_name="python -m infrastructure.apply")
