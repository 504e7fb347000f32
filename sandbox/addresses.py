"""A loopback address of its own for each sandbox.

A sandbox takes a pair of neighbours in 127.0.0.0/8: the even one is public (load balancer and DNS, nothing else, so
a port scan of it means something), the odd one is internal (tasks, database, cache, AWS endpoint, control API). The
pair is held by a file lock that dies with its holder.
"""

from __future__ import annotations

import fcntl
import os
import secrets
import socket
import tempfile
from dataclasses import dataclass
from io import TextIOWrapper
from pathlib import Path

from sandbox.errors import SandboxError

_ATTEMPTS_MAX = 200


@dataclass(frozen=True)
class AddressPair:
    """The two addresses of a sandbox and the lock that holds them while it lives."""

    public: str
    internal: str
    lock: TextIOWrapper

    def release(self) -> None:
        """Give the pair back. Two starts could meet over the removed file only by drawing the same of 6 million."""
        Path(self.lock.name).unlink(missing_ok=True)
        self.lock.close()


def claim_addresses() -> AddressPair:
    """A pair nobody holds. Raises SandboxError when none was found in 200 attempts."""
    directory = Path(tempfile.gettempdir()) / f"release-gates-addresses-{os.getuid()}"
    directory.mkdir(mode=0o700, exist_ok=True)
    for _ in range(_ATTEMPTS_MAX):
        prefix = f"127.{secrets.randbelow(200) + 20}.{secrets.randbelow(256)}"
        even = 2 * (secrets.randbelow(126) + 1)
        lock = (directory / f"{prefix}.{even}").open("w")
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.close()
            continue
        return AddressPair(f"{prefix}.{even}", f"{prefix}.{even + 1}", lock)
    raise SandboxError("no free loopback address was found", "Stop sandboxes that are no longer needed")


def free_port(address: str, *, kind: int = socket.SOCK_STREAM) -> int:
    """A port the kernel says is free, for programs that cannot bind port 0 and tell.

    The address belongs to this sandbox alone, so nobody else takes the port in between."""
    with socket.socket(socket.AF_INET, kind) as probe:
        probe.bind((address, 0))
        return int(probe.getsockname()[1])
