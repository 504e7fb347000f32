"""What every part of a sandbox stands on: directory, addresses, clock, keys. Laid before any process starts."""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from io import TextIOWrapper
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from sandbox.account_names import PUBLIC_HOST, TEST_HOSTS
from sandbox.addresses import AddressPair, claim_addresses
from sandbox.clock import ClockWriter
from sandbox.contracts import TaskSpec
from sandbox.edge.certificates import Identity, InternalAuthority, PublicAuthority
from sandbox.processes import Spawner
from sandbox.state import StateDirectory


@dataclass(frozen=True, kw_only=True)
class Options:
    """How a sandbox is started. `lifeline` is a descriptor whose end-of-file ends the sandbox, -1 for none."""

    root: Path
    name: str
    live: str = "green"
    factor: float = 1.0
    lifeline: int = -1


@dataclass(frozen=True, kw_only=True)
class Foundation:
    """See the module."""

    state: StateDirectory
    lock: TextIOWrapper
    addresses: AddressPair
    clock: ClockWriter
    spawner: Spawner
    authority: PublicAuthority
    server: Identity
    client: Identity
    internal_authority: bytes
    signing_key: bytes

    def client_context(self) -> ssl.SSLContext:
        """TLS as the load balancer speaks it to the service."""
        context = ssl.create_default_context(cadata=self.internal_authority.decode())
        context.load_cert_chain(self.state.private("client.pem"), self.state.private("client.key"))
        return context

    def task_settings(self, spec: TaskSpec, *, database_url: str, redis_url: str, external_url: str) -> dict[str, Any]:
        """What one task is told; see sandbox/service/settings.py."""
        private = self.state.private
        return {
            "slot": spec.slot,
            "version": spec.version,
            "digest": spec.image_digest,
            "task_id": spec.task_id,
            "availability_zone": spec.availability_zone,
            "environment": dict(spec.environment),
            "address": self.addresses.internal,
            "database_url": database_url,
            "redis_url": redis_url,
            "external_url": external_url,
            "fault_file": str(self.state.fault_file(spec.slot)),
            "clock_file": str(self.state.clock),
            "signing_key_file": str(private("signing.key")),
            "log_file": str(self.state.log(f"service-{spec.slot}")),
            "tls": {
                "certificate": str(private("service.pem")),
                "key": str(private("service.key")),
                "client_ca": str(private("internal-ca.pem")),
            },
        }


def lay_foundation(options: Options) -> Foundation:
    """Take the state directory and make what is needed first. Raises SandboxError when a sandbox lives there."""
    state = StateDirectory(options.root)
    lock = state.claim()
    authority = PublicAuthority((PUBLIC_HOST, *TEST_HOSTS.values()))
    internal = InternalAuthority()
    client, service = internal.load_balancer(), internal.service()
    signing_key = _make_signing_key()
    files: Mapping[str, bytes] = {
        "client.pem": client.full_chain,
        "client.key": client.key,
        "service.pem": service.full_chain,
        "service.key": service.key,
        "internal-ca.pem": internal.root_pem,
        "signing.key": signing_key,
    }
    for name, content in files.items():
        state.write_private(name, content)
    state.authority.write_bytes(authority.root_pem)
    return Foundation(
        state=state,
        lock=lock,
        addresses=claim_addresses(),
        clock=ClockWriter(state.clock, factor=options.factor),
        spawner=Spawner(),
        authority=authority,
        server=authority.server(),
        client=client,
        internal_authority=internal.root_pem,
        signing_key=signing_key,
    )


def _make_signing_key() -> bytes:
    """The key that signs the service's tokens: EC P-256, PKCS#8, PEM."""
    return ec.generate_private_key(ec.SECP256R1()).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
