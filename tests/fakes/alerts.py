"""A mailbox and a pulse."""

from __future__ import annotations

from rollout.record import Alert
from tests.fakes.faults import Faulty


class FakeAlerts(Faulty):
    """Satisfies `ports.Alerts`. `received` holds every delivery, repeats too, subjects as SNS would cut them."""

    def __init__(self) -> None:
        super().__init__()
        self.received: list[Alert] = []

    def send(self, *, identity: str, subject: str, text: str) -> None:
        self._asked(f"send {identity}")
        line = "".join(letter if " " <= letter <= "~" else "?" for letter in " ".join(subject.split()))
        self.received.append(Alert(identity=identity, subject=line[:100].strip() or "release-gates", text=text))


class FakeHeartbeat(Faulty):
    """Satisfies `ports.Heartbeat`."""

    def __init__(self) -> None:
        super().__init__()
        self.beats: list[str] = []

    def beat(self, rollout_id: str) -> None:
        self._asked(f"beat {rollout_id}")
        self.beats.append(rollout_id)
