"""Makes moto's ids a function of what was asked, so that a replay answers with the ids of the recording.

moto 5.2.5 takes ids from one generator of its own (and ElastiCache's from Python's). Both are seeded before each
request with the digest of that request as it stands in the recording, and with how often the same was asked before: an
id then depends neither on the order in which Terraform's parallel calls arrived nor on what was read in between, and a
new recording of an unchanged resource has the same ids.
"""

from __future__ import annotations

import hashlib
import random
from collections import Counter

from moto.moto_api._internal import mock_random

from sandbox.recorded.requests import Request


class Seeds:
    """One recording, or one replay of it, from the first request to the last. Not for use while others draw ids."""

    def __init__(self) -> None:
        self._asked: Counter[str] = Counter()

    def plant(self, request: Request) -> None:
        """Call before the request is carried out. `request` has placeholders, not what they stand for."""
        line = request.line()
        self._asked[line] += 1
        digest = hashlib.sha256(f"{self._asked[line]} {line}".encode()).hexdigest()
        for generator in (mock_random, random):
            generator.seed(digest)

    def take_back(self, request: Request) -> None:
        """The request was refused: it is in no recording, and does not count."""
        self._asked[request.line()] -= 1

    @staticmethod
    def forget() -> None:
        """From now on ids are drawn at random again."""
        for generator in (mock_random, random):
            generator.seed()
