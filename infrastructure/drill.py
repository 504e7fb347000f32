"""Applies an environment to the sandbox's control plane, checks, destroys: `python -m infrastructure.drill`.

From an empty account, in the order of infrastructure/README.md: the registries first, then the images, then all the
rest. What is applied is the saved plan that was named by its digest, as infrastructure/apply.py does it, and its record
has to hold (PROC-01); the outputs have to be what the engine reads; every live check of the account has to hold; the
destroy has to leave no resource. With --keep DIR the files of the change (saved plan, what it shows, record) stay. Exit
codes: 0 all of it held; 1 something did not; 2 Terraform or its provider is not on this machine (nothing was tried).
"""

from __future__ import annotations

import json
import secrets
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import click
from botocore.exceptions import BotoCoreError, ClientError

from infrastructure.apply import commit_of
from infrastructure.backend_file import ROOT, Backend, copy_of_environment, read_backend
from infrastructure.change import (
    APPLY_SECONDS,
    CHANGES,
    INIT_SECONDS,
    PARALLELISM,
    Change,
    Refused,
    State,
    actions,
    counts,
    sha256_of,
)
from infrastructure.declaration import declaration
from infrastructure.emulated import EmulatedAccount, RepositoryMissing, emulated_account, session
from infrastructure.rollouts import NotKnown, Rollouts
from infrastructure.state_bucket import create_state_bucket
from infrastructure.terraform import PLUGINS_VARIABLE, Terraform, TerraformFailed, TerraformMissing
from probes.account.census import judged, views
from probes.account.session import Account
from probes.change_applied import judge_applied, read_applied
from probes.change_files import APPLIED, SAVED
from probes.strict_json import Unparsable
from probes.terraform_plan import read_saved_plan
from rollout.errors import RolloutError
from rollout.model import Verdict
from rollout.outputs_file import read_outputs
from sandbox.errors import SandboxError

ENVIRONMENT = "production"  # the one whose account is the emulated one
FAILED, MISSING = 1, 2
# What must be there before an image can be pushed, and the variable of its digest by repository.
_REGISTRIES = ("module.compute.aws_ecr_repository_policy.this", "module.compute.aws_ecr_lifecycle_policy.this")
_IMAGES = {"shop-api": "service_image_digest", "release-gates": "engine_image_digest"}
_UNLOCKED = "-var=deletion_protection=false"
_CREDENTIALS = {"AWS_ACCESS_KEY_ID": "drill", "AWS_SECRET_ACCESS_KEY": "drill"}
_RELEASE_FILE = f"""\
schema = 1
[release]
service = "shop-api"
version = "1.1.0"
[environments.{ENVIRONMENT}]
outputs = "outputs.json"
"""


class DrillError(Exception):
    """A step did not hold what it promises."""


_OURS = (DrillError, RepositoryMissing, Refused, NotKnown, Unparsable, TerraformFailed, RolloutError, SandboxError)
FAILURES = (*_OURS, ClientError, BotoCoreError)


