"""pytest plugin: the environment under release and the rehearsals, started beside the scenarios that read them.

The controller starts one process (`python -m rehearsal serve`) and ends it; workers leave requests in the run's work
directory. Requests go out as soon as it is known which scenarios run, so that drills are under way while the first
scenarios are looked at.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

import pytest

import rehearsal.prepared
from evidence.verdicts import SANDBOX
from gate.facts import record, record_part, record_rollout, work_directory
from gate.settings import environment_name
from gate.verdicts import NotPassed, no_data
from probes.account.session import Account, account_of
from probes.auth import Authority
from probes.target import Endpoint
from probes.waiting import Tries
from rehearsal.catalogue import LOAD, RELEASE
from rehearsal.loads import version_under_release
from rehearsal.result import Result
from rehearsal.scene import ROOT, RehearsalError, authority_of, end_process
from rehearsal.schedule import ENVIRONMENT_FILE, finished, prepared_results, request, result_directory
from rollout.compose import Connection, connect
from rollout.errors import BadInput
from rollout.model import Plan, Verdict
from rollout.outputs_file import read_outputs
from rollout.plan_file import read_release_file
from rollout.target import Target
from sandbox.client import Sandbox

_START_SECONDS = 120.0
_RESULT_SECONDS = 420.0
_LOOK_SECONDS = 0.05
_DRILL_STEP = re.compile(r'the drill "([^"]+)"')
_LOAD_STEP = "the load report of the version under release"
_SERVER = pytest.StashKey[subprocess.Popen[bytes]]()


def pytest_configure(config: pytest.Config) -> None:
    """Only where results were prepared: a plugin that says so."""
    if prepared_results() is not None:
        config.pluginmanager.register(rehearsal.prepared, rehearsal.prepared.__name__)


def pytest_sessionstart(session: pytest.Session) -> None:
    """In the controller of a sandbox run: start the process that carries rehearsals out."""
    work = work_directory(session.config)
    if work is None or hasattr(session.config, "workerinput") or session.config.option.collectonly:
        return
    if environment_name(session.config) != SANDBOX:
        return
    with (work / "rehearsals.log").open("wb") as log:
        command = [sys.executable, "-m", "rehearsal", "serve", "--work", str(work)]
        server = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
    session.config.stash[_SERVER] = server


def pytest_collection_finish(session: pytest.Session) -> None:
    """Ask for the drills that the chosen scenarios read. The release waits for the first scenario that needs it."""
    work = work_directory(session.config)
    if work is None or environment_name(session.config) != SANDBOX or session.config.option.collectonly:
        return
    for item in session.items:
        steps = steps_of(session.config, item)
        for name in (*_DRILL_STEP.findall(" ".join(steps)), *([LOAD] if _LOAD_STEP in steps else [])):
            request(work, name)


def steps_of(config: pytest.Config, item: pytest.Item) -> list[str]:
    """The step sentences of a collected scenario."""
    from pytest_bdd.scenario import scenario_wrapper_template_registry as registry

    template = registry.get(getattr(item, "obj", pytest_unconfigure))
    return [] if template is None else [step.name for step in template.steps]


@pytest.hookimpl(trylast=True)
def pytest_unconfigure(config: pytest.Config) -> None:
    """End the process and, with it, every sandbox that it started."""
    server = config.stash.get(_SERVER, None)
    if server is not None:
        end_process(server)


@dataclass(frozen=True)
class World:
    """The environment under release, as steps reach it."""

    name: str
    outputs: Mapping[str, Any]
    target: Target
    plan: Plan
    sandbox: Sandbox | None = None
    under_release: str | None = None  # the image digest; None where nobody says

    @property
    def endpoint(self) -> Endpoint:
        """The public address as a customer knows it."""
        return Endpoint(host=self.target.public_host, connect_to=self.target.connect_to, ca_file=self.target.ca_file)

    @cached_property
    def account(self) -> Account:
        return account_of(self.outputs)

    @cached_property
    def connection(self) -> Connection:
        return connect(self.target, patient=True)

    @property
    def authority(self) -> Authority:
        """The synthetic tenant. Ends the scenario as NO_DATA where the environment declares none."""
        if self.sandbox is None:
            no_data(f"{self.name} declares no synthetic tenant to sign in as")
        return authority_of(self.sandbox, "release-checks")


@pytest.fixture(scope="session")
def plan_in_force(pytestconfig: pytest.Config) -> Plan:
    """The plan of release.toml. A plan that is refused is a FAIL with the plan file's own sentence, which names key,
    value and range: whoever reads the plan has an answer, nothing broke."""
    try:
        return read_release_file(pytestconfig.rootpath / "release.toml").plan
    except BadInput as error:
        raise NotPassed(Verdict.FAIL, f"the plan in force is refused: {error}") from error


@pytest.fixture(scope="session")
def world(pytestconfig: pytest.Config, plan_in_force: Plan) -> World:
    """The environment of this run; the sandbox is the one that is up, else the run's own."""
    name = environment_name(pytestconfig)
    if name != SANDBOX:
        return _declared(pytestconfig, name, plan_in_force)
    work = work_directory(pytestconfig)
    if work is None:
        raise pytest.UsageError("the environment under release belongs to `pytest features/`")
    facts = _await_file(work / ENVIRONMENT_FILE, _START_SECONDS)
    if "error" in facts:
        raise NotPassed(Verdict.SOURCE_ERROR, f"the sandbox under release did not start: {facts['error']}")
    sandbox = Sandbox.attach(Path(facts["directory"]))
    target = read_outputs(sandbox.outputs_path, environment=SANDBOX).target
    status = sandbox.status()
    record(pytestconfig, account=target.account_id, region=target.region, caller="sandbox", tools=status["versions"])
    record(pytestconfig, image_digests=dict(sandbox.outputs["images"]))
    world = World(name=name, outputs=sandbox.outputs, target=target, plan=plan_in_force, sandbox=sandbox)
    return replace(world, under_release=_other_image(sandbox))


