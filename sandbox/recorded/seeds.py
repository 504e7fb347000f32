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

from moto.ec2.models import ec2_backends
from moto.moto_api._internal import mock_random

from sandbox.cloud.world import ACCOUNT_ID
from sandbox.recorded.requests import Request


class Seeds:
    """One recording, or one replay of it, from the first request to the last. Not for use while others draw ids."""

    def __init__(self) -> None:
        self._asked: Counter[str] = Counter()
        self._begun: set[str] = set()  # regions

    def plant(self, request: Request) -> None:
        """Call before the request is carried out. `request` has placeholders, not what they stand for."""
        self._begin(request.region)
        line = request.line()
        self._asked[line] += 1
        _seed(f"{self._asked[line]} {line}")

    def _begin(self, region: str) -> None:
        """Have what a region holds by default (VPC, prefix lists) from the region's name alone.

        moto makes it, and draws its ids, in whatever call is the first to need it: of parallel ones any can be.
        """
        if region not in self._begun:
            self._begun.add(region)
            _seed(f"defaults of {region}")
            _ = ec2_backends[ACCOUNT_ID][region]

    def take_back(self, request: Request) -> None:
        """The request was refused: it is in no recording, and does not count."""
        self._asked[request.line()] -= 1

    @staticmethod
    def forget() -> None:
        """From now on ids are drawn at random again."""
        _seed(None)


def _seed(text: str | None) -> None:
    """Both generators, from a text; from the system's own randomness without one."""
    digest = None if text is None else hashlib.sha256(text.encode()).hexdigest()
    for generator in (mock_random, random):
        generator.seed(digest)
