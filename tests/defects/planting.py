"""Plants a defect of any kind, watches, and takes it away again; shares one sandbox and one good rehearsal."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from gate.provenance import commit_of
from rehearsal.catalogue import RELEASE
from rehearsal.result import RESULT_FILE
from rehearsal.schedule import slug
from sandbox.client import Sandbox
from sandbox.fixture import start_sandbox
from tests.defects.evidence import Evidence, fits
from tests.defects.model import CodeEdit, Defect, Faults, Patched, PlanEdit, Recorded, Rehearsed, Undo, World
from tests.defects.trees import ROOT, apply_patch, copy_tree, edit_code, edit_plan
from tests.defects.watching import Scene, Seen, environment_for, watch

_REHEARSAL_SECONDS = 420.0
_ATTEMPTS = 3


@dataclass
class Greenhouse:
    """Everything that the defects of one session share. `fresh`: never take a good result from an earlier gate run."""

    place: Path
    fresh: bool
    stack: ExitStack
    spoilt: set[tuple[str, ...]] = field(default_factory=set)
    _shared: Sandbox | None = None
    _made: dict[str, Path] = field(default_factory=dict)
    _green: set[tuple[str, ...]] = field(default_factory=set)

    def shared(self) -> Sandbox:
        """The sandbox under release, started when the first defect needs it."""
        if self._shared is None:
            self._shared = self.stack.enter_context(start_sandbox(live="green", name="defects"))
        return self._shared

    def nowhere(self) -> Path:
        """A sandbox that is not there: scenarios on the virtual clock need none, and must not start one."""
        return self.place / "no-sandbox"

    def kept(self, key: str, make: Callable[[Path], None]) -> Path:
        """A directory that `make` filled, once per session and key."""
        if key not in self._made:
            # One that could not be made stays behind; the next attempt gets a place of its own.
            target = Path(tempfile.mkdtemp(prefix="kept-", dir=self.place))
            make(target)
            self._made[key] = target
        return self._made[key]

    def demand_green(self, watched: tuple[str, ...], scene: Scene) -> None:
        """The watched scenarios are green without the defect; looked at once per domain and session."""
        if watched not in self._green:
            assert_green(watch(watched, scene))
            self._green.add(watched)

    # ------------------------------------------------------------------------------------------- rehearsals

    def good(self, name: str) -> Path:
        """A directory that holds the good result of a rehearsal: of the newest gate run that has one, or made now."""

        def make(target: Path) -> None:
            place = target / slug(name)
            earlier = None if self.fresh else newest(name)
            if earlier is not None:
                shutil.copytree(earlier, place)
            for _ in range(_ATTEMPTS):  # a busy machine can make a good release slow, and the engine takes it back
                if fits(place, name):
                    return
                shutil.rmtree(place, ignore_errors=True)
                self.rehearse(name, place, tree=ROOT)
            assert fits(place, name), f"{name!r} did not end well in {_ATTEMPTS} attempts: {Evidence(place).ending}"

        return self.kept(f"good {name}", make)

    def rehearse(self, name: str, output: Path, *, tree: Path, planted: Rehearsed | None = None) -> None:
        """Carry out a rehearsal for real, with or without faults on top, in a sandbox of its own."""
        output.mkdir(parents=True)
        options: list[str] = []
        if planted is not None and planted.plant:
            plant = output / "plant.json"
            plant.write_text(json.dumps(planted.plant), encoding="utf-8")
            options = ["--plant", str(plant)]
        command = [sys.executable, "-m", "rehearsal", "run", name, "--output", str(output), *options]
        with ExitStack() as stack:
            if name == RELEASE:
                sandbox = stack.enter_context(start_sandbox(live="green", name="defects"))
                command += ["--directory", str(sandbox.directory)]
                if planted is not None and planted.act is not None:
                    planted.act(sandbox)
            with (output / "rehearsal.log").open("wb") as log:
                environment = environment_for(Scene(tree=tree, sandbox=self.nowhere()))
                subprocess.run(
                    command,
                    cwd=tree,
                    env=environment,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    timeout=_REHEARSAL_SECONDS,
                    check=False,
                )
        assert (output / RESULT_FILE).exists(), (output / "rehearsal.log").read_text(encoding="utf-8")[-3000:]


def assert_green(seen: Seen) -> None:
    """Nothing is red without a defect."""
    told = [f"{name}: {text}" for name, texts in seen.red.items() for text in texts]
    assert not told, "red although nothing is planted:\n" + "\n".join(told)


def newest(name: str) -> Path | None:
    """The result of a rehearsal in the newest gate run of this very tree that nothing was red in, if any."""
    runs = sorted((ROOT / "build" / "evidence").glob("2*/results.json"), reverse=True)
    paths = (run.parent / "work" / "rehearsals" / slug(name) for run in runs if _all_green(run))
    return next((path for path in paths if fits(path, name)), None)


def _all_green(results: Path) -> bool:
    document = json.loads(results.read_text(encoding="utf-8"))
    return document["verdict"] in ("rehearsal-passed", "partial") and document["commit"] == commit_of(ROOT)


@contextmanager
def planted_faults(sandbox: Sandbox, faults: Faults, act: Callable[[Sandbox], Undo] | None) -> Iterator[None]:
    """Faults and a person's deed in a running sandbox, both taken back in the end whatever happens between."""
    undo: Undo | None = None
    try:
        for slot, values in faults.items():
            sandbox.fault(slot, **values)
        undo = act(sandbox) if act is not None else None
        yield
    finally:
        if undo is not None:
            undo()
        sandbox.clear()


