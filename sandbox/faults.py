"""The catalogue of faults: every slot, every name, what it takes, and how a word from the command line is read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sandbox.errors import SandboxError
from sandbox.service.dials import CHOICES

_TRUE = ("true", "on", "yes", "1")
_FALSE = ("false", "off", "no", "0")


@dataclass(frozen=True)
class Flag:
    """true or false."""

    rest: bool = False

    def says(self) -> str:
        """What it takes, for messages."""
        return "true or false"

    def read(self, value: object) -> bool | None:
        """The value, or None if it is not one of these."""
        word = str(value).lower()
        return True if word in _TRUE else False if word in _FALSE else None


@dataclass(frozen=True)
class Number:
    """A number between two bounds, both allowed."""

    low: float = 0.0
    high: float = float("inf")
    whole: bool = False
    rest: float = 0.0

    def says(self) -> str:
        """What it takes, for messages."""
        kind = "a whole number" if self.whole else "a number"
        return f"{kind} from {self.low:g}" + ("" if self.high == float("inf") else f" to {self.high:g}")

    def read(self, value: object) -> float | int | None:
        """The value, or None if it is not one of these."""
        if isinstance(value, bool):
            return None
        try:
            number = float(str(value))
        except ValueError:
            return None
        if not self.low <= number <= self.high or (self.whole and number != int(number)):
            return None
        return int(number) if self.whole else number


@dataclass(frozen=True)
class Choice:
    """One of some words; the first is at rest."""

    words: tuple[str, ...]

    @property
    def rest(self) -> str:
        """The word that means no fault."""
        return self.words[0]

    def says(self) -> str:
        """What it takes, for messages."""
        return " | ".join(self.words)

    def read(self, value: object) -> str | None:
        """The value, or None if it is not one of these."""
        return str(value) if str(value) in self.words else None


Kind = Flag | Number | Choice

_FLAG = Flag()
_SHARE = Number(0, 1)
_PERCENT = Number(0, 100)
_MILLISECONDS = Number(0)
_API = ("ok", "down", "throttled", "denied")

_SERVICE: Mapping[str, Kind] = {
    "error_rate": _SHARE,
    "latency_ms": _MILLISECONDS,
    "latency_share": Number(0, 1, rest=1.0),
    "stall_ms": _MILLISECONDS,
    "stall_every_ms": _MILLISECONDS,
    "cpu_percent": _PERCENT,
    "memory_percent": _PERCENT,
    "memory_growth_percent_per_minute": Number(0),
    "refuse_connections": _FLAG,
    "crash_on_start": _FLAG,
    "unhealthy_tasks": Number(0, whole=True),
    "wrong_version": _FLAG,
    "status_field_missing": _FLAG,
    "one_zone": _FLAG,
    **{name: Choice(tuple(words)) for name, words in CHOICES.items()},  # the service says which words it knows
}

CATALOGUE: Mapping[str, Mapping[str, Kind]] = {
    "blue": _SERVICE,
    "green": _SERVICE,
    "database": {"stopped": _FLAG, "read_only": _FLAG},
    "cache": {"stopped": _FLAG},
    "external": {"hang": _FLAG, "down": _FLAG},
    "edge": {
        "certificate": Choice(
            (
                "ok",
                "expires_29_days",
                "expired",
                "wrong_host",
                "self_signed",
                "incomplete_chain",
                "weak_key",
                "other",
            )
        ),
        "tls_minimum": Choice(("1.2", "1.0")),
        "redirect": Choice(("ok", "off")),
        "candidate_leak": _FLAG,
        "drop_one": _FLAG,
        "security_headers_strip": _FLAG,
    },
    "cloud": {
        "ecs": Choice(_API),
        "sns": Choice(_API),
        "dynamodb": Choice(_API),
        "route53": Choice(_API),
        "elbv2": Choice(_API),
        "cloudwatch": Choice((*_API, "silent", "partial")),
        "publish_delay_seconds": Number(0, rest=20.0),
        "foreign_write": Number(0, 100, whole=True),
        "stable_scaled_to": Number(0, whole=True),
    },
    "account": {
        "high_finding": _FLAG,
        "detector_suspended": _FLAG,
        "root_without_second_factor": _FLAG,
        "replica_lag_seconds": Number(-1),  # -1: replication is not active
        "replica_lag": Choice(("published", "absent")),
    },
    "dns": {
        "wrong_target": _FLAG,
        "long_ttl": _FLAG,
        "dangling_cname": _FLAG,
        "never_insync": _FLAG,
        "caa_forbids": _FLAG,
    },
}


def read_fault(slot: str, name: str, value: object) -> bool | float | int | str:
    """The checked value of a fault, given as a word or as it is. Raises SandboxError listing what is allowed."""
    faults = CATALOGUE.get(slot)
    if faults is None:
        raise SandboxError(f"there is no slot {slot!r}", f"Slots are {', '.join(CATALOGUE)}")
    kind = faults.get(name)
    if kind is None:
        raise SandboxError(f"slot {slot} has no fault {name!r}", f"It has {', '.join(faults)}")
    read = kind.read(value)
    if read is None:
        raise SandboxError(f"{slot} {name} cannot be {value!r}", f"It takes {kind.says()}")
    return read


def read_assignments(slot: str, assignments: Sequence[str]) -> Mapping[str, bool | float | int | str]:
    """Checked values of "name=value" words. Raises SandboxError."""
    values = {}
    for assignment in assignments:
        name, separator, value = assignment.partition("=")
        if not separator:
            raise SandboxError(f"{assignment!r} is not of the form NAME=VALUE")
        values[name] = read_fault(slot, name, value)
    return values


def at_rest(slot: str, name: str) -> bool | float | int | str:
    """The value that means no fault."""
    return CATALOGUE[slot][name].rest
