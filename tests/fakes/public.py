"""The public health endpoint, answered by whom a test says."""

from __future__ import annotations

from rollout.errors import SourceError
from rollout.seen import PublicReading
from tests.fakes.faults import Faulty


class FakePublicHealth(Faulty):
    """Satisfies `ports.PublicHealth`. `answer` is (slot, version), or the words of why there is none."""

    def __init__(self, answer: tuple[str, str] | str = ("green", "1.0.0")) -> None:
        super().__init__()
        self.answer = answer
        self._wanted = ("", "")
        self._in_a_row = 0

    def current(self) -> tuple[str, str]:
        self._asked("current")
        if isinstance(self.answer, str):
            raise SourceError(f"the public endpoint does not tell who answers: {self.answer}")
        return self.answer

    def in_a_row(self, *, slot: str, version: str, wanted: int) -> PublicReading:
        self._asked("in_a_row")
        if (slot, version) != self._wanted:
            self._wanted, self._in_a_row = (slot, version), 0
        detail = self.answer if isinstance(self.answer, str) else ""
        if not isinstance(self.answer, str) and (self.answer[0] != slot or version not in ("", self.answer[1])):
            detail = f"answered by {self.answer[0]} {self.answer[1]}"
        self._in_a_row = 0 if detail else self._in_a_row + 1
        return PublicReading(in_a_row=self._in_a_row, detail=detail or f"{self._in_a_row} of {wanted} by {slot}")
