"""What a run is about: its environment, what release.toml declares, where its evidence goes.

Only outside input that the gate itself needs is read here: `[environments.NAME]` (`drills = true` opts in to
drills) and `[[waivers]]` (control, by, reason, until). The engine reads the rest of release.toml.
"""

from __future__ import annotations

import os
import secrets
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from evidence.verdicts import SANDBOX


@dataclass(frozen=True, kw_only=True)
class Waiver:
    """A person's decision to accept one control's failure until the end of a day (UTC)."""

    control: str
    by: str
    reason: str
    until: date

    def expired(self, today: date) -> bool:
        """True from the day after `until`."""
        return today > self.until


@dataclass(frozen=True, kw_only=True)
class Release:
    """The part of release.toml that the gate reads: environments by name, waivers by control."""

    environments: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    waivers: Mapping[str, Waiver] = field(default_factory=dict)

    @property
    def names(self) -> tuple[str, ...]:
        """Every environment that may be asked for; the sandbox is always one."""
        return (SANDBOX, *(name for name in self.environments if name != SANDBOX))

    def allows_drills(self, environment: str) -> bool:
        """Drills run in the sandbox and where an environment opts in."""
        return environment == SANDBOX or self.environments.get(environment, {}).get("drills") is True


def load_release(path: Path) -> Release:
    """Read release.toml; an absent file declares nothing. Raises pytest.UsageError that names the entry."""
    if not path.exists():
        return Release()
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise pytest.UsageError(f"{path.name}: not readable as TOML: {error}; correct the line it names") from None
    environments = document.get("environments", {})
    if not isinstance(environments, dict) or not all(isinstance(entry, dict) for entry in environments.values()):
        raise pytest.UsageError(f"{path.name}: environments must be tables; write [environments.production]")
    waivers: dict[str, Waiver] = {}
    for entry in document.get("waivers", []):
        waiver = _waiver(path, entry)
        if waiver.control in waivers:
            raise pytest.UsageError(f"{path.name}: two waivers for {waiver.control}; keep one")
        waivers[waiver.control] = waiver
    return Release(environments=environments, waivers=waivers)


def _waiver(path: Path, entry: Mapping[str, Any]) -> Waiver:
    words = [name for name in ("control", "by", "reason") if not str(entry.get(name, "")).strip()]
    until = entry.get("until")
    if isinstance(until, datetime):
        until = until.date()
    if isinstance(until, str):
        try:
            until = date.fromisoformat(until)
        except ValueError:
            until = None
    if words or not isinstance(until, date):
        missing = ", ".join([*words, *([] if isinstance(until, date) else ["until (a date)"])])
        raise pytest.UsageError(f"{path.name}: the waiver {dict(entry)!r} lacks {missing}; a waiver needs all four")
    return Waiver(control=entry["control"], by=entry["by"], reason=entry["reason"], until=until)


def choose_environment(asked: str | None, release: Release, variables: Mapping[str, str]) -> str:
    """The environment of this run. Raises pytest.UsageError with the list where it must be, and is not, named."""
    listed = ", ".join(release.names)
    if asked is not None:
        if asked not in release.names:
            raise pytest.UsageError(f"--environment {asked}: not declared in release.toml; declared are: {listed}")
        return asked
    in_ci = variables.get("CI", "") not in ("", "0")
    if in_ci or len(release.names) > 1:
        why = "CI is set" if in_ci else "release.toml declares a real environment"
        raise pytest.UsageError(f"--environment is compulsory because {why}; declared are: {listed}")
    return SANDBOX


@dataclass(frozen=True, kw_only=True)
class Run:
    """One run of the gate, the same in the controller and in every xdist worker."""

    run_id: str
    environment: str
    release: Release
    root: Path
    features: Path
    directory: Path
    started: str

    @property
    def work(self) -> Path:
        """Directory shared by all workers of this run; what fixtures leave in it stays with the evidence."""
        return self.directory / "work"


RUN = pytest.StashKey[Run]()


def is_gate_run(config: pytest.Config) -> bool:
    """True if the arguments reach into features/: `pytest tests/` is an ordinary test run.

    Shape: an argument names features/, something below it, or a directory above it.
    """
    features = config.rootpath / "features"
    if not features.is_dir():
        return False
    return any(_touches(_argument_path(config, argument), features) for argument in config.args)


def _argument_path(config: pytest.Config, argument: str) -> Path:
    return Path(os.path.abspath(config.invocation_params.dir / argument.split("::", 1)[0]))


def _touches(path: Path, features: Path) -> bool:
    return path == features or features in path.parents or path in features.parents


def begin_run(config: pytest.Config) -> Run:
    """Make the run of this controller. Raises pytest.UsageError as `load_release` and `choose_environment` do."""
    release = load_release(config.rootpath / "release.toml")
    environment = choose_environment(config.option.environment, release, os.environ)
    now = datetime.now(tz=UTC)
    run_id = f"{now:%Y%m%dT%H%M%SZ}-{secrets.token_hex(3)}"
    evidence = Path(config.option.evidence_directory)
    return Run(
        run_id=run_id,
        environment=environment,
        release=release,
        root=config.rootpath,
        features=config.rootpath / "features",
        directory=(evidence if evidence.is_absolute() else config.rootpath / evidence) / run_id,
        started=now.isoformat(timespec="milliseconds"),
    )


def join_run(config: pytest.Config, told: Sequence[str]) -> Run:
    """The controller's run, seen from an xdist worker; `told` is (run_id, environment, directory, started)."""
    run_id, environment, directory, started = told
    return Run(
        run_id=run_id,
        environment=environment,
        release=load_release(config.rootpath / "release.toml"),
        root=config.rootpath,
        features=config.rootpath / "features",
        directory=Path(directory),
        started=started,
    )


def environment_name(config: pytest.Config) -> str:
    """Name of the environment under release; the sandbox for an ordinary test run."""
    run = config.stash.get(RUN, None)
    return run.environment if run else SANDBOX
