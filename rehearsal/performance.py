"""pytest plugin: load reports on the version under release, held to thresholds, traffic, commit and image digest."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

import pytest

from gate.provenance import commit_of
from gate.verdicts import NotPassed, no_data
from probes.load_judge import judge_report
from probes.load_limits import Wanted, read_thresholds, read_traffic
from probes.load_report import BYTES_MAX, read_report
from probes.strict_json import Unparsable, parse
from rehearsal.catalogue import LOAD, RELEASE
from rehearsal.findings.loads import Use, use_under_load
from rehearsal.loads import DIRECTORY, REPORT_FILE, place_of
from rehearsal.plugin import Rehearsals, World
from rehearsal.result import Result
from rollout.model import Basis, Observation, Verdict

_AGE_MAX = timedelta(hours=24)
_HELD_TO = Path("loadtests")
_SCHEMA = "schema/loadreport.schema.json"
Read = TypeVar("Read")


@dataclass(frozen=True)
class LoadEvidence:
    """A load report as it lies there (None: there is none), what it is held to, and the rehearsal that made it."""

    raw: bytes | None
    wanted: Wanted
    run: Result | None = None

    @cached_property
    def judged(self) -> tuple[Observation, ...]:
        """What the report shows, judged anew."""
        return judge_report(self.raw, self.wanted)

    @property
    def use(self) -> Use | None:
        """CPU and memory under the load; None where they are not known."""
        if self.run is None or self.raw is None or self.judged[0].verdict is not Verdict.PASS:
            return None
        run = read_report(self.raw, self.wanted.schema).run
        return use_under_load(self.run, finished=run.finished.timestamp(), measured_seconds=run.measured_seconds)

    @property
    def ending(self) -> str:
        """How the rehearsal ended that the load belongs to."""
        return self.run.ending if self.run is not None else "no rehearsal belongs to it"


@pytest.fixture(scope="session")
def held_to(pytestconfig: pytest.Config) -> Wanted:
    """What a load report is held to in this tree, before anybody says which image. Ends the scenario as SOURCE_ERROR
    with the file's own sentence where a file is missing or wrong."""
    place = pytestconfig.rootpath / _HELD_TO
    return Wanted(
        thresholds=_read(place / "thresholds.toml", read_thresholds),
        traffic=_read(place / "traffic.toml", read_traffic),
        schema=_read(place / _SCHEMA, _schema),
        image_digest=None,
        commit=commit_of(pytestconfig.rootpath),
        now=datetime.now(UTC),
        age_max=_AGE_MAX,
        source=REPORT_FILE,
    )


def _read(path: Path, reader: Callable[[bytes], Read]) -> Read:
    try:
        return reader(path.read_bytes())
    except (OSError, Unparsable) as error:
        raise NotPassed(Verdict.SOURCE_ERROR, f"{path.name} cannot be read: {error}") from error


def _schema(raw: bytes) -> Mapping[str, Any]:
    schema = parse(raw)
    if not isinstance(schema, Mapping):
        raise Unparsable("a JSON Schema is an object")
    return schema


@pytest.fixture(scope="session")
def candidate_load(
    pytestconfig: pytest.Config, world: World, *, rehearsals: Rehearsals, held_to: Wanted
) -> LoadEvidence:
    """The load on the version under release, before it: made in this run on the sandbox, else by an earlier job."""
    wanted = replace(held_to, image_digest=world.under_release, now=datetime.now(UTC))
    if world.sandbox is not None:
        run = rehearsals.result(LOAD)
        return LoadEvidence(_report(run.directory / DIRECTORY), replace(wanted, now=datetime.now(UTC)), run)
    if world.under_release is None:
        no_data("release.toml and the outputs do not say which image is under release")
    return LoadEvidence(_report(place_of(pytestconfig.rootpath, world.under_release)), wanted)


@pytest.fixture(scope="session")
def live_load(rehearsals: Rehearsals, world: World, held_to: Wanted) -> LoadEvidence:
    """The load on the public address, from the moment that the released version carries it."""
    run = rehearsals.result(RELEASE)
    digest = str(run.record["image"]).rsplit("@", 1)[-1]
    wanted = replace(held_to, image_digest=digest, basis=Basis.LIVE, now=datetime.now(UTC))
    return LoadEvidence(_report(run.directory / DIRECTORY), wanted, run)


def _report(place: Path) -> bytes | None:
    try:
        with (place / REPORT_FILE).open("rb") as file:
            return file.read(BYTES_MAX + 1)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise NotPassed(Verdict.SOURCE_ERROR, f"{REPORT_FILE} cannot be read: {error.strerror}") from error
