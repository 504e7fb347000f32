"""What a rehearsal left behind, as scenarios read it."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any

from probes.stream_record import REQUESTS_FILE, Outcome, Record
from probes.stream_report import read_records
from rehearsal.watch import Disturbance, in_words
from rollout.model import Basis, Observation, Verdict

RESULT_FILE, LOG_FILE, VOID_DIRECTORY = "result.json", "rehearsal.log", "void"


@dataclass(frozen=True)
class ClockLine:
    """The virtual clock while a rehearsal ran: one instant on both clocks, and the factor."""

    monotonic: float
    virtual: float
    factor: float

    def monotonic_at(self, virtual: float) -> float:
        return self.monotonic + (virtual - self.virtual) / self.factor

    def virtual_at(self, monotonic: float) -> float:
        return self.virtual + (monotonic - self.monotonic) * self.factor


class Result:
    """One rehearsal, read from its directory. `error` is empty unless the rehearsal itself broke."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self._document: Mapping[str, Any] = json.loads((directory / RESULT_FILE).read_text(encoding="utf-8"))

    @property
    def error(self) -> str:
        return str(self._document.get("error", ""))

    @property
    def void(self) -> Result | None:
        """The attempt before this one, which does not count; None where the first one does."""
        directory = self.directory / VOID_DIRECTORY
        return Result(directory) if (directory / RESULT_FILE).exists() else None

    @property
    def void_because(self) -> str:
        """Why this attempt does not count; empty for one that does."""
        return str(self._document.get("void", ""))

    @property
    def disturbed(self) -> str:
        """What the machine kept from it, to be put behind a sentence; empty if nothing."""
        seen = [Disturbance(**one) for one in self._document.get("disturbances") or ()]
        return f" (while it ran, {in_words(seen)})" if seen else ""

    @property
    def seconds(self) -> float:
        return float(self._document["seconds"])

    @property
    def exit_code(self) -> int | None:
        """How `rollout run` ended; None if it was never started."""
        return self._document.get("exit_code")

    @property
    def record(self) -> Mapping[str, Any]:
        """The rollout's record at the end, as JSON values."""
        return self._document["record"]  # type: ignore[no-any-return]

    @property
    def plan(self) -> Mapping[str, Any]:
        return self._document["plan"]  # type: ignore[no-any-return]

    @property
    def journal(self) -> Sequence[Mapping[str, Any]]:
        """Entries in their order; `payload` holds what was decided or done."""
        return self._document["journal"]  # type: ignore[no-any-return]

    @property
    def operations(self) -> Sequence[Mapping[str, Any]]:
        """Every AWS call that reached the sandbox while the rehearsal ran, in order."""
        return self._document["operations"]  # type: ignore[no-any-return]

    @property
    def alerts(self) -> Sequence[Mapping[str, Any]]:
        return self._document["alerts"]  # type: ignore[no-any-return]

    @property
    def facts(self) -> Mapping[str, Any]:
        """Whatever else the rehearsal noted by name."""
        return dict(self._document.get("facts", {}))

    @cached_property
    def clock(self) -> ClockLine:
        return ClockLine(**self._document["clock"])

    @cached_property
    def requests(self) -> tuple[Record, ...]:
        """The stream's requests in the order in which they were meant to leave; empty without a stream."""
        path = self.directory / "stream" / REQUESTS_FILE
        return tuple(sorted(read_records(path), key=lambda r: r.monotonic)) if path.exists() else ()

    @cached_property
    def planted(self) -> Mapping[str, Mapping[str, Any]]:
        """The errors that the service says it answered itself, by request id."""
        return {entry["request_id"]: entry for entry in self._document.get("service_errors", [])}

    @property
    def run(self) -> str:
        """Prefix of the stream's request ids."""
        return str(self._document.get("stream_run", ""))

    @property
    def rollout(self) -> dict[str, Any] | None:
        """The rollout as results.json tells it; None for a rehearsal without one."""
        record = self._document.get("record")
        if not record:
            return None
        sent = [request for request in self.requests if request.outcome != Outcome.NOT_SENT]
        return {
            "id": record["rollout_id"],
            "from": record["stable_version"],
            "to": record["version_name"],
            "outcome": record["state"],
            "started": _iso(record["created_at"]),
            "finished": _iso(record["finished_at"]) if record["finished_at"] else None,
            "requests_sent": len(sent),
            "requests_failed": sum(request.failed for request in sent),
            "void": self.void_because or None,
        }

    @property
    def ending(self) -> str:
        """How the rollout ended and why, in the engine's own words."""
        record = self._document.get("record") or {}
        cause = (record.get("back") or {}).get("cause") or record.get("reason", "")
        return f"the rollout ended in {record.get('state', 'nothing on record')}: {cause}{self.disturbed}"

    def observations(self, topic: str) -> tuple[Observation, ...]:
        """What was probed under this topic while the rehearsal ran; NO_DATA if nothing was."""
        rows = self._document.get("observations", {}).get(topic, [])
        if rows:
            return tuple(observation_from(row) for row in rows)
        message = f"NO_DATA nothing was probed under {topic!r} in this rehearsal"
        return (Observation(name=topic, value=None, verdict=Verdict.NO_DATA, time=0.0, message=message),)

    def decisions(self, *, event: str | None = None, to: str | None = None) -> tuple[Mapping[str, Any], ...]:
        """The journalled decisions, filtered by event and by the state they led to."""
        payloads = (entry["payload"] for entry in self.journal)
        return tuple(
            payload
            for payload in payloads
            if payload.get("kind") == "decision"
            and (event is None or payload["event"] == event)
            and (to is None or payload["to"] == to)
        )


def write_result(directory: Path, document: Mapping[str, Any]) -> None:
    """Leave a rehearsal's document, whole or not at all: scenarios wait for the file."""
    unfinished = directory / f"{RESULT_FILE}.unfinished"
    unfinished.write_text(json.dumps(document, default=str), encoding="utf-8")
    unfinished.replace(directory / RESULT_FILE)


def _iso(epoch: float) -> str:
    return datetime.fromtimestamp(epoch, tz=UTC).isoformat(timespec="milliseconds")


def observation_from(row: Mapping[str, Any]) -> Observation:
    """An observation from its JSON values."""
    return Observation(**{**row, "verdict": Verdict(row["verdict"]), "basis": Basis(row.get("basis", Basis.LIVE))})
