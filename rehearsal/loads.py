"""Load runs, each a process of its own: locust patches the process that it runs in, so nothing of it is imported here.

Twice in a run of the gate. Before the release, in a sandbox of its own, on the version under release and its own
address; and inside the stability time of the release, on the public address, while the stream goes on beside it.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from gate.provenance import commit_of
from rehearsal.drill import plant
from rehearsal.planted import Plant
from rehearsal.scene import ROOT, RehearsalError, Scene, await_condition, end_process
from rollout.model import MINUTE_SECONDS
from rollout.plan_file import read_release_file
from rollout.record import Record, State
from rollout.seen import MetricQuery
from sandbox.client import Sandbox

REPORT_FILE, DIRECTORY = "loadreport.json", "load"
_PROFILE = "release"
_TENANT = "load-test"
_READY_SECONDS = 60.0
_RUN_SECONDS = 75.0  # of which the profile takes twenty
# Pass, fail, inconclusive, invalid: the run was carried out and says so. Anything else is no run.
_CARRIED_OUT = (0, 3, 4, 5)
INVALID = 5


@dataclass(frozen=True, kw_only=True)
class Aim:
    """Whom the load goes to: a host name with the headers that open it, and which version answers there."""

    host: str
    version: str
    image_digest: str
    headers: tuple[tuple[str, str], ...] = ()


@dataclass
class LoadRun(AbstractContextManager["LoadRun"]):
    """One run, ended with its block. It leaves its report in `load/` of the scene's directory."""

    scene: Scene
    _process: subprocess.Popen[bytes] | None = None
    _began: dict[str, float] = field(default_factory=dict)
    _secrets: tempfile.TemporaryDirectory[str] = field(default_factory=tempfile.TemporaryDirectory)

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        if self._process is not None:
            end_process(self._process)
        self._secrets.cleanup()

    @property
    def begun(self) -> bool:
        """Whether it was started."""
        return self._process is not None

    @property
    def seconds(self) -> float:
        """Since it began; 0 before."""
        return time.monotonic() - self._began["monotonic"] if self._began else 0.0

    def begin(self, aim: Aim) -> Self:
        """Start the load."""
        self._began = {
            "monotonic": time.monotonic(),
            "epoch": time.time(),
            "virtual": self.scene.connection.clock.wall(),
        }
        with (self.scene.directory / "load.log").open("wb") as log:
            self._process = subprocess.Popen(
                self._command(aim), cwd=ROOT, stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )
        return self

    @property
    def over(self) -> bool:
        """Whether its process has ended."""
        return self._process is not None and self._process.poll() is not None

    def finish(self) -> None:
        """Wait for its end and note how and when it ended, once. Raises RehearsalError where it was not carried out."""
        if self._process is None or "load" in self.scene.notes.facts:
            return
        try:
            code = self._process.wait(max(1.0, _RUN_SECONDS - self.seconds))
        except subprocess.TimeoutExpired:
            raise RehearsalError(f"the load run did not end within {_RUN_SECONDS:g} s: {self._last_words()}") from None
        if code not in _CARRIED_OUT or not (self.scene.directory / DIRECTORY / REPORT_FILE).exists():
            raise RehearsalError(f"the load run ended with {code} and no report: {self._last_words()}")
        ended = {"ended_virtual": self.scene.connection.clock.wall(), "seconds": self.seconds}
        self.scene.notes.facts["load"] = {"exit_code": code, "began": self._began, **ended}

    def _command(self, aim: Aim) -> list[str]:
        target, report = self.scene.target, self.scene.directory / DIRECTORY
        words = {
            "--host": f"https://{aim.host}",
            "--profile": _PROFILE,
            "--report": str(report),
            "--ca-file": str(target.ca_file),
            "--credentials": str(self._credentials()),
            "--subject-image": aim.image_digest,
            "--subject-version": aim.version,
            "--subject-environment": target.environment,
            "--subject-commit": commit_of(ROOT) or "",
        }
        command = [sys.executable, "-m", "loadtests", "run", "--no-abort"]
        command += [f"{option}={value}" for option, value in words.items() if value]
        command += [f"--connect-to={entry}" for entry in target.connect_to]
        return command + [f"--header={name}:{value}" for name, value in aim.headers]

    def _credentials(self) -> Path:
        """Of the synthetic tenant, in a file that nobody else reads and that ends with the run."""
        path = Path(self._secrets.name) / "credentials.json"
        path.touch(mode=0o600)
        secret = str(self.scene.sandbox.description["client_secrets"][_TENANT])
        path.write_text(json.dumps({"client_id": _TENANT, "client_secret": secret}), encoding="ascii")
        return path

    def _last_words(self) -> str:
        return (self.scene.directory / "load.log").read_text(encoding="utf-8", errors="replace")[-600:]


