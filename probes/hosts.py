"""Questions to a host, one each: what its kernel, services, users and packages really are (IAC-03).

A host is asked through testinfra, of which only `run` is used, so that any of its connections will do: SSH to a host
that runs, or a root that was only filled. Such a root has no service manager; what is asked of a service there is what
its files say, and the message says so.
"""

from __future__ import annotations

import errno
import os
import re
import shlex
from collections.abc import Mapping
from typing import Protocol

from probes.question import Question
from rollout.model import Observation

_PRIVILEGED_GROUPS = frozenset({"root", "sudo", "wheel", "admin", "adm", "docker", "lxd", "disk", "shadow"})
_PIN = re.compile(r"^([A-Za-z0-9._-]+)==([^\s;\\]+)[ \t]*(;?)", re.MULTILINE)
_INSTALLERS = frozenset({"pip", "setuptools", "wheel"})
_CONNECT = (
    "import socket, sys; s = socket.socket(); s.settimeout(3); print(s.connect_ex((sys.argv[1], int(sys.argv[2]))))"
)
# How a connection ends that no filter stopped, and one that a filter refused.
_THROUGH = frozenset({0, errno.ECONNREFUSED})
_FILTERED = frozenset({errno.EHOSTUNREACH, errno.EACCES, errno.EPERM})


class Ran(Protocol):
    """What a command on the host came to."""

    @property
    def rc(self) -> int:
        """Exit code."""
        ...

    @property
    def stdout(self) -> str:
        """Standard output."""
        ...

    @property
    def stderr(self) -> str:
        """Standard error."""
        ...


class Host(Protocol):
    """A host that can be asked; testinfra's is one. Arguments are quoted into the command's %s."""

    def run(self, command: str, *args: str) -> Ran:
        """Run a command there, by a shell."""
        ...


def question_of(host_name: str, name: str, *, rule: str, limit: object = None, unit: str = "") -> Question:
    """A question to a host, named `hosts.` and `name`."""
    return Question(name=f"hosts.{name}", rule=rule, limit=limit, unit=unit, source=f"host {host_name}")


def unanswered(question: Question, ran: Ran, what: str) -> Observation:
    """The host did not say: never taken for an answer."""
    said = (ran.stderr.strip() or ran.stdout.strip() or "nothing").splitlines()[-1][:200]
    return question.source_error(f"{what} could not be asked: exit code {ran.rc}, {said}")


def kernel_settings(host: Host, host_name: str, wanted: Mapping[str, str]) -> Observation:
    """`hosts.kernel`: what the kernel itself says to each of the `wanted` settings. Raises ValueError for none."""
    if not wanted:
        raise ValueError("kernel_settings needs a setting to ask for: nothing looked at proves nothing")
    question = question_of(host_name, "kernel", rule="the kernel is set up as declared", limit=dict(wanted))
    seen: dict[str, str] = {}
    for name in wanted:
        ran = host.run("sysctl --values %s", name)
        if ran.rc:
            return unanswered(question, ran, f"the kernel's {name}")
        seen[name] = " ".join(ran.stdout.split())
    wrong = [f"{name} is {seen[name]} instead of {value}" for name, value in wanted.items() if seen[name] != value]
    if wrong:
        return question.failed(seen, "; ".join(wrong), n=len(seen))
    return question.passed(seen, f"all of {len(seen)} settings are as declared", n=len(seen))


def services_enabled(host: Host, host_name: str, *units: str) -> Observation:
    """`hosts.services`: each unit is started from every start of the host on. Raises ValueError for none."""
    if not units:
        raise ValueError("services_enabled needs a unit to ask for: nothing looked at proves nothing")
    question = question_of(host_name, "services", rule="the services start with the host", limit="enabled")
    seen: dict[str, str] = {}
    for unit in units:
        ran = host.run("systemctl is-enabled %s", unit)
        if ran.rc not in (0, 1):  # 1 is its answer for every state but enabled
            return unanswered(question, ran, f"whether {unit} starts")
        seen[unit] = ran.stdout.strip() or "unknown"
    wrong = [f"{unit} is {state}" for unit, state in seen.items() if state != "enabled"]
    if wrong:
        return question.failed(seen, f"{', '.join(wrong)}: not started with the host", n=len(seen))
    return question.passed(seen, f"enabled: {', '.join(seen)}", n=len(seen))


def remote_access(host: Host, host_name: str, wanted: Mapping[str, str]) -> Observation:
    """`hosts.remote_access`: what sshd really does, all files and defaults included (`sshd -T`)."""
    question = question_of(host_name, "remote_access", rule="remote access is by key and never as root", limit=wanted)
    ran = host.run("/usr/sbin/sshd -T")
    lines = [line.split(maxsplit=1) for line in ran.stdout.lower().splitlines()]
    settings = {words[0]: words[1] for words in lines if len(words) == 2}
    if ran.rc or not settings:
        return unanswered(question, ran, "sshd")
    seen = {name: settings.get(name, "not set") for name in wanted}
    wrong = [f"{name} is {seen[name]} instead of {value}" for name, value in wanted.items() if seen[name] != value]
    if wrong:
        return question.failed(seen, "; ".join(wrong), n=len(seen))
    return question.passed(seen, f"sshd: {', '.join(f'{name} {value}' for name, value in seen.items())}", n=len(seen))


