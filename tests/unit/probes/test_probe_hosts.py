"""IAC-03's questions to a host: every answer that a host can give, by a host that says what it was told to."""

from __future__ import annotations

import errno
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import pytest

from probes import hosts
from probes.host_limits import Limits, limits_of, open_files, service_open_files
from rollout.model import Observation, Verdict


@dataclass(frozen=True)
class Said:
    """What a command came to."""

    stdout: str = ""
    rc: int = 0
    stderr: str = ""


@dataclass
class Told:
    """A host that answers a command by the first of `answers` whose key is in it; nothing else is known to it."""

    answers: Mapping[str, Said]
    asked: list[str] = field(default_factory=list)

    def run(self, command: str, *args: str) -> Said:
        whole = command % args if args else command
        self.asked.append(whole)
        return next((said for key, said in self.answers.items() if key in whole), Said(rc=127, stderr="not found"))


ROOT_WITHOUT_START = {"test -d /run/systemd": Said(rc=1)}
CANNOT_RAISE = {"CapEff": Said("000001fffeffffff\n")}
MAY_RAISE = {"CapEff": Said("000001ffffffffff\n")}


def files(text: str) -> dict[str, Said]:
    return {"limits.conf": Said(text), "pam_limits": Said()}


LIMITS: list[tuple[str, Mapping[str, Said], Verdict, str]] = [
    ("a session has enough", {"ulimit": Said("65536\n65536\n")}, Verdict.PASS, "limited to 65536 (soft)"),
    (
        "one too few",
        {"ulimit": Said("65535\n65536\n"), "test -d": Said()},
        Verdict.FAIL,
        "limited to 65535 (soft) and 65536 (hard), 65536 are needed",
    ),
    (
        "left at 1024 on a host that runs",
        {"ulimit": Said("1024\n20000\n"), "test -d": Said(), **CANNOT_RAISE, **files("* - nofile 65536")},
        Verdict.FAIL,
        "a session of loadgen says: open files are limited to 1024 (soft)",
    ),
    (
        "left at 1024 where limits may be raised",
        {"ulimit": Said("1024\n20000\n"), **ROOT_WITHOUT_START, **MAY_RAISE, **files("* - nofile 65536")},
        Verdict.FAIL,
        "limited to 1024",
    ),
    (
        "written, where this machine cannot show it",
        {"ulimit": Said("1024\n20000\n"), **ROOT_WITHOUT_START, **CANNOT_RAISE, **files("* - nofile 65536")},
        Verdict.PASS,
        "the files, since this machine may not raise limits, say for loadgen: open files are limited to 65536",
    ),
    (
        "written as 1024",
        {"ulimit": Said("1024\n20000\n"), **ROOT_WITHOUT_START, **CANNOT_RAISE, **files("* - nofile 1024")},
        Verdict.FAIL,
        "say for loadgen: open files are limited to 1024 (soft) and 1024 (hard), 65536 are needed",
    ),
    (
        "nothing written",
        {"ulimit": Said("1024\n20000\n"), **ROOT_WITHOUT_START, **CANNOT_RAISE, **files("# no limits")},
        Verdict.FAIL,
        "limited to None",
    ),
    (
        "written and not applied",
        {
            "ulimit": Said("1024\n20000\n"),
            **ROOT_WITHOUT_START,
            **CANNOT_RAISE,
            "grep -Eq": Said(rc=1),
            "limits.conf": Said("* - nofile 65536"),
        },
        Verdict.FAIL,
        "sessions do not apply limits",
    ),
    (
        "written by group",
        {"ulimit": Said("1024\n20000\n"), **ROOT_WITHOUT_START, **CANNOT_RAISE, **files("@load - nofile 65536")},
        Verdict.NO_DATA,
        "@load has limits by group",
    ),
    ("no such user", {"ulimit": Said(rc=1, stderr="su: user loadgen does not exist")}, Verdict.SOURCE_ERROR, "exist"),
    ("nonsense", {"ulimit": Said("many\n")}, Verdict.SOURCE_ERROR, "could not be asked"),
    ("nothing", {"ulimit": Said("")}, Verdict.SOURCE_ERROR, "could not be asked"),
]


@pytest.mark.parametrize(("answers", "verdict", "says"), [row[1:] for row in LIMITS], ids=[row[0] for row in LIMITS])
def test_open_files_of_a_session(answers: Mapping[str, Said], verdict: Verdict, says: str) -> None:
    seen = open_files(Told(answers), "generator-1", "loadgen")

    assert seen.verdict is verdict, seen.message
    assert says in seen.message


