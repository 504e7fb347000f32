"""What release.toml says beside the plan: what is released, where to, and which failures a person accepts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from rollout.errors import BadInput
from rollout.model import Plan

SANDBOX = "sandbox"


@dataclass(frozen=True, kw_only=True)
class Release:
    """What is released: the service's name, its version, and (optional) the image by digest."""

    service: str
    version: str
    image: str = ""


@dataclass(frozen=True, kw_only=True)
class Environment:
    """A place to release to. `outputs` is the file of `terraform output -json`, resolved against the release file;
    `session_stickiness_seconds` is how long the load balancer keeps a customer on one side (0: not at all)."""

    name: str
    outputs: Path
    drills: bool = False
    session_stickiness_seconds: int = 0


@dataclass(frozen=True, kw_only=True)
class Waiver:
    """A person's decision to accept one control's failure until the end of a day (UTC)."""

    control: str
    by: str
    reason: str
    until: date


@dataclass(frozen=True, kw_only=True)
class ReleaseFile:
    """All of release.toml, checked."""

    path: Path
    release: Release
    plan: Plan
    environments: Mapping[str, Environment] = field(default_factory=dict)
    waivers: tuple[Waiver, ...] = ()

    def environment(self, asked: str | None, variables: Mapping[str, str]) -> Environment:
        """The environment to work on. Raises BadInput with the list where it must be named, and is not or wrongly."""
        listed = ", ".join(self.environments)
        if asked is not None:
            if asked not in self.environments:
                hint = f"Declared are: {listed}."
                raise BadInput(f"environment {asked!r} is not declared in {self.path}", hint=hint)
            return self.environments[asked]
        in_ci = variables.get("CI", "") not in ("", "0")
        others = any(name != SANDBOX for name in self.environments)
        if in_ci or others or SANDBOX not in self.environments:
            why = "CI is set" if in_ci else f"{self.path} declares more than the sandbox"
            raise BadInput(f"--environment is compulsory because {why}", hint=f"Declared are: {listed}.")
        return self.environments[SANDBOX]