@dataclass(frozen=True, kw_only=True)
class Drill:
    """One change of one environment on one control plane."""

    change: Change
    account: EmulatedAccount
    scratch: Path

    @property
    def terraform(self) -> Terraform:
        """What the change runs."""
        return self.change.terraform

    @property
    def backend(self) -> Backend:
        """Where the state is."""
        return self.change.state.backend

    def bootstrap(self) -> str:
        """The bucket of the state, as people make it."""
        create_state_bucket(session(), self.backend, endpoint_url=self.account.endpoint_url)
        return self.backend.bucket

    def registries(self) -> str:
        """The repositories of images, with what they need: nothing else can be made before there are images."""
        return self._changed("registries", *[f"-target={one}" for one in _REGISTRIES])

    def push(self) -> str:
        """The images that the plan names."""
        return self.account.push({name: self.terraform.variables[one] for name, one in _IMAGES.items()})

    def apply(self) -> str:
        """The saved plan, named by its digest; a second plan has to be empty. Raises Refused or TerraformFailed."""
        return self.change.apply(sha256_of(self.change.place / SAVED), self._rollouts())

    def record(self) -> str:
        """The record of the apply is what PROC-01 asks for. Raises DrillError, or Unparsable."""
        place = self.change.place
        saved = read_saved_plan((place / SAVED).read_bytes())
        seen = judge_applied(read_applied((place / APPLIED).read_bytes()), saved, source=APPLIED)
        wrong = [one.message for one in seen if one.verdict is not Verdict.PASS]
        if wrong:
            raise DrillError("; ".join(wrong))
        return f"{len(seen)} of {len(seen)} hold"

    def outputs(self) -> str:
        """`terraform output -json` is a file that the engine reads, and it knows of no rollout. Raises its BadInput."""
        finished = self.terraform.run("output", "-json", timeout_seconds=INIT_SECONDS)
        path = self.scratch / "outputs.json"
        path.write_text(finished.output, encoding="utf-8")
        target = read_outputs(path, environment=ENVIRONMENT).target
        if self._rollouts().active(finished.output):
            raise DrillError("a rollout is said to be active, and nobody started one")
        return f"the engine reads them: {target.cluster_name}, {target.public_host}; no rollout is active"

    def _rollouts(self) -> Rollouts:
        """Asked of the emulated account, by a release file that declares nothing but the environment."""
        path = self.scratch / "release.toml"
        path.write_text(_RELEASE_FILE, encoding="utf-8")
        return Rollouts(
            environment=ENVIRONMENT, release_file=path, scratch=self.scratch, account=self.change.state.account
        )

    def live_checks(self) -> str:
        """Every check of probes/account on what was made. Raises DrillError with those that do not hold."""
        outputs = json.loads((self.scratch / "outputs.json").read_text(encoding="utf-8"))
        plain = {name: one["value"] for name, one in outputs.items()}
        seen = judged(views(self.change.state.account, declaration(ENVIRONMENT, plain)))
        wrong = [one for one in seen if one.verdict not in (Verdict.PASS, Verdict.NOT_APPLICABLE)]
        if wrong:
            raise DrillError("\n".join(f"{one.verdict} {one.name}: {one.message}" for one in wrong))
        return ", ".join(f"{count} {one}" for one, count in sorted(Counter(str(one.verdict) for one in seen).items()))

    def unlock(self) -> str:
        """The one change without which nothing can be destroyed."""
        return self._changed("unlock", _UNLOCKED)

    def destroy(self) -> str:
        said = self._changed("destroy", "-destroy", _UNLOCKED)
        left = self.terraform.run("state", "list", timeout_seconds=INIT_SECONDS).output.split()
        if left:
            raise DrillError(f"{len(left)} resources are left: {', '.join(left[:10])}")
        return said

    def _changed(self, name: str, *options: str) -> str:
        """A saved plan of its own, applied. Raises DrillError when it would change nothing, or TerraformFailed."""
        path = self.scratch / f"{name}.tfplan"
        finished = self.change.plan_to(path, *self.change.options, *options)
        if finished.code != CHANGES:
            raise DrillError(f"{name}: there is nothing to change\n{actions(finished.output)}")
        how = ["-input=false", "-no-color", f"-parallelism={PARALLELISM}", str(path)]
        return counts(self.terraform.run("apply", *how, timeout_seconds=APPLY_SECONDS).output)


def made_up() -> dict[str, str]:
    """The variables that the pipeline gives, made up."""
    return {
        "test_header_value": secrets.token_urlsafe(24),
        "service_image_digest": f"sha256:{secrets.token_hex(32)}",
        "engine_image_digest": f"sha256:{secrets.token_hex(32)}",
    }


