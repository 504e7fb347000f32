"""What a configured root is asked, by testinfra's connection into a chroot."""

from __future__ import annotations

from pathlib import Path

import testinfra

from probes import host_limits, hosts
from probes.hosts import Host
from rollout.model import Observation

KERNEL = {
    "net.ipv4.ip_local_port_range": "10240 65535",
    "net.ipv4.tcp_tw_reuse": "1",
    "net.core.somaxconn": "8192",
}
REMOTE_ACCESS = {
    "permitrootlogin": "no",
    "passwordauthentication": "no",
    "kbdinteractiveauthentication": "no",
    "permitemptypasswords": "no",
}
# The service with the host's own credentials; the namespace has the address on its own loopback.
CREDENTIALS_ADDRESS = "169.254.169.254"
_BASE_UNITS = ("chrony.service", "apt-daily-upgrade.timer", "ssh.service")


def ask_load_generator(root: Path, lock: str) -> tuple[Observation, ...]:
    """Every question of probes.host_report.QUESTIONS to a load generator."""
    host: Host = testinfra.get_host(str(root), connection="chroot")
    name = "load-generator"
    return (
        *_common(host, name, "loadgen", "locust-worker.service"),
        hosts.packages(host, name, python="/opt/release-gates/venv/bin/python", lock=lock),
    )


def ask_runner(root: Path) -> tuple[Observation, ...]:
    """Every question to a runner."""
    host: Host = testinfra.get_host(str(root), connection="chroot")
    name = "runner"
    return (
        *_common(host, name, "runner", "runner.service", "nftables.service"),
        hosts.egress(host, name, "runner", address=CREDENTIALS_ADDRESS),
    )


def _common(host: Host, name: str, user: str, *units: str) -> tuple[Observation, ...]:
    return (
        host_limits.open_files(host, name, user),
        host_limits.service_open_files(host, name, units[0]),
        hosts.kernel_settings(host, name, KERNEL),
        hosts.services_enabled(host, name, *units, *_BASE_UNITS),
        hosts.remote_access(host, name, REMOTE_ACCESS),
        hosts.updates(host, name),
        hosts.no_privileges(host, name, user),
    )
