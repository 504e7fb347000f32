"""A read-only view of one environment's account: clients made once, time-outs and tries always set."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import boto3
from botocore.config import Config

_CONFIG = Config(
    connect_timeout=2,
    read_timeout=5,
    retries={"mode": "standard", "total_max_attempts": 3},
    user_agent_extra="release-gates/probe",
)


@dataclass(frozen=True, kw_only=True)
class Account:
    """Where to ask: region and, for the sandbox only, the endpoint with its throw-away credentials.

    `wall` is the clock that the account's metrics are stamped with, epoch seconds; a sandbox has its own.
    """

    region: str
    endpoint_url: str | None = None
    wall: Callable[[], float] = time.time

    @cached_property
    def _session(self) -> boto3.Session:
        if self.endpoint_url is None:
            return boto3.Session(region_name=self.region)
        return boto3.Session(region_name=self.region, aws_access_key_id="sandbox", aws_secret_access_key="sandbox")

    def client(self, service: str) -> Any:
        """A client of one service; boto3 caches nothing, so ask once per question."""
        return self._session.client(service, endpoint_url=self.endpoint_url, config=_CONFIG)  # type: ignore[call-overload]  # the name is not a literal


def account_of(outputs: Mapping[str, Any]) -> Account:
    """The account that an environment's outputs name."""
    return Account(region=str(outputs["region"]), endpoint_url=outputs.get("aws_endpoint_url"))
