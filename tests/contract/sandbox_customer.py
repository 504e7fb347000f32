"""A customer of a sandbox: HTTPS to the public and test hosts, by the connect_to of outputs.json."""

from __future__ import annotations

import http.client
import socket
import ssl
import threading
from collections import Counter
from dataclasses import dataclass
from typing import Any

import boto3

from sandbox.client import Sandbox


@dataclass(frozen=True)
class Answer:
    """Status, headers (lower case) and body of one answer."""

    status: int
    headers: dict[str, str]
    body: bytes


class Customer:
    """Opens a connection per request unless told to keep one."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.outputs: dict[str, Any] = sandbox.outputs
        self.context = ssl.create_default_context(cafile=self.outputs["ca_file"])

    def place(self, host: str, port: int = 443) -> tuple[str, int]:
        """The real address and port of a host's port."""
        for line in self.outputs["connect_to"]:
            name, asked, address, real = line.split(":")
            if (name, asked) == (host, str(port)):
                return address, int(real)
        raise AssertionError(f"{host}:{port} is not in connect_to")

    def connect(
        self, host: str = "api.shop.example", context: ssl.SSLContext | None = None
    ) -> http.client.HTTPConnection:
        """A TLS connection, certificate and host name checked."""
        connection = http.client.HTTPSConnection(host, timeout=10)
        raw = socket.create_connection(self.place(host), timeout=10)
        connection.sock = (context or self.context).wrap_socket(raw, server_hostname=host)
        return connection

    def get(self, path: str = "/health", *, host: str = "api.shop.example", **headers: str) -> Answer:
        """One request on a connection of its own."""
        connection = self.connect(host)
        try:
            return ask(connection, path, {"host": host, **headers})
        finally:
            connection.close()

    def get_plain(self, path: str, *, host: str = "api.shop.example") -> Answer:
        """The same without TLS."""
        address, port = self.place(host, 80)
        connection = http.client.HTTPConnection(address, port, timeout=10)
        try:
            return ask(connection, path, {"host": host})
        finally:
            connection.close()

    def client(self, service: str) -> Any:
        """A boto3 client of the sandbox's account."""
        session = boto3.Session(
            aws_access_key_id="test", aws_secret_access_key="test", region_name=self.outputs["region"]
        )
        return session.client(service, endpoint_url=self.outputs["aws_endpoint_url"])  # type: ignore[call-overload]

    def set_weights(self, blue: int) -> None:
        """ModifyRule on the customers' rule."""
        arns = self.outputs["target_group_arns"]
        weights = {"blue": blue, "green": 100 - blue}
        groups = [{"TargetGroupArn": arns[slot], "Weight": weight} for slot, weight in weights.items()]
        action = {"Type": "forward", "ForwardConfig": {"TargetGroups": groups}}
        self.client("elbv2").modify_rule(RuleArn=self.outputs["rule_arn"], Actions=[action])

    def scale(self, slot: str, tasks: int, **changes: Any) -> None:
        """UpdateService."""
        outputs = self.outputs
        service = outputs["service_names"][slot]
        ecs = self.client("ecs")
        ecs.update_service(cluster=outputs["cluster_name"], service=service, desiredCount=tasks, **changes)


def ask(connection: http.client.HTTPConnection, path: str, headers: dict[str, str]) -> Answer:
    """One request on this connection."""
    connection.request("GET", path, headers=headers)
    response = connection.getresponse()
    body = response.read()
    return Answer(response.status, {name.lower(): value for name, value in response.getheaders()}, body)


class Crowd:
    """Customers with kept connections in a thread each, until the block ends; `seen` counts slot and status."""

    def __init__(self, customer: Customer, *, threads: int = 3) -> None:
        self.seen: Counter[str] = Counter()
        self._customer = customer
        self._ended = threading.Event()
        self._threads = [threading.Thread(target=self._work, daemon=True) for _ in range(threads)]

    def __enter__(self) -> Crowd:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        for thread in self._threads:
            thread.join(10)

    def failures(self) -> dict[str, int]:
        """What was not a 200."""
        return {what: count for what, count in self.seen.items() if not what.endswith(" 200")}

    def _work(self) -> None:
        connection = self._customer.connect()
        while not self._ended.wait(0.002):
            try:
                answer = ask(connection, "/api/v1/status", {"host": "api.shop.example"})
                self.seen[f"{answer.headers.get('x-slot')} {answer.status}"] += 1
            except (OSError, http.client.HTTPException) as error:
                self.seen[repr(error)] += 1
                connection.close()
                connection = self._customer.connect()
        connection.close()
