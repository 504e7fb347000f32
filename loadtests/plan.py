"""What a worker needs to know of a run: settled by the master, sent to every worker with the order to start.

Files named on the master's command line lie on the master's machine, so their content travels, except credentials:
a worker reads those from a file of its own.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import cached_property

from loadtests.arrivals import Share
from loadtests.client import Client
from loadtests.target import parse_target
from loadtests.traffic import Traffic, read_traffic


@dataclass(frozen=True)
class Plan:
    """`traffic_toml`: the file's text; `seconds`, `rate`: what the command line changes of it; `limits_seconds`: by
    name, "*" for the others; `ranks`: of each worker's id; `credentials_file`: a path on the worker's own machine."""

    traffic_toml: str
    profile: str
    seconds: float | None
    rate: float | None
    seed: int
    limits_seconds: Mapping[str, float]
    ranks: Mapping[str, int]
    host: str
    connect_to: tuple[str, ...]
    ca_pem: str | None
    headers: tuple[tuple[str, str], ...]
    credentials_file: str | None

    @classmethod
    def from_text(cls, text: str) -> Plan:
        """The inverse of `text`."""
        values = json.loads(text)
        values["connect_to"] = tuple(values["connect_to"])
        values["headers"] = tuple((name, value) for name, value in values["headers"])
        return cls(**values)

    def text(self) -> str:
        """As it travels."""
        return json.dumps(asdict(self))

    @cached_property
    def traffic(self) -> Traffic:
        """Raises loadtests.traffic.BadTraffic."""
        traffic = read_traffic(self.traffic_toml.encode(), profile=self.profile)
        return traffic.scaled(seconds=self.seconds, per_second=self.rate)

    def share_of(self, worker_id: str) -> Share:
        """Raises LookupError for a worker that the run did not start with."""
        if worker_id not in self.ranks:
            raise LookupError(f"worker {worker_id} joined after the run had begun")
        return Share(rank=self.ranks[worker_id], workers=len(self.ranks))

    def client(self) -> Client:
        """Raises loadtests.target.BadTarget, ValueError."""
        target = parse_target(self.host, connect_to=self.connect_to, ca_pem=self.ca_pem)
        return Client(target, timeout_seconds=self.traffic.timeout_seconds, headers=self.headers)
