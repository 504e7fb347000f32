"""Applies an environment to the sandbox's control plane, plans again, destroys: `python -m infrastructure.drill`.

The plan that is applied is the saved one; the second plan has to be empty; the outputs have to be what the engine
reads; the destroy has to leave no resource. Exit codes: 0 all of it held; 1 something did not; 2 Terraform or its
provider is not on this machine (nothing was tried).
"""

from __future__ import annotations

import re
import secrets
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import boto3
import click
from botocore.exceptions import BotoCoreError, ClientError

from infrastructure.backend_file import Backend, copy_of_environment, read_backend
from infrastructure.state_bucket import create_state_bucket
from infrastructure.terraform import PLUGINS_VARIABLE, Terraform, TerraformFailed, TerraformMissing
from rollout.errors import RolloutError
from rollout.outputs_file import read_outputs
from sandbox.addresses import claim_addresses
from sandbox.clock import ClockWriter
from sandbox.cloud.plane import CloudPlane, Front
from sandbox.contracts import RunningTask, TaskSpec
from sandbox.errors import SandboxError

ENVIRONMENT = "production"  # the one whose account is the emulated one
FAILED, MISSING = 1, 2
PARALLELISM = "20"
# Limits in seconds, ten times what an idle machine needs. RDS in the provider waits over a minute for each instance.
INIT_SECONDS, PLAN_SECONDS, APPLY_SECONDS, DESTROY_SECONDS = 120.0, 600.0, 2_700.0, 2_700.0
_CHANGES, _NO_CHANGES = 2, 0  # of plan -detailed-exitcode
_COUNTS = re.compile(r"(?:Plan|Apply complete!|Resources): .*\d+.*|No changes\..*")


class DrillError(Exception):
    """A step did not hold what it promises."""


FAILURES = (DrillError, TerraformFailed, RolloutError, SandboxError, ClientError, BotoCoreError)


class _NoTasks:
    """No image is registered in a drill, so ECS never gets as far as starting a task."""

    def start(self, spec: TaskSpec, on_exit: Callable[[str, int], None]) -> RunningTask:
        raise AssertionError(f"a drill starts no task, and {spec.service_name} wanted one")

    def stop(self, task_id: str, grace_seconds: float) -> None:
        raise AssertionError(f"a drill has no task {task_id}")


@dataclass(frozen=True, kw_only=True)
class Drill:
    """One environment on one control plane."""

    terraform: Terraform
    backend: Backend
    endpoint_url: str
    scratch: Path
    topology: str = ""  # instead of the environment's own

    def bootstrap(self) -> str:
        """The bucket of the state, as people make it."""
        session = boto3.Session(aws_access_key_id="drill", aws_secret_access_key="drill")
        create_state_bucket(session, self.backend, endpoint_url=self.endpoint_url)
        return self.backend.bucket

    def init(self) -> str:
        where = ["-backend-config=backend.hcl", "-backend-config=use_path_style=true", "-reconfigure"]
        self.terraform.run("init", *where, "-input=false", "-lockfile=readonly", timeout_seconds=INIT_SECONDS)
        return "state in the bucket, provider as locked"

    def plan(self) -> str:
        """Saves the plan that `apply` applies."""
        return self._planned("first.tfplan", wanted=_CHANGES)

    def apply(self) -> str:
        return self._applied("first.tfplan", timeout_seconds=APPLY_SECONDS)

    def plan_again(self) -> str:
        return self._planned("second.tfplan", wanted=_NO_CHANGES)

    def outputs(self) -> str:
        """`terraform output -json` is a file that the engine reads. Raises its BadInput if not."""
        finished = self.terraform.run("output", "-json", timeout_seconds=INIT_SECONDS)
        path = self.scratch / "outputs.json"
        path.write_text(finished.output, encoding="utf-8")
        target = read_outputs(path, environment=ENVIRONMENT).target
        return f"the engine reads them: {target.cluster_name}, {target.public_host}"

    def destroy(self) -> str:
        self._planned("destroy.tfplan", "-destroy", wanted=_CHANGES)
        said = self._applied("destroy.tfplan", timeout_seconds=DESTROY_SECONDS)
        left = self.terraform.run("state", "list", timeout_seconds=INIT_SECONDS).output.split()
        if left:
            raise DrillError(f"{len(left)} resources are left: {', '.join(left[:10])}")
        return said

    def _planned(self, name: str, *more: str, wanted: int) -> str:
        options = ["-input=false", "-no-color", "-detailed-exitcode", f"-parallelism={PARALLELISM}"]
        if self.topology:
            options.append(f"-var=topology={self.topology}")  # a file of variables outweighs TF_VAR_...
        finished = self.terraform.run(
            "plan", *options, *more, f"-out={self.scratch / name}", timeout_seconds=PLAN_SECONDS, allowed=(0, 2)
        )
        if finished.code != wanted:
            raise DrillError("a plan without changes" if wanted else f"changes are left\n{_actions(finished.output)}")
        return _counts(finished.output)

    def _applied(self, name: str, *, timeout_seconds: float) -> str:
        options = ["-input=false", "-no-color", f"-parallelism={PARALLELISM}"]
        finished = self.terraform.run("apply", *options, str(self.scratch / name), timeout_seconds=timeout_seconds)
        return _counts(finished.output)


