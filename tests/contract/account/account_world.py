"""An emulated account that holds nothing yet, and the words to fill, break and close it."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import boto3
from botocore.config import Config

from probes.account.census import checks, service
from probes.account.declared import Declared
from probes.account.population import View
from probes.account.session import Account
from rollout.model import Observation, Verdict
from sandbox.cloud.plane import CloudPlane
from tests.contract.cloud_world import ManualClock

REGION, ELSEWHERE, ABROAD = "us-east-1", "us-west-2", "ap-south-1"
ACCOUNT_ID = "123456789012"
_CONFIG = Config(retries={"total_max_attempts": 1}, read_timeout=20)
_SESSION = boto3.Session(aws_access_key_id="sandbox", aws_secret_access_key="sandbox", region_name=REGION)


@dataclass
class AccountWorld:
    """One emulated account: clients that may change it, the read-only account of the probes, what is declared."""

    url: str
    plane: CloudPlane
    clock: ManualClock
    declared: Declared = field(
        default_factory=lambda: Declared(region=REGION, account_id=ACCOUNT_ID, residency=frozenset({REGION, ELSEWHERE}))
    )
    made: dict[str, Any] = field(default_factory=dict)
    _clients: dict[tuple[str, str], Any] = field(default_factory=dict)

    def client(self, name: str, region: str = REGION) -> Any:
        if (name, region) not in self._clients:
            made = _SESSION.client(name, region_name=region, endpoint_url=self.url, config=_CONFIG)  # type: ignore[call-overload]
            self._clients[name, region] = made
        return self._clients[name, region]

    @property
    def account(self) -> Account:
        return Account(region=REGION, endpoint_url=self.url, wall=self.clock.now)

    def view(self, name: str) -> View:
        found: View = service(name).view(self.account, self.declared)
        return found

    def judge(self, name: str) -> dict[str, Observation]:
        """Every check of a service over one look at it, by the check's own name without the service's."""
        seen = self.view(name)
        return {check.name.split(".", 1)[1]: check(seen) for check in checks(name)}


def verdicts(seen: Mapping[str, Observation]) -> dict[str, Verdict]:
    return {name: one.verdict for name, one in seen.items()}


def demand_red(seen: Mapping[str, Observation], name: str, *words: str) -> None:
    """Exactly this check fails, and its message names the cause."""
    red = {one for one, found in seen.items() if found.verdict is not Verdict.PASS}

    assert red == {name}, {one: seen[one].message for one in red}
    assert seen[name].verdict is Verdict.FAIL
    for word in words:
        assert word in seen[name].message


def demand_green(seen: Mapping[str, Observation]) -> None:
    """Every check passes, over at least one resource."""
    assert seen
    assert {
        one: (found.verdict, found.message) for one, found in seen.items() if found.verdict is not Verdict.PASS
    } == {}
    assert all((found.n or 0) > 0 for found in seen.values())


@contextmanager
def closed_to(world: AccountWorld, *allowed: str) -> Iterator[None]:
    """Let the probes' identity do only what is listed, by moto's own evaluation of IAM policies."""
    from moto import settings
    from moto.core.responses import ActionAuthenticatorMixin
    from moto.iam.models import iam_backends

    iam = world.client("iam")
    iam.create_user(UserName="probe")
    statement = {"Effect": "Allow", "Action": list(allowed) or ["sts:GetCallerIdentity"], "Resource": "*"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    iam.put_user_policy(UserName="probe", PolicyName="reads", PolicyDocument=document)
    iam.create_access_key(UserName="probe")
    user = iam_backends[ACCOUNT_ID]["aws"].users["probe"]
    user.access_keys[0].access_key_id = user.access_keys[0].secret_access_key = "sandbox"
    before = settings.INITIAL_NO_AUTH_ACTION_COUNT
    settings.INITIAL_NO_AUTH_ACTION_COUNT = 0.0
    ActionAuthenticatorMixin.request_count = 0
    try:
        yield
    finally:
        settings.INITIAL_NO_AUTH_ACTION_COUNT = before


def empty_archive() -> bytes:
    """A deployment package that holds one file; moto wants one to make a function."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("main.py", "def handler(event, context):\n    return None\n")
    return buffer.getvalue()


Change = Callable[[AccountWorld], object]