# ------------------------------------------------------------------------------------------------ before the release


def version_under_release(sandbox: Sandbox) -> str:
    """The version that is not live, the newest of several. Raises RehearsalError where there is none."""
    status = sandbox.status()
    live = max(status["weights"], key=lambda slot: int(status["weights"][slot]))
    versions = {str(task["version"]) for task in status["slots"][live]["tasks"]}
    others = sorted({str(version) for version in sandbox.outputs["images"]} - versions)
    if not others:
        raise RehearsalError("every known image is live already; the sandbox offers nothing to release")
    return others[-1]


def load_candidate(scene: Scene, version: str, planted: Plant) -> None:
    """The expected traffic on one version at the size of a release, on its own address, in the scene's sandbox."""
    slot = _prepare(scene, version)
    target = scene.target
    aim = Aim(
        host=target.test_hosts[slot],
        version=version,
        image_digest=str(scene.outputs["images"][version]),
        headers=((target.test_header_name, target.test_header_value),),
    )
    plant(scene, planted.before, {"candidate": slot})
    with LoadRun(scene) as load:
        load.begin(aim).finish()
    publish(scene.directory / DIRECTORY, aim.image_digest)


def _prepare(scene: Scene, version: str) -> str:
    """The slot that serves the version with as many tasks as a release has: the live one, or the other made so."""
    stable, candidate = scene.live_and_next()
    image, sources = str(scene.outputs["images"][version]), scene.connection.ports.sources
    slot = stable if image in sources.services.read(stable).image else candidate
    desired = read_release_file(scene.release_file).plan.desired_tasks
    if slot == candidate:
        scene.sandbox.migrate(version)
        scene.connection.ports.hands.services.prepare(slot, image=image, desired=desired, like=stable)
    else:
        scene.connection.ports.hands.services.scale(slot, desired)

    def ready() -> bool:
        counts = sources.targets.targets(slot)
        return counts.healthy >= desired

    await_condition(ready, seconds=_READY_SECONDS, what=f"{desired} healthy targets of {version}")
    return slot


def place_of(root: Path, image_digest: str) -> Path:
    """Where the load report on an image lies, below the repository's root."""
    return root / "build" / "release" / image_digest.removeprefix("sha256:") / DIRECTORY


def publish(report: Path, image_digest: str) -> None:
    """Leave the report where later jobs and people look for it; whole, or the one before it stays."""
    place = place_of(ROOT, image_digest)
    place.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=place.parent) as temporary:
        whole, old = Path(temporary) / "new", Path(temporary) / "old"
        shutil.copytree(report, whole)
        if place.exists():
            place.rename(old)
        whole.rename(place)


# ------------------------------------------------------------------------------------------------ under live traffic


@dataclass
class LiveLoad:
    """The load on the public address, from the moment that the candidate carries it. `planted.under_load`: one entry
    after each second of it. `make_room`: what is called before it, for both streams at once would fill two cores."""

    run: LoadRun
    planted: Plant
    slots: dict[str, str]
    make_room: Callable[[], None]
    _planted: int = 0

    def follow(self, record: Record) -> None:
        """Begin as soon as all customers are on the candidate; plant what is due by now."""
        if not self.run.begun:
            if record.state == State.STABILIZING:
                digest = record.image.rsplit("@", 1)[-1]
                host = self.run.scene.target.public_host
                self.make_room()
                self.run.begin(Aim(host=host, version=record.version_name, image_digest=digest))
            return
        if self.run.over:
            self.run.finish()
        due = self.planted.under_load[self._planted : int(self.run.seconds)]
        for faults in due:
            plant(self.run.scene, faults, self.slots)
        self._planted += len(due)


def note_use(scene: Scene, record: Record) -> None:
    """Keep what the metrics say of the candidate's CPU and memory from the load's beginning to now, as facts."""
    load: dict[str, Any] | None = scene.notes.facts.get("load")
    if load is None:
        return
    first = load["began"]["virtual"] // MINUTE_SECONDS * MINUTE_SECONDS
    last = load["ended_virtual"] // MINUTE_SECONDS * MINUTE_SECONDS
    query = MetricQuery(stable=record.stable, candidate=record.candidate, first=first, last=last)
    metrics = scene.connection.ports.sources.metrics.read(query)
    load["minutes"] = [asdict(minute) for minute in metrics.candidate]
    load["metrics_error"] = metrics.error