def _other_image(sandbox: Sandbox) -> str | None:
    """The image of the version that is not live; asked before the release makes it the live one."""
    try:
        return str(sandbox.outputs["images"][version_under_release(sandbox)])
    except RehearsalError:
        return None


def _declared(config: pytest.Config, name: str, plan: Plan) -> World:
    file = read_release_file(config.rootpath / "release.toml")
    path = file.environments[name].outputs
    document = json.loads(Path(path).read_text(encoding="utf-8"))
    outputs = {key: item["value"] for key, item in document.items()}
    read = read_outputs(Path(path), environment=name)
    image = file.release.image or read.images.get(file.release.version)
    return World(name=name, outputs=outputs, target=read.target, plan=plan, under_release=image)


def _await_file(path: Path, seconds: float) -> dict[str, Any]:
    for _ in Tries(deadline_seconds=seconds, interval_seconds=_LOOK_SECONDS):
        if path.exists():
            return dict(json.loads(path.read_text(encoding="utf-8")))
    raise NotPassed(Verdict.SOURCE_ERROR, f"waited {seconds:g} s in vain for {path.name}")


@dataclass(frozen=True)
class Rehearsals:
    """What was rehearsed in this run, by name; asks for it if nobody did yet."""

    config: pytest.Config

    def result(self, name: str) -> Result:
        """Wait for a rehearsal. Ends the scenario as NO_DATA where none can be made, SOURCE_ERROR where it broke."""
        work = work_directory(self.config)
        if work is None or environment_name(self.config) != SANDBOX:
            no_data(
                f"no {name!r} was made in {environment_name(self.config)}: a signed bundle of the rehearsal is needed"
            )
        request(work, name)
        tries = Tries(deadline_seconds=_RESULT_SECONDS, interval_seconds=_LOOK_SECONDS)
        if not any(finished(work, name) for _ in tries):
            raise NotPassed(Verdict.SOURCE_ERROR, f"{name!r} did not end within {_RESULT_SECONDS:g} s")
        result = Result(result_directory(work, name))
        if result.error:
            raise NotPassed(
                Verdict.SOURCE_ERROR, f"{name!r} could not be carried out: {result.error}{result.disturbed}"
            )
        self._note(name, result)
        return result

    def _note(self, name: str, result: Result) -> None:
        """Once per run: the rollout and its seconds, for results.json and the ledger."""
        marker = result.directory / "noted"
        try:
            marker.touch(exist_ok=False)
        except FileExistsError:
            return
        for attempt, part in ((result, name), (result.void, f"{name}, void")):
            if attempt is None:
                continue
            record_part(self.config, part, attempt.seconds)
            if attempt.rollout:
                record_rollout(self.config, attempt.rollout)
        if name == RELEASE:
            record(self.config, plan_sha256=result.record["plan_sha256"], clock_factor=result.clock.factor)


@pytest.fixture(scope="session")
def rehearsals(pytestconfig: pytest.Config) -> Rehearsals:
    return Rehearsals(pytestconfig)