def updates(host: Host, host_name: str) -> Observation:
    """`hosts.updates`: security updates are installed by themselves, as apt reads all of its files."""
    question = question_of(host_name, "updates", rule="security updates are taken every day", limit="1")
    ran = host.run("apt-config dump --format '%v' APT::Periodic::Unattended-Upgrade")
    if ran.rc or not ran.stdout.strip():
        return unanswered(question, ran, "apt's setting for updates")
    value = ran.stdout.strip()
    installed = host.run("dpkg-query --show --showformat '${Status}' unattended-upgrades")
    if installed.stdout.strip() != "install ok installed":
        return question.failed(value, "unattended-upgrades is not installed, so nothing takes updates")
    return (question.passed if value == "1" else question.failed)(
        value, f"APT::Periodic::Unattended-Upgrade is {value}"
    )


def no_privileges(host: Host, host_name: str, user: str) -> Observation:
    """`hosts.privileges`: the user is not root, in no group that is as good, and sudo knows nothing of it."""
    question = question_of(host_name, "privileges", rule=f"{user} has no way to become root", limit="none")
    identity, groups = host.run("id -u %s", user), host.run("id -Gn %s", user)
    for ran in (identity, groups):
        if ran.rc or not ran.stdout.strip():
            return unanswered(question, ran, f"who {user} is")
    names = groups.stdout.split()
    risky = sorted(_PRIVILEGED_GROUPS.intersection(names))
    if identity.stdout.strip() == "0" or risky:
        return question.failed(names, f"{user} is as good as root: user id {identity.stdout.strip()}, groups {names}")
    if host.run("command -v sudo").rc:
        return question.passed(names, f"{user} is in {', '.join(names)}, and there is no sudo")
    sudo = host.run("LC_ALL=C sudo -n -l -U %s", user)
    if "is not allowed to run sudo" not in sudo.stdout:
        return question.failed(names, f"sudo lets {user} do something: {sudo.stdout.strip()[-200:]}")
    return question.passed(names, f"{user} is in {', '.join(names)} and may not use sudo")


def packages(host: Host, host_name: str, *, python: str, lock: str) -> Observation:
    """`hosts.packages`: what is installed beside `python` is at the versions of `lock` (its text) and nothing else.

    Pins with a marker may be for another machine; all others have to be there. Raises ValueError for a lock without
    pins.
    """
    question = question_of(host_name, "packages", rule="exactly the pinned packages are installed")
    pins = [(_bare(name), version, bool(marker)) for name, version, marker in _PIN.findall(lock)]
    if not pins:
        raise ValueError("packages needs a lock with pins in it: nothing looked at proves nothing")
    pinned = {name: version for name, version, _ in pins}
    ran = host.run("%s -m pip list --format freeze --disable-pip-version-check", python)
    installed = {_bare(name): version for name, version, _ in _PIN.findall(ran.stdout)}
    if ran.rc or not installed:
        return unanswered(question, ran, "what is installed")
    wrong = [f"{name} {version}" for name, version in installed.items() if pinned.get(name, version) != version]
    wrong += [f"{name} is missing" for name, _, marked in pins if not marked and name not in installed]
    wrong += [f"{name} is pinned nowhere" for name in installed if name not in pinned and name not in _INSTALLERS]
    if wrong:
        return question.failed(wrong, f"not as pinned: {', '.join(wrong)}", n=len(installed))
    count = len(installed.keys() & pinned.keys())
    return question.passed(count, f"{count} packages at the versions of the lock, no other", n=count)


def egress(host: Host, host_name: str, user: str, *, address: str, port: int = 80) -> Observation:
    """`hosts.egress`: `user` cannot reach an address that root can: it is the filter that keeps the user from it.

    With 169.254.169.254 it says that a job cannot take the host's own credentials.
    """
    question = question_of(
        host_name, "egress", rule=f"{user} reaches only what it is allowed to", limit=f"{address}:{port} refused"
    )
    root, seen = (_connecting(host, who, address=address, port=port) for who in ("root", user))
    for ran in (root, seen):
        if ran.rc or not ran.stdout.strip().isdigit():
            return unanswered(question, ran, f"whether {address} is reached")
    if int(root.stdout) not in _THROUGH:
        said = f"root does not reach {address} either ({os.strerror(int(root.stdout))}): the filter is not seen at work"
        return question.no_data(said)
    error = int(seen.stdout)
    if error not in _FILTERED:
        said = "gets through" if error in _THROUGH else f"fails with {os.strerror(error)}, which is not the filter"
        return question.failed(error, f"{user} {said} to {address}:{port}")
    return question.passed(error, f"{user} is kept from {address}:{port} ({os.strerror(error)}), root is not")


def _connecting(host: Host, user: str, *, address: str, port: int) -> Ran:
    """The error number of a TCP connection by `user`, 0 for none."""
    script = (
        "import socket,sys; s=socket.socket(); s.settimeout(3); print(s.connect_ex((sys.argv[1], int(sys.argv[2]))))"
    )
    return host.run("su -s /bin/sh %s -c %s", user, shlex.join(["python3", "-c", script, address, str(port)]))


def _bare(name: str) -> str:
    """A distribution's name for comparing (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()
