"""A control plane in this process, a clock that tests move, a runner that starts nothing. See `cloud_fixtures`."""

from __future__ import annotations

import datetime as dt
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from sandbox.cloud.plane import CloudPlane
from sandbox.contracts import RunningTask, TargetHealth, TaskSpec

ADDRESS = "127.31.7.2"
START = 1_800_000_000.0  # a whole minute
DIGESTS = {"1.0.0": "sha256:" + "a" * 64, "1.1.0": "sha256:" + "b" * 64}
HEALTHY = TargetHealth(state="healthy")
CLUSTER = "production-cluster"
_SESSION = boto3.Session(aws_access_key_id="t", aws_secret_access_key="t", region_name="us-east-1")


class ManualClock:
    """Virtual time that moves only by `advance`."""

    def __init__(self, now: float = START) -> None:
        self._now = now

    def now(self) -> float:
        return self._now

    def factor(self) -> float:
        return 1.0

    def virtual_at(self, monotonic_seconds: float) -> float:
        return self._now

    def advance(self, seconds: float) -> None:
        self._now += seconds


@dataclass
class RecordingRunner:
    """Records what ECS asks for; processes exist only as entries here."""

    starts: list[TaskSpec] = field(default_factory=list)
    stops: list[str] = field(default_factory=list)
    crash_on_start: bool = False
    _exits: dict[str, Callable[[str, int], None]] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def start(self, spec: TaskSpec, on_exit: Callable[[str, int], None]) -> RunningTask:
        with self._lock:
            self.starts.append(spec)
            self._exits[spec.task_id] = on_exit
            port = 20_000 + len(self.starts)
        if self.crash_on_start:
            on_exit(spec.task_id, 1)
        return RunningTask(spec=spec, process_id=0, ip=ADDRESS, port=port)

    def stop(self, task_id: str, grace_seconds: float) -> None:
        self.stops.append(task_id)
        threading.Thread(target=self._exits[task_id], args=(task_id, 0)).start()

    def crash(self, task_id: str) -> None:
        self._exits[task_id](task_id, 137)


@dataclass
class CloudWorld:
    """One plane with its clock and runner, and clients for it."""

    plane: CloudPlane
    clock: ManualClock
    runner: RecordingRunner
    url: str
    outputs: Mapping[str, Any] = field(default_factory=dict)
    changes: list[str] = field(default_factory=list)
    _clients: dict[str, Any] = field(default_factory=dict)

    def client(self, service: str) -> Any:
        if service not in self._clients:
            config = Config(retries={"total_max_attempts": 1}, user_agent_extra="contract-test")
            self._clients[service] = _SESSION.client(service, endpoint_url=self.url, config=config)
        return self._clients[service]

    def value(self, name: str) -> Any:
        return self.outputs[name]["value"]

    def moment(self, offset_seconds: float = 0.0) -> dt.datetime:
        return dt.datetime.fromtimestamp(self.clock.now() + offset_seconds, dt.UTC)

    def set_weights(self, blue: int, green: int) -> Any:
        groups = self.value("target_group_arns")
        given = (("blue", blue), ("green", green))
        weights = [{"TargetGroupArn": groups[slot], "Weight": weight} for slot, weight in given]
        actions = [{"Type": "forward", "ForwardConfig": {"TargetGroups": weights}}]
        return self.client("elbv2").modify_rule(RuleArn=self.value("rule_arn"), Actions=actions)

    def service(self, slot: str) -> dict[str, Any]:
        answer = self.client("ecs").describe_services(cluster=CLUSTER, services=[f"shop-api-{slot}"])
        return answer["services"][0]

    def tasks(self, slot: str, status: str = "RUNNING") -> list[dict[str, Any]]:
        ecs = self.client("ecs")
        arns = ecs.list_tasks(cluster=CLUSTER, serviceName=f"shop-api-{slot}", desiredStatus=status)["taskArns"]
        return ecs.describe_tasks(cluster=CLUSTER, tasks=arns)["tasks"] if arns else []

    def make_healthy(self, slot: str) -> None:
        """Report every registered target of a slot as healthy, as the edge would."""
        arn = self.value("target_group_arns")[slot]
        for group in self.plane.target_groups():
            if group.arn == arn:
                for target in group.targets:
                    self.plane.set_target_health(arn, target.ip, target.port, HEALTHY)

    def wait_steady(self, slot: str, running: int) -> dict[str, Any]:
        """Keep reporting health until the service is steady with so many tasks."""

        def steady() -> bool:
            self.make_healthy(slot)
            found = self.service(slot)
            primary = found["deployments"][0]
            return found["runningCount"] == running and primary["rolloutState"] == "COMPLETED"

        wait_until(steady, f"{slot} steady with {running} tasks")
        return self.service(slot)


def wait_until(condition: Callable[[], object], what: str, seconds: float = 5.0) -> None:
    """Poll a condition until it holds; fails the test after `seconds` (real)."""
    deadline = time.monotonic() + seconds
    pause = threading.Event()
    while not condition():
        assert time.monotonic() < deadline, f"not within {seconds} s: {what}"
        pause.wait(0.01)


def error_code(call: Callable[[], object]) -> str:
    """The AWS error code that a call is refused with."""
    with pytest.raises(ClientError) as caught:
        call()
    return str(caught.value.response["Error"]["Code"])


def make_certificate(host: str) -> tuple[bytes, bytes]:
    """A self-signed certificate and its key, PEM."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host)])
    now = dt.datetime.now(dt.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=90))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return certificate.public_bytes(pem), private
