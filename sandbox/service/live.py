"""What a running task knows at this moment, and who wants to hear of a change."""

from __future__ import annotations

from collections.abc import Callable

from sandbox.service.dials import Dials
from sandbox.service.headers import CommonHeaders, common_headers
from sandbox.service.settings import Settings


class Live:
    """Settings that never change, dials and draining that do; `headers` always fits them."""

    def __init__(self, settings: Settings, dials: Dials) -> None:
        self.settings = settings
        self.dials = dials
        self.draining = False
        self.headers: CommonHeaders = common_headers(settings, dials, draining=False)
        self._listeners: list[Callable[[], None]] = []

    def on_change(self, listener: Callable[[], None]) -> None:
        """Call `listener` after every change (from the event loop) and once now."""
        self._listeners.append(listener)
        listener()

    def turn(self, dials: Dials) -> None:
        """The dials were turned."""
        self.dials = dials
        self._changed()

    def drain(self) -> None:
        """The task was asked to end: from now on every answer closes its connection."""
        self.draining = True
        self._changed()

    def _changed(self) -> None:
        self.headers = common_headers(self.settings, self.dials, draining=self.draining)
        for listener in self._listeners:
            listener()
