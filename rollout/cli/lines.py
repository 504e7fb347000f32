"""Progress as lines: one sentence per event, or one JSON object per event. Nothing is coloured, nothing is redrawn."""

from __future__ import annotations

import json
from types import TracebackType
from typing import Self, TextIO

from rollout.cli.sentences import Said, sentences
from rollout.engine import Tick


class Lines:
    """Told of every tick; writes only what is new."""

    def __init__(self, stream: TextIO, *, service: str, as_json: bool) -> None:
        self._stream, self._service, self._as_json = stream, service, as_json
        self._before: Tick | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._stream.flush()

    def __call__(self, tick: Tick) -> None:
        for said in sentences(tick, self._before, self._service):
            self._stream.write((as_json_line(said, tick, self._service) if self._as_json else said.text) + "\n")
            self._stream.flush()
        self._before = tick


def as_json_line(said: Said, tick: Tick, service: str) -> str:
    """The twin of a sentence for machines; `time` is epoch seconds on the rollout's clock."""
    record, situation = tick.record, tick.situation
    return json.dumps(
        {
            "time": tick.now.wall,
            "service": service,
            "rollout": record.rollout_id,
            "event": said.event,
            "verdict": str(said.verdict),
            "state": str(record.state),
            "stage": record.stage + 1,
            "share_wanted": record.share_wanted,
            "share_observed": situation.listener.candidate_share if situation is not None else None,
            "leading": tick.leading,
            "sentence": said.text,
        },
        ensure_ascii=False,
    )
