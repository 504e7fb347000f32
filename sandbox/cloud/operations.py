"""The operation log: what was asked of AWS, in order, by whom, and how it was answered."""

from __future__ import annotations

import itertools
import re
import threading
import time
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from sandbox.contracts import Clock

_ENTRIES_MAX = 50_000
_TEXT_LENGTH_MAX = 300
_ITEMS_MAX = 20
_DEPTH_MAX = 6
_READING = re.compile(r"^(Describe|List|Get|BatchGet|Query|Scan|Search|Filter|Lookup|Check|Test|Head)")
_SECRET = re.compile(r"secret|private|password|credential|passphrase", re.IGNORECASE)
# boto3 puts user_agent_extra at the very end, behind "Botocore/<version>".
_USER_AGENT_EXTRA = re.compile(r"Botocore/\S+\s+(?P<extra>.+)$")


@dataclass(frozen=True, kw_only=True)
class Operation:
    """One AWS call. `parameters` is a shortened copy, empty for calls that only read; times are epoch seconds."""

    sequence: int
    time_virtual: float
    time_real: float
    service: str
    operation: str
    parameters: Mapping[str, Any]
    status: int
    client: str


class OperationLog:
    """Bounded to the newest 50,000 calls; thread-safe."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._entries: deque[Operation] = deque(maxlen=_ENTRIES_MAX)
        self._sequence = itertools.count(1)
        self._lock = threading.Lock()

    def record(
        self, service: str, operation: str, *, parameters: Mapping[str, Any], status: int, user_agent: str
    ) -> None:
        """Append one call, numbered in the order in which calls were executed."""
        short = shorten(parameters) if is_mutating(operation) else {}
        with self._lock:
            self._entries.append(
                Operation(
                    sequence=next(self._sequence),
                    time_virtual=self._clock.now(),
                    time_real=time.time(),
                    service=service,
                    operation=operation,
                    parameters=short,
                    status=status,
                    client=user_agent_extra(user_agent),
                )
            )

    def since(self, sequence: int) -> Sequence[Mapping[str, Any]]:
        """Entries after `sequence` (0 for all that are kept), oldest first, as JSON-ready dictionaries."""
        with self._lock:
            entries = list(self._entries)
        return [asdict(entry) for entry in entries if entry.sequence > sequence]


def is_mutating(operation: str) -> bool:
    """Whether a call changes anything, told from its name as AWS names them."""
    return not _READING.match(operation)


def user_agent_extra(user_agent: str) -> str:
    """What the caller appended to its user agent (boto3: `Config(user_agent_extra=...)`), empty if nothing."""
    found = _USER_AGENT_EXTRA.search(user_agent)
    return found["extra"] if found else ""


def shorten(value: Any, depth: int = 0) -> Any:
    """A JSON-ready copy with long texts and lists cut and secrets replaced."""
    if depth > _DEPTH_MAX:
        return "..."
    if isinstance(value, Mapping):
        return {
            str(key): "[redacted]" if _SECRET.search(str(key)) else shorten(item, depth + 1)
            for key, item in itertools.islice(value.items(), _ITEMS_MAX)
        }
    if isinstance(value, list | tuple | set | frozenset):
        return [shorten(item, depth + 1) for item in itertools.islice(value, _ITEMS_MAX)]
    if value is None or isinstance(value, bool | int | float):
        return value
    text = f"<{len(value)} bytes>" if isinstance(value, bytes) else str(value)
    return text if len(text) <= _TEXT_LENGTH_MAX else text[:_TEXT_LENGTH_MAX] + "..."