def drill_of(
    account: EmulatedAccount, *, scratch: Path, variables: Mapping[str, str], place: Path, topology: str = ""
) -> Drill:
    """Production on an account, with a copy of the tree in `scratch`; the change's files go to
    `place`."""
    terraform = Terraform(
        directory=copy_of_environment(ENVIRONMENT, scratch / "tree"),
        scratch=scratch,
        variables=variables,
        environment={
            **_CREDENTIALS,
            "AWS_ENDPOINT_URL": account.endpoint_url,
            "AWS_MAX_ATTEMPTS": "4",  # a failing call is an error, not an hour of retries
            "AWS_RETRY_MODE": "standard",
        },
    )
    backend = read_backend(ENVIRONMENT)
    place.mkdir(parents=True, exist_ok=True)
    change = Change(
        terraform=terraform,
        environment=ENVIRONMENT,
        place=place.resolve(),
        state=State(Account(region=backend.region, endpoint_url=account.endpoint_url), backend),
        # A file of variables outweighs TF_VAR_..., an option does not.
        options=(f"-var=topology={topology}",) if topology else (),
        commit=commit_of(ROOT.parent),
        init_options=("-backend-config=use_path_style=true",),
    )
    return Drill(change=change, account=account, scratch=scratch)


def step(name: str, action: Callable[[], str]) -> None:
    """Carry one step out and say in a line how it went and how long it took."""
    started = time.monotonic()
    try:
        said = action()
    except Exception:
        click.echo(f"FAILED  {name:<14}{time.monotonic() - started:8.1f} s")
        raise
    click.echo(f"ok      {name:<14}{time.monotonic() - started:8.1f} s  {said}")


def demand_provider(terraform: Terraform) -> str:
    """That the locked provider can be had here. Raises TerraformMissing."""
    options = ["-backend=false", "-input=false", "-no-color", "-lockfile=readonly"]
    try:
        terraform.run("init", *options, timeout_seconds=INIT_SECONDS)
    except TerraformFailed as error:
        hint = f"Set {PLUGINS_VARIABLE} to a directory made by `terraform providers mirror`."
        raise TerraformMissing(f"the provider that is locked cannot be had. {hint}\n{error}") from error
    return terraform.run("version", timeout_seconds=INIT_SECONDS).output.splitlines()[0]


def run_drill(topology: str, *, scratch: Path, place: Path) -> None:
    """All steps in order, a line for each; the files of the change go to `place`. Raises TerraformMissing, or one of
    FAILURES."""
    with emulated_account(scratch) as account:
        drill = drill_of(account, scratch=scratch, variables=made_up(), place=place, topology=topology)
        step("terraform", lambda: demand_provider(drill.terraform))
        step("state bucket", drill.bootstrap)
        step("init", drill.change.init)
        step("registries", drill.registries)
        step("push", drill.push)
        step("plan", drill.change.plan)
        step("apply", drill.apply)
        step("record", drill.record)
        step("outputs", drill.outputs)
        step("live checks", drill.live_checks)
        step("unlock", drill.unlock)
        step("destroy", drill.destroy)


@click.command()
@click.option("--topology", type=click.Choice(["direct", "gateway"]), default=None, help="Instead of the tfvars' own.")
@click.option("--keep", type=click.Path(file_okay=False, path_type=Path), help="Keep the files of the change here.")
def main(topology: str | None, keep: Path | None) -> None:
    """Apply production to an emulated account, plan again, run the live checks, destroy."""
    started = time.monotonic()
    try:
        with tempfile.TemporaryDirectory(prefix="release-gates-drill-") as scratch:
            run_drill(topology or "", scratch=Path(scratch), place=keep or Path(scratch) / "change")
    except TerraformMissing as error:
        click.echo(f"not run: {error}", err=True)
        sys.exit(MISSING)
    except FAILURES as error:
        click.echo(f"the drill failed after {time.monotonic() - started:.1f} s: {error}", err=True)
        sys.exit(FAILED)
    click.echo(f"the drill held: {time.monotonic() - started:.1f} s")


if __name__ == "__main__":
    main()
