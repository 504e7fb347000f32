"""The id of a request: the client's own when it is harmless, otherwise one of ours."""

from __future__ import annotations

import itertools
import random
import re
from collections.abc import Iterable

_HARMLESS = re.compile(rb"[A-Za-z0-9._:-]{1,128}")


class RequestIds:
    """Made ids are unique among all tasks: name of the task, a random number, a count."""

    def __init__(self, task_id: str) -> None:
        name = re.sub(r"[^A-Za-z0-9._-]", "", task_id)[:24]
        self._prefix = f"{name}-{random.getrandbits(32):08x}-".encode()
        self._made = itertools.count(1)

    def of(self, headers: Iterable[tuple[bytes, bytes]]) -> bytes:
        """The value of x-request-id (its name in lower case), or a new id."""
        for name, value in headers:
            if name == b"x-request-id" and _HARMLESS.fullmatch(value):
                return value
        return self._prefix + str(next(self._made)).encode()
