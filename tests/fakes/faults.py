"""What all fakes share: they can be told to fail, and they remember what was asked."""

from __future__ import annotations

from rollout.errors import RolloutError


class Faulty:
    """`fault` is raised by every call until it is None again; `calls` names all calls in order."""

    def __init__(self) -> None:
        self.fault: RolloutError | None = None
        self.calls: list[str] = []

    def _asked(self, call: str) -> None:
        self.calls.append(call)
        if self.fault is not None:
            raise self.fault
