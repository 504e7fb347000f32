"""The options that a run has beyond locust's own, and what they say; on the command line, in the web UI's form, or as
LOADTESTS_... in the environment."""

from __future__ import annotations

import random
import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from loadtests.plan import Plan
from loadtests.target import BadTarget

EXIT_BAD_INPUT = 2
HERE = Path(__file__).resolve().parent
_COMMIT = re.compile(r"[0-9a-f]{40}([0-9a-f]{24})?(-dirty)?")
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
TRAFFIC, THRESHOLDS = HERE / "traffic.toml", HERE / "thresholds.toml"
# (option, what it is for, its settings for argparse)
_OPTIONS: tuple[tuple[str, str, dict[str, Any]], ...] = (
    ("--traffic", "file of the expected traffic", {"default": str(TRAFFIC)}),
    ("--thresholds", "file of the thresholds", {"default": str(THRESHOLDS)}),
    ("--seconds", "stretch the profile to so many seconds, warm-up included", {"type": float}),
    ("--rate", "arrivals per second instead of the file's", {"type": float}),
    ("--report", "directory of the report", {"default": "build/loadtest"}),
    ("--connect-to", "HOST:PORT:ADDRESS:PORT as curl has it; repeatable", {"action": "append", "default": []}),
    ("--ca-file", "PEM file of the roots to trust instead of the system's", {}),
    ("--credentials", "JSON file with client_id and client_secret, on each worker's own machine", {}),
    ("--header", "NAME:VALUE for every request; repeatable", {"action": "append", "default": []}),
    ("--subject-service", "name of what is tested", {}),
    ("--subject-commit", "commit of what is tested", {}),
    ("--subject-image", "image digest of what is tested", {}),
    ("--subject-version", "version of what is tested", {}),
    ("--subject-environment", "environment of what is tested", {}),
    ("--baseline", "directory of an earlier report to compare with, or auto", {}),
    ("--no-abort", "measure to the end also when a limit is surely crossed", {"action": "store_true"}),
    ("--loadtests-plan", "set by the master", {"default": ""}),
)
# What the report alone needs; workers and forms have no use for it.
_NOT_IN_FORMS = frozenset({"--connect-to", "--header", "--credentials", "--ca-file", "--loadtests-plan"})


def add_options(parser: Any, *, in_locust: bool) -> None:
    """Add all options to locust's parser or to an ordinary one of argparse."""
    for option, said, settings in _OPTIONS:
        if in_locust:
            variable = "LOADTESTS_" + option.removeprefix("--").removeprefix("loadtests-").replace("-", "_").upper()
            extra = {"env_var": variable, "include_in_web_ui": option not in _NOT_IN_FORMS}
            parser.add_argument(option, help=said, **settings, **extra)
        elif option != "--loadtests-plan":
            parser.add_argument(option, help=said, **settings)


def arguments_of(values: Any) -> list[str]:
    """The options as a command line again, for a child process."""
    arguments = []
    for option, _, settings in _OPTIONS:
        value = getattr(values, option.removeprefix("--").replace("-", "_"), None)
        if settings.get("action") == "store_true":
            arguments += [option] if value else []
        elif isinstance(value, list):
            arguments += [f"{option}={one}" for one in value]
        elif value not in (None, ""):
            arguments += [f"{option}={value}"]
    return arguments


def plan_of(values: Any, *, host: str | None, limits_seconds: Mapping[str, float]) -> Plan:
    """The plan that the options say, files read and everything checked; who works is not settled yet.

    `values` has the options as attributes. Raises BadTraffic, BadTarget, ValueError, OSError.
    """
    plan = Plan(
        traffic_toml=Path(values.traffic).read_text(encoding="utf-8"),
        profile=values.profile or "steady",
        seconds=values.seconds,
        rate=values.rate,
        seed=0,
        limits_seconds=limits_seconds,
        ranks={},
        host=host or "",
        connect_to=tuple(values.connect_to),
        ca_pem=_ca_pem(values.ca_file),
        headers=tuple(map(_header, values.header)),
        credentials_file=str(Path(values.credentials).resolve()) if values.credentials else None,
    )
    seed = random.SystemRandom().getrandbits(63) if plan.traffic.seed is None else plan.traffic.seed
    plan.client().close()  # a target that cannot be used is told before anybody starts
    return replace(plan, seed=seed)


def _ca_pem(path: str | None) -> str | None:
    return None if path is None else Path(path).read_text(encoding="ascii")


def _header(entry: str) -> tuple[str, str]:
    name, colon, value = entry.partition(":")
    if not colon:
        raise BadTarget(f"--header {name[:40]}: it must be NAME:VALUE")
    return name.strip(), value.strip()


def check_subject(values: Any) -> None:
    """Raises ValueError for a commit or a digest that names nothing: a report bound to it would be bound to nothing."""
    for option, given, pattern, right in (
        ("--subject-commit", values.subject_commit, _COMMIT, "a whole commit id, with -dirty where it is"),
        ("--subject-image", values.subject_image, _DIGEST, "sha256: and 64 hexadecimal digits"),
    ):
        if given is not None and not pattern.fullmatch(given):
            raise ValueError(f"{option} {given[:80]}: {right}")
