"""A rehearsal's result as it lies on disk, to be read and changed."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from probes.stream_record import REQUESTS_FILE, Record, Recorder
from probes.stream_report import read_records
from rehearsal.catalogue import LOAD, RELEASE
from rehearsal.loads import DIRECTORY, REPORT_FILE
from rehearsal.result import RESULT_FILE, Result

_GOOD_ENDS: Mapping[str, tuple[str, ...]] = {RELEASE: ("COMPLETED",)}
_NEEDED = ("record", "plan", "journal", "operations", "alerts", "clock", "facts", "observations", "service_errors")


class Evidence:
    """`document` is the content of result.json; `store` writes it and the requests back."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.document: dict[str, Any] = json.loads((directory / RESULT_FILE).read_text(encoding="utf-8"))
        self._requests: list[Record] | None = None

    @property
    def record(self) -> dict[str, Any]:
        return dict.__getitem__(self.document, "record")  # type: ignore[no-any-return]

    @property
    def facts(self) -> dict[str, Any]:
        return dict.__getitem__(self.document, "facts")  # type: ignore[no-any-return]

    @property
    def stable(self) -> str:
        return str(self.record["stable"])

    @property
    def candidate(self) -> str:
        return str(self.record["candidate"])

    @property
    def ending(self) -> str:
        return str(self.document.get("error") or Result(self.directory).ending)

    @property
    def requests(self) -> list[Record]:
        """The stream's requests, to be changed in place."""
        if self._requests is None:
            self._requests = list(read_records(self._requests_path))
        return self._requests

    @property
    def _requests_path(self) -> Path:
        return self.directory / "stream" / REQUESTS_FILE

    def monotonic_at(self, virtual: float) -> float:
        return Result(self.directory).clock.monotonic_at(virtual)

    def calls(
        self, operation: str, holds: Callable[[Mapping[str, Any]], bool] = lambda _: True
    ) -> list[dict[str, Any]]:
        """The AWS calls of a kind, to be changed in place. Fails the test when there is none."""
        found = [c for c in self.document["operations"] if c["operation"] == operation and holds(c["parameters"])]
        assert found, f"the good rehearsal made no {operation} like this; adapt the defect"
        return found

    def scale_downs(self, slot: str) -> list[dict[str, Any]]:
        """UpdateService calls that set a slot's service to nothing."""
        return self.calls(
            "UpdateService", lambda p: str(p.get("service", "")).endswith(f"-{slot}") and p.get("desiredCount") == 0
        )

    def share_moves(self, share: int) -> list[dict[str, Any]]:
        """ModifyRule calls that gave the candidate this share."""

        def gives(parameters: Mapping[str, Any]) -> bool:
            rows = [row for action in parameters["Actions"] for row in action["ForwardConfig"]["TargetGroups"]]
            return any(f"-{self.candidate}/" in r["TargetGroupArn"] and int(r["Weight"]) == share for r in rows)

        return self.calls("ModifyRule", gives)

    def decisions(self, event: str) -> list[dict[str, Any]]:
        """Journalled decisions, to be changed in place."""
        found = [entry["payload"] for entry in self.document["journal"] if entry["payload"].get("event") == event]
        assert found, f"the good rehearsal never decided {event}; adapt the defect"
        return found

    def store(self) -> None:
        (self.directory / RESULT_FILE).write_text(json.dumps(self.document), encoding="utf-8")
        if self._requests is not None:
            with self._requests_path.open("w", encoding="ascii") as file:
                recorder = Recorder(file)
                for record in self._requests:
                    recorder.add(record)


def fits(directory: Path, name: str) -> bool:
    """Whether a result of this shape lies there, of a rehearsal that ended as it must."""
    path = directory / RESULT_FILE
    if not path.exists():
        return False
    document = json.loads(path.read_text(encoding="utf-8"))
    if document.get("error") or any(part not in document for part in _NEEDED):
        return False
    if name in (LOAD, RELEASE) and not (directory / DIRECTORY / REPORT_FILE).exists():
        return False
    if name == LOAD:
        return document["facts"]["load"]["exit_code"] == 0
    ends = _GOOD_ENDS.get(name)
    return "zone" in document["facts"].get("before", {}) and (ends is None or document["record"]["state"] in ends)
