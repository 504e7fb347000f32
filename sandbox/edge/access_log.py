"""Envoy's access log: its format, one parsed line, and a follower that survives rotation."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

_OPERATORS = (
    "%START_TIME(%s.%6f)%",
    "%COMMON_DURATION(DS_RX_BEG:DS_TX_END:us)%",
    "%COMMON_DURATION(US_TX_END:US_RX_BEG:us)%",
    "%RESPONSE_CODE%",
    "%RESPONSE_CODE_DETAILS%",
    "%RESPONSE_FLAGS%",
    "%UPSTREAM_CLUSTER_RAW%",
    "%UPSTREAM_HOST%",
    "%ROUTE_NAME%",
    "%REQ(X-REQUEST-ID)%",
    "%REQ(:METHOD)%",
    "%REQ(:AUTHORITY)%",
    "%PATH(NQ)%",
)
LOG_FORMAT = "\t".join(_OPERATORS) + "\n"
ROTATE_BYTES = 64 * 2**20
_READ_BYTES = 2**20
_VIA_TARGET = b"via_upstream"
_FIELDS = len(_OPERATORS)


# Not frozen and with slots: one is made per request, at a thousand requests a second.
@dataclass(slots=True)
class Request:
    """One finished request. `group` and `target` are "" when the load balancer chose no target;
    `target_seconds` (end of request sent to first byte of the answer) is None without an answer of the target."""

    end: float  # wall clock, epoch seconds
    group: str
    target: str
    code: int
    from_target: bool
    connection_failed: bool
    target_seconds: float | None
    route: str


def parse(line: bytes) -> Request | None:
    """One line of the log; None for a line that is not of our format (a client may put a tab into nothing we log)."""
    fields = line.split(b"\t")
    if len(fields) != _FIELDS:
        return None
    start, total, waited, code, details, flags, group, target, route = fields[:9]
    try:
        from_target = details == _VIA_TARGET
        return Request(
            end=float(start) + (0.0 if total == b"-" else int(total) / 1e6),
            group="" if group == b"-" else group.decode(),
            target="" if target == b"-" else target.decode(),
            code=int(code),
            from_target=from_target,
            connection_failed=b"UF" in flags,
            target_seconds=int(waited) / 1e6 if from_target and waited != b"-" else None,
            route=route.decode(),
        )
    except ValueError:
        return None


class LogFollower:
    """Reads what was added to the log since the last call.

    When the log has grown over 64 MiB it is renamed, `reopen` is called (Envoy's /reopen_logs), and the rest of
    the old file is read before the new one, so no line is lost."""

    def __init__(self, path: Path, reopen: Callable[[], object], *, rotate_bytes: int = ROTATE_BYTES) -> None:
        self._path = path
        self._reopen = reopen
        self._rotate_bytes = rotate_bytes
        self._file: BinaryIO | None = None
        self._rest = b""
        self._rotated = False

    def requests(self) -> Iterator[Request]:
        """Requests whose lines are complete."""
        for line in self._lines():
            request = parse(line)
            if request is not None:
                yield request

    def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            self._file.close()

    def _lines(self) -> Iterator[bytes]:
        if self._file is None:
            if not self._path.exists():
                return
            self._file = self._path.open("rb", buffering=0)
        # Looked at before reading: once the new file is there, nothing more is written to the old one.
        is_complete = self._rotated and self._path.exists()
        while chunk := self._file.read(_READ_BYTES):
            lines = (self._rest + chunk).split(b"\n")
            self._rest = lines.pop()
            yield from lines
        if is_complete:
            self._file.close()
            self._file = None
            self._rotated = False
        elif not self._rotated and self._file.tell() > self._rotate_bytes:
            self._path.rename(self._path.with_suffix(".old"))
            self._reopen()
            self._rotated = True