@pytest.mark.parametrize(
    ("text", "limits"),
    [
        ("", Limits(None, None)),
        ("* soft nofile 10\n* hard nofile 20\n", Limits(10, 20)),
        ("* - nofile 10\n* soft nofile 5", Limits(5, 10)),
        ("loadgen - nofile 10\n* - nofile 99", Limits(10, 10)),
        ("root - nofile 10", Limits(None, None)),
        ("* - nofile 10 # twenty", Limits(10, 10)),
        ("* - nproc 10\n* - nofile unlimited", Limits(2**63, 2**63)),
    ],
    ids=["none", "both", "the last", "the user's own", "root's", "comment", "unlimited"],
)
def test_files_are_read_as_pam_reads_them(text: str, limits: Limits) -> None:
    assert limits_of(text, "loadgen") == limits


@pytest.mark.parametrize("line", ["@load - nofile 9", "%load - nofile 9", "1000:2000 - nofile 9", "* - nofile lots"])
def test_what_the_files_alone_do_not_decide_is_said(line: str) -> None:
    with pytest.raises(ValueError, match=r"group or range|no limit"):
        limits_of(line, "loadgen")


UNIT: list[tuple[str, Mapping[str, Said], Verdict]] = [
    ("running", {"systemctl show": Said("65536\n")}, Verdict.PASS),
    ("running with less", {"systemctl show": Said("65535\n"), "sed": Said("65536\n")}, Verdict.FAIL),
    ("written", {"systemctl show": Said(), "sed": Said("65536\n")}, Verdict.PASS),
    ("written less", {"systemctl show": Said(), "sed": Said("65536\n1024\n")}, Verdict.FAIL),
    ("not written", {"systemctl show": Said(), "sed": Said("")}, Verdict.SOURCE_ERROR),
    ("no unit", {"systemctl show": Said(), "sed": Said(rc=2)}, Verdict.SOURCE_ERROR),
]


@pytest.mark.parametrize(("answers", "verdict"), [row[1:] for row in UNIT], ids=[row[0] for row in UNIT])
def test_open_files_of_a_service(answers: Mapping[str, Said], verdict: Verdict) -> None:
    seen = service_open_files(Told(answers), "generator-1", "locust-worker.service")

    assert seen.verdict is verdict, seen.message


Ask = Callable[[Told], Observation]


def kernel(host: Told) -> Observation:
    return hosts.kernel_settings(host, "h", {"net.core.somaxconn": "8192"})


def services(host: Told) -> Observation:
    return hosts.services_enabled(host, "h", "chrony.service")


def remote(host: Told) -> Observation:
    return hosts.remote_access(host, "h", {"permitrootlogin": "no"})


def updates(host: Told) -> Observation:
    return hosts.updates(host, "h")


def privileges(host: Told) -> Observation:
    return hosts.no_privileges(host, "h", "runner")


def packages(host: Told) -> Observation:
    return hosts.packages(host, "h", python="/v/python", lock="Locust==2.47.0 \\\ngevent==26.9.0 ; x\n")


def egress(host: Told) -> Observation:
    return hosts.egress(host, "h", "runner", address="169.254.169.254")