def _counts(output: str) -> str:
    found = _COUNTS.findall(output)
    return str(found[-1]).rstrip(".") if found else "no counts printed"


def _actions(output: str) -> str:
    """What a plan would do, without what it looked at."""
    _, found, actions = output.partition("Terraform will perform the following actions:")
    return actions.strip() if found else output


@contextmanager
def control_plane(scratch: Path, front: Front | None = None) -> Iterator[str]:
    """An empty account at real time on a loopback address of its own, behind `front` if given; gives its endpoint."""
    addresses = claim_addresses()
    clock = ClockWriter(scratch / "clock", factor=1.0)
    plane = CloudPlane(clock, _NoTasks(), address=addresses.internal)
    try:
        yield plane.start(front)
    finally:
        plane.stop()
        addresses.release()


def made_up() -> dict[str, str]:
    """The variables that the pipeline gives, made up."""
    return {
        "test_header_value": secrets.token_urlsafe(24),
        "service_image_digest": f"sha256:{secrets.token_hex(32)}",
        "engine_image_digest": f"sha256:{secrets.token_hex(32)}",
    }


def drill_of(endpoint_url: str, *, scratch: Path, variables: Mapping[str, str], topology: str = "") -> Drill:
    """Production on the account behind an endpoint, with a copy of the tree in `scratch`."""
    terraform = Terraform(
        directory=copy_of_environment(ENVIRONMENT, scratch / "tree"),
        scratch=scratch,
        variables=variables,
        environment={
            "AWS_ENDPOINT_URL": endpoint_url,
            "AWS_ACCESS_KEY_ID": "drill",
            "AWS_SECRET_ACCESS_KEY": "drill",
            "AWS_MAX_ATTEMPTS": "4",  # a failing call is an error, not an hour of retries
            "AWS_RETRY_MODE": "standard",
        },
    )
    return Drill(
        terraform=terraform,
        backend=read_backend(ENVIRONMENT),
        endpoint_url=endpoint_url,
        scratch=scratch,
        topology=topology,
    )


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


def run_drill(topology: str, *, scratch: Path) -> None:
    """All steps in order, a line for each. Raises TerraformMissing, or one of FAILURES."""
    with control_plane(scratch) as endpoint_url:
        variables = {**made_up(), "deletion_protection": "false"}  # without the switch nothing can be destroyed
        drill = drill_of(endpoint_url, scratch=scratch, variables=variables, topology=topology)
        step("terraform", lambda: demand_provider(drill.terraform))
        step("state bucket", drill.bootstrap)
        step("init", drill.init)
        step("plan", drill.plan)
        step("apply", drill.apply)
        step("plan again", drill.plan_again)
        step("outputs", drill.outputs)
        step("destroy", drill.destroy)


@click.command()
@click.option("--topology", type=click.Choice(["direct", "gateway"]), default=None, help="Instead of the tfvars' own.")
def main(topology: str | None) -> None:
    """Apply production to an emulated account, plan again, read the outputs, destroy."""
    started = time.monotonic()
    try:
        with tempfile.TemporaryDirectory(prefix="release-gates-drill-") as scratch:
            run_drill(topology or "", scratch=Path(scratch))
    except TerraformMissing as error:
        click.echo(f"not run: {error}", err=True)
        sys.exit(MISSING)
    except FAILURES as error:
        click.echo(f"the drill failed after {time.monotonic() - started:.1f} s: {error}", err=True)
        sys.exit(FAILED)
    click.echo(f"the drill held: {time.monotonic() - started:.1f} s")


if __name__ == "__main__":
    main()