def see(defect: Defect, house: Greenhouse, place: Path) -> Seen:
    """Plant, watch, take away; the watched scenarios are proven green without it."""
    match defect.plant:
        case World():
            return _in_world(defect, defect.plant, house)
        case PlanEdit(edits=edits):
            return _in_copy(defect, house, place, spoil=lambda copy: edit_plan(copy, edits))
        case CodeEdit(edits=changes, attached=attached):
            sandbox = house.shared().directory if attached else house.nowhere()
            return _in_copy(defect, house, place, spoil=lambda copy: edit_code(copy, changes), sandbox=sandbox)
        case Patched():
            return _in_engine(defect, defect.plant, house, place)
        case Recorded():
            return _in_record(defect, defect.plant, house, place)
        case Rehearsed():
            return _in_rehearsal(defect, defect.plant, house)


def _in_world(defect: Defect, plant: World, house: Greenhouse) -> Seen:
    if plant.own:
        house.demand_green(defect.watched, Scene(tree=ROOT, sandbox=house.shared().directory))
        with (
            start_sandbox(live="green", name="defect") as own,
            planted_faults(own, plant.faults, plant.act),
        ):
            return watch(defect.watched, Scene(tree=ROOT, sandbox=own.directory))
    scene = Scene(tree=ROOT, sandbox=house.shared().directory)
    house.demand_green(defect.watched, scene)
    house.spoilt.add(defect.watched)
    with planted_faults(house.shared(), plant.faults, plant.act):
        return watch(defect.watched, scene)


def _in_copy(
    defect: Defect, house: Greenhouse, place: Path, *, spoil: Callable[[Path], None], sandbox: Path | None = None
) -> Seen:
    where = sandbox or house.nowhere()
    house.demand_green(defect.watched, Scene(tree=ROOT, sandbox=where))
    copy = copy_tree(place / "tree")
    spoil(copy)
    return watch(defect.watched, Scene(tree=copy, sandbox=where))


def _in_engine(defect: Defect, plant: Patched, house: Greenhouse, place: Path) -> Seen:
    if plant.rehearsal is None:
        return _in_copy(defect, house, place, spoil=lambda copy: apply_patch(copy, plant.patch))
    good = Scene(tree=ROOT, sandbox=house.shared().directory, results=house.good(plant.rehearsal))
    house.demand_green(defect.watched, good)
    copy = copy_tree(place / "tree")
    apply_patch(copy, plant.patch)
    results = place / "results"
    house.rehearse(plant.rehearsal, results / slug(plant.rehearsal), tree=copy)
    return watch(defect.watched, Scene(tree=ROOT, sandbox=house.shared().directory, results=results))


def _in_record(defect: Defect, plant: Recorded, house: Greenhouse, place: Path) -> Seen:
    good = house.good(plant.rehearsal)
    house.demand_green(defect.watched, Scene(tree=ROOT, sandbox=house.shared().directory, results=good))
    results = place / "results"
    shutil.copytree(good, results)
    evidence = Evidence(results / slug(plant.rehearsal))
    plant.doctor(evidence)
    evidence.store()
    return watch(defect.watched, Scene(tree=ROOT, sandbox=house.shared().directory, results=results))


def _in_rehearsal(defect: Defect, plant: Rehearsed, house: Greenhouse) -> Seen:
    good = house.good(plant.rehearsal)
    house.demand_green(defect.watched, Scene(tree=ROOT, sandbox=house.shared().directory, results=good))
    deed = getattr(plant.act, "__name__", "")
    key = f"{plant.rehearsal} {json.dumps(plant.plant, sort_keys=True)} {deed}"

    def make(target: Path) -> None:
        house.rehearse(plant.rehearsal, target / slug(plant.rehearsal), tree=ROOT, planted=plant)

    results = house.kept(key, make)
    return watch(defect.watched, Scene(tree=ROOT, sandbox=house.shared().directory, results=results))