NOBODY = {"id -u": Said("997\n"), "id -Gn": Said("runner\n")}
INSTALLED = {"apt-config": Said("1\n"), "dpkg-query": Said("install ok installed")}
REFUSED = str(errno.ECONNREFUSED)
TABLE: list[tuple[Ask, Mapping[str, Said], Verdict]] = [
    (kernel, {"sysctl": Said("8192\n")}, Verdict.PASS),
    (kernel, {"sysctl": Said("4096\n")}, Verdict.FAIL),
    (kernel, {"sysctl": Said(rc=255, stderr="cannot stat")}, Verdict.SOURCE_ERROR),
    (services, {"is-enabled": Said("enabled\n")}, Verdict.PASS),
    (services, {"is-enabled": Said("disabled\n", rc=1)}, Verdict.FAIL),
    (services, {"is-enabled": Said("", rc=1, stderr="no such unit")}, Verdict.FAIL),
    (remote, {"sshd -T": Said("port 22\npermitrootlogin no\n")}, Verdict.PASS),
    (remote, {"sshd -T": Said("permitrootlogin without-password\n")}, Verdict.FAIL),
    (remote, {"sshd -T": Said("port 22\n")}, Verdict.FAIL),
    (remote, {"sshd -T": Said("", rc=255, stderr="no hostkeys")}, Verdict.SOURCE_ERROR),
    (remote, {"sshd -T": Said("")}, Verdict.SOURCE_ERROR),
    (updates, INSTALLED, Verdict.PASS),
    (updates, {**INSTALLED, "apt-config": Said("0\n")}, Verdict.FAIL),
    (updates, {**INSTALLED, "dpkg-query": Said("", rc=1)}, Verdict.FAIL),
    (updates, {**INSTALLED, "apt-config": Said("")}, Verdict.SOURCE_ERROR),
    (privileges, {**NOBODY, "command -v sudo": Said(rc=1)}, Verdict.PASS),
    (privileges, {**NOBODY, "command -v": Said(), "sudo -n": Said("runner is not allowed to run sudo")}, Verdict.PASS),
    (privileges, {**NOBODY, "command -v": Said(), "sudo -n": Said("(ALL) NOPASSWD: ALL")}, Verdict.FAIL),
    (privileges, {**NOBODY, "command -v": Said(), "sudo -n": Said(rc=1)}, Verdict.FAIL),
    (privileges, {**NOBODY, "id -Gn": Said("runner docker\n"), "command -v sudo": Said(rc=1)}, Verdict.FAIL),
    (privileges, {**NOBODY, "id -u": Said("0\n"), "command -v sudo": Said(rc=1)}, Verdict.FAIL),
    (privileges, {"id": Said(rc=1, stderr="no such user")}, Verdict.SOURCE_ERROR),
    (packages, {"pip list": Said("locust==2.47.0\npip==26.0\n")}, Verdict.PASS),
    (packages, {"pip list": Said("locust==2.47.0\ngevent==26.9.0\n")}, Verdict.PASS),
    (packages, {"pip list": Said("locust==2.46.0\n")}, Verdict.FAIL),
    (packages, {"pip list": Said("gevent==26.9.0\n")}, Verdict.FAIL),
    (packages, {"pip list": Said("locust==2.47.0\nstranger==1\n")}, Verdict.FAIL),
    (packages, {"pip list": Said("")}, Verdict.SOURCE_ERROR),
    (egress, {"su -s /bin/sh root": Said(REFUSED), "sh runner": Said(str(errno.EHOSTUNREACH))}, Verdict.PASS),
    (egress, {"su -s /bin/sh root": Said("0"), "sh runner": Said(str(errno.EHOSTUNREACH))}, Verdict.PASS),
    (egress, {"su -s /bin/sh root": Said(REFUSED), "sh runner": Said(REFUSED)}, Verdict.FAIL),
    (egress, {"su -s /bin/sh root": Said("0"), "sh runner": Said("0")}, Verdict.FAIL),
    (egress, {"su -s /bin/sh root": Said("0"), "sh runner": Said(str(errno.EAGAIN))}, Verdict.FAIL),
    (egress, {"su -s /bin/sh root": Said(str(errno.ENETUNREACH)), "sh runner": Said("113")}, Verdict.NO_DATA),
    (egress, {"su -s /bin/sh root": Said("0"), "sh runner": Said("", rc=1)}, Verdict.SOURCE_ERROR),
]


@pytest.mark.parametrize(("ask", "answers", "verdict"), TABLE)
def test_each_answer_has_its_verdict(ask: Ask, answers: Mapping[str, Said], verdict: Verdict) -> None:
    """And a message with the host's name."""
    seen = ask(Told(answers))

    assert seen.verdict is verdict, seen.message
    assert seen.message.endswith("[host h]")


@pytest.mark.parametrize("ask", [kernel, services, remote, updates, privileges, packages, egress])
def test_a_host_that_does_not_answer_is_never_good(ask: Ask) -> None:
    assert ask(Told({})).verdict is Verdict.SOURCE_ERROR


def test_asking_for_nothing_is_a_mistake() -> None:
    """Nothing looked at proves nothing."""
    with pytest.raises(ValueError, match="needs a setting"):
        hosts.kernel_settings(Told({}), "h", {})
    with pytest.raises(ValueError, match="needs a unit"):
        hosts.services_enabled(Told({}), "h")
    with pytest.raises(ValueError, match="needs a lock"):
        hosts.packages(Told({}), "h", python="python", lock="# empty\n")
