"""Sends alerts and heartbeats off the decision path: a receiver that hangs delays no traffic.

At least once: an alert stays in the record until a send of it succeeded, and carries the same identity on repeats.
"""

from __future__ import annotations

import queue
import threading
import time
from collections import deque
from collections.abc import Iterable

from rollout.errors import SourceError
from rollout.ports import Alerts, Heartbeat
from rollout.record import Alert

_RETRY_SECONDS = 0.5
_RETRY_SECONDS_MAX = 10.0
_ERRORS_MAX = 100  # the last ones suffice to tell why


class Outbox:
    """Two threads that send, so that a receiver of alerts that is down cannot silence the heartbeat (the dead-man would
    take that for the engine's death); `sent()` answers the identities of all alerts that it got rid of."""

    def __init__(self, alerts: Alerts, heartbeat: Heartbeat) -> None:
        self._alerts, self._heartbeat = alerts, heartbeat
        self._queue: queue.Queue[Alert | None] = queue.Queue()
        self._beats: queue.Queue[str | None] = queue.Queue()
        self._known: set[str] = set()
        self._sent: set[str] = set()
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self.errors: deque[str] = deque(maxlen=_ERRORS_MAX)
        self._thread = threading.Thread(target=self._send_alerts, name="outbox", daemon=True)
        self._heart = threading.Thread(target=self._send_beats, name="heartbeat", daemon=True)
        self._thread.start()
        self._heart.start()

    def offer(self, alerts: Iterable[Alert]) -> None:
        for alert in alerts:
            if alert.identity not in self._known:
                self._known.add(alert.identity)
                self._queue.put(alert)

    def beat(self, rollout_id: str) -> None:
        self._beats.put(rollout_id)

    def sent(self) -> frozenset[str]:
        with self._lock:
            return frozenset(self._sent)

    def close(self, seconds: float) -> None:
        """Try for `seconds` more to get rid of what is queued, then give up; what is left stays in the record."""
        self._queue.put(None)
        self._beats.put(None)
        self._thread.join(seconds)
        self._stop.set()

    def _send_alerts(self) -> None:
        while (alert := self._queue.get()) is not None:
            self._deliver(alert)

    def _send_beats(self) -> None:
        while (rollout_id := self._beats.get()) is not None:
            self._beat(rollout_id)

    def _beat(self, rollout_id: str) -> None:
        try:
            self._heartbeat.beat(rollout_id)
        except SourceError as error:
            self.errors.append(str(error))  # the next minute beats again; silence is what the alarm is for

    def _deliver(self, alert: Alert) -> None:
        pause = _RETRY_SECONDS
        while not self._stop.is_set():
            try:
                self._alerts.send(identity=alert.identity, subject=alert.subject, text=alert.text)
            except SourceError as error:
                self.errors.append(str(error))
                self._stop.wait(pause)
                pause = min(pause * 2, _RETRY_SECONDS_MAX)
                continue
            with self._lock:
                self._sent.add(alert.identity)
            return


def drained(outbox: Outbox, alerts: tuple[Alert, ...], seconds: float) -> tuple[Alert, ...]:
    """Wait until all of `alerts` were sent, `seconds` at most; answers those that were not."""
    deadline = time.monotonic() + seconds
    left = alerts
    while left and time.monotonic() < deadline:
        sent = outbox.sent()
        left = tuple(alert for alert in left if alert.identity not in sent)
        threading.Event().wait(0.02)
    return left
