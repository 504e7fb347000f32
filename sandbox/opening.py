"""The account and the edge of a sandbox: made, adopted, introduced to each other, opened to customers."""

from __future__ import annotations

import os
import threading
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

from sandbox import account
from sandbox.account import AccountSpec, Outputs, account_of, adopt
from sandbox.account_names import CLUSTER, PUBLIC_HOST, SLOTS, TEST_HOSTS, service_name
from sandbox.backing import Backing
from sandbox.cloud.plane import CloudPlane
from sandbox.edge.envoy import Envoy
from sandbox.edge.gateway import Gateway
from sandbox.edge.publisher import Names
from sandbox.first_answer import await_first_answer
from sandbox.foreign import Somebody
from sandbox.foundation import Foundation, Options
from sandbox.ledger import Ledger
from sandbox.offices import Offices
from sandbox.service.clients import CLIENTS, secret_of
from sandbox.service.image import VERSIONS, digest
from sandbox.status import Running, part_versions
from sandbox.switch import FaultSwitch, Parts


@dataclass(frozen=True, kw_only=True)
class Started:
    """What the supervisor has begun to start; `closers` end things in reverse order."""

    options: Options
    foundation: Foundation
    ledger: Ledger
    backing: Backing
    envoy: Envoy
    stopped: threading.Event
    closers: ExitStack


class Opening:
    """Made while other parts still start; `open` is called when they are there."""

    def __init__(self, started: Started) -> None:
        self._started = started
        foundation, closers = started.foundation, started.closers
        self._images = _images()
        self._plane = CloudPlane(
            foundation.clock,
            started.backing.tasks,
            address=foundation.addresses.internal,
            memory=account_of(self._images, live_version=VERSIONS[0]),
        )
        closers.callback(self._plane.stop)
        self._gateway = Gateway(self._plane, started.envoy, foundation=foundation)
        closers.callback(self._gateway.stop)
        self._offices = Offices(foundation.addresses.internal, started.stopped)
        closers.callback(self._offices.stop)

    def open(self) -> None:
        """Adopt the account and return when a customer's request is answered. Raises SandboxError."""
        started = self._started
        with started.ledger.part("account adopted"):
            endpoint_url = self._plane.start()
            outputs = self._adopt(endpoint_url)
        names = _metric_names(outputs)
        self._gateway.start(started.backing.tasks.running, lambda: names)
        self._complete(outputs, endpoint_url)
        with started.ledger.part("first answer over TLS"):
            await_first_answer(
                PUBLIC_HOST,
                address=started.foundation.addresses.public,
                port=started.envoy.https_port,
                authority=started.foundation.state.authority,
            )
        self._offices.open(self._running(endpoint_url, outputs))
        self._describe()

    def _adopt(self, endpoint_url: str) -> Outputs:
        for version, image in self._images.items():
            self._plane.register_image(image, version)
        server = self._started.foundation.server
        return adopt(
            self._plane,
            endpoint_url,
            spec=AccountSpec(
                images=self._images,
                certificate=server.certificate,
                certificate_key=server.key,
                certificate_chain=server.chain,
                topic_subscriber_url=self._offices.mailbox_url,
                live_slot=self._started.options.live,
                live_version=VERSIONS[0],
            ),
        )

    def _complete(self, outputs: Outputs, endpoint_url: str) -> None:
        """Add what only a sandbox has, and write outputs.json."""
        state, envoy = self._started.foundation.state, self._started.envoy
        address = self._started.foundation.addresses.public
        ports = {443: envoy.https_port, 80: envoy.http_port}
        hosts = (PUBLIC_HOST, *TEST_HOSTS.values())
        own = {
            "aws_endpoint_url": endpoint_url,
            "connect_to": [f"{host}:{port}:{address}:{real}" for port, real in ports.items() for host in hosts],
            "ca_file": str(state.authority),
            "clock_file": str(state.clock),
            "dns_server": f"{address}:{self._gateway.dns.port}",
            "control_file": str(state.description),
        }
        outputs.update({name: {"value": value} for name, value in own.items()})
        state.write_json(state.outputs, outputs, mode=0o600)

    def _running(self, endpoint_url: str, outputs: Outputs) -> Running:
        started = self._started
        plain = {name: item["value"] for name, item in outputs.items()}
        switch = FaultSwitch(
            Parts(
                state=started.foundation.state,
                postgres=started.backing.postgres,
                cache=started.backing.cache,
                edge=self._gateway.follower,
                cloud=lambda slot, name, value: self._plane.set_fault(name, value, slot=slot),
                dns=self._gateway.dns_faults,
                somebody=lambda: Somebody(plain),
            )
        )
        return Running(
            options=started.options,
            foundation=started.foundation,
            ledger=started.ledger,
            backing=started.backing,
            plane=self._plane,
            envoy=started.envoy,
            gateway=self._gateway,
            switch=switch,
            endpoint_url=endpoint_url,
            versions=part_versions(started.backing),
        )

    def _describe(self) -> None:
        """sandbox.json, which `Sandbox.attach` reads: written last, so that who finds it finds a running sandbox."""
        foundation = self._started.foundation
        content = {
            "name": self._started.options.name,
            "pid": os.getpid(),
            "address": foundation.addresses.public,
            "internal_address": foundation.addresses.internal,
            "control_url": self._offices.url,
            "token": self._offices.token,
            "database_url": self._started.backing.postgres.url,
            "client_secrets": {client: secret_of(foundation.signing_key, client) for client in CLIENTS},
        }
        foundation.state.write_json(foundation.state.description, content, mode=0o600)


def preload() -> None:
    """Import what an account is made of, for forks of this process. Raises SandboxError without a recording."""
    account.preload(_images(), live_version=VERSIONS[0])


def _images() -> dict[str, str]:
    return {version: digest(version) for version in VERSIONS}


def _metric_names(outputs: Mapping[str, Mapping[str, Any]]) -> Names:
    """Dimension values as CloudWatch has them: what follows `loadbalancer/` and from `targetgroup/` on in the ARNs."""
    arns = outputs["target_group_arns"]["value"]
    return Names(
        load_balancer=str(outputs["load_balancer_arn"]["value"]).split(":loadbalancer/", 1)[1],
        groups={service_name(slot): str(arns[slot]).rsplit(":", 1)[1] for slot in SLOTS},
        slots={service_name(slot): slot for slot in SLOTS},
        cluster=CLUSTER,
    )
