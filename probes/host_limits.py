"""How many files a host lets its users and services open (IAC-03).

On a host that runs, a session is opened and asked. In a root that was only filled, on a machine whose own limit is
lower and may not be raised (no CAP_SYS_RESOURCE), a session could never show more than the machine has; there the
files that decide are read instead, as pam_limits(8) reads them, and the message says so.
"""

from __future__ import annotations

from dataclasses import dataclass

from probes.hosts import Host, question_of, unanswered
from probes.question import Question
from rollout.model import Observation

OPEN_FILES_MIN = 65536
_UNLIMITED = 2**63
_CAP_SYS_RESOURCE = 1 << 24  # capabilities(7): who has it may raise hard limits
_LIMITS = "cat /etc/security/limits.conf $(LC_ALL=C ls /etc/security/limits.d/*.conf 2>/dev/null)"
_PAM = "grep -Eq '^session[[:space:]]+required[[:space:]]+pam_limits[.]so' /etc/pam.d/su /etc/pam.d/sshd"


@dataclass(frozen=True)
class Limits:
    """Soft and hard limit of open files; None where nothing sets it."""

    soft: int | None
    hard: int | None

    @property
    def least(self) -> int:
        """What can be counted on; 0 where nothing is set."""
        return min(self.soft or 0, self.hard or 0)


def open_files(host: Host, host_name: str, user: str, *, minimum: int = OPEN_FILES_MIN) -> Observation:
    """`hosts.open_files`: what a session of `user` may open, softly and at most."""
    question = question_of(
        host_name, "open_files", rule=f"a session of {user} may open enough files", limit=minimum, unit="files"
    )
    ran = host.run("su -s /bin/sh %s -c 'ulimit -Sn; ulimit -Hn'", user)
    values = [_count(word) for word in ran.stdout.split()]
    if ran.rc or len(values) != 2 or None in values:
        return unanswered(question, ran, f"the limit of {user}")
    seen = Limits(*values)
    if seen.least < minimum and _only_filled(host) and not _may_raise(host):
        return _as_written(host, question, user=user, minimum=minimum)
    return _judged(question, seen, source=f"a session of {user} says", minimum=minimum)


def _judged(question: Question, seen: Limits, *, source: str, minimum: int) -> Observation:
    told = f"{source}: open files are limited to {seen.soft} (soft) and {seen.hard} (hard), {minimum} are needed"
    return (question.passed if seen.least >= minimum else question.failed)(seen.least, told)


def _only_filled(host: Host) -> bool:
    """Whether the root was never booted, as sd_booted(3) tells it."""
    return host.run("test -d /run/systemd/system").rc != 0


def _may_raise(host: Host) -> bool:
    """Whether the machine lets root raise a limit; where it does not say, the session decides."""
    words = host.run("sed -n 's/^CapEff:[[:space:]]*//p' /proc/self/status").stdout.split()
    return not words or bool(int(words[0], 16) & _CAP_SYS_RESOURCE)


def _as_written(host: Host, question: Question, *, user: str, minimum: int) -> Observation:
    ran, applied = host.run(_LIMITS), host.run(_PAM)
    if ran.rc or not ran.stdout.strip():
        return unanswered(question, ran, "what the files say of limits")
    if applied.rc:
        return question.failed(None, "sessions do not apply limits: pam_limits.so is not required in /etc/pam.d")
    try:
        written = limits_of(ran.stdout, user)
    except ValueError as error:
        return question.no_data(str(error))
    source = f"the files, since this machine may not raise limits, say for {user}"
    return _judged(question, written, source=source, minimum=minimum)


def limits_of(text: str, user: str) -> Limits:
    """What limits.conf and limits.d, one after the other, set for open files of `user` (limits.conf(5)).

    A line for the user counts before one for everybody, who are all but root; among equals the last. Raises ValueError
    for lines by group or range, which only the system itself can decide, and for what is no number.
    """
    found: dict[tuple[str, str], int] = {}
    for line in text.splitlines():
        words = line.partition("#")[0].split()
        if len(words) != 4 or words[2] != "nofile" or words[1] not in ("soft", "hard", "-"):
            continue
        domain, value = words[0], _count(words[3])
        if domain not in (user, "*"):
            if domain[0] in "@%" or ":" in domain:
                raise ValueError(f"{domain} has limits by group or range, which the files alone do not decide")
            continue
        if value is None:
            raise ValueError(f"{words[3]!r} is no limit of open files")
        for kind in ("soft", "hard") if words[1] == "-" else (words[1],):
            found[domain, kind] = value
    others = user if user == "root" else "*"
    return Limits(*(found.get((user, kind), found.get((others, kind))) for kind in ("soft", "hard")))


def service_open_files(host: Host, host_name: str, unit: str, *, minimum: int = OPEN_FILES_MIN) -> Observation:
    """`hosts.service_open_files`: what the service may open; as its unit file says where no manager runs."""
    question = question_of(
        host_name, "service_open_files", rule=f"{unit} may open enough files", limit=minimum, unit="files"
    )
    shown = host.run("systemctl show --property LimitNOFILE --value %s", unit)
    running = shown.rc == 0 and bool(shown.stdout.strip())
    ran = shown if running else host.run("sed -n 's/^LimitNOFILE=//p' %s", f"/etc/systemd/system/{unit}")
    words = ran.stdout.split()
    value = _count(words[-1]) if words else None
    if ran.rc or value is None:
        return unanswered(question, ran, f"LimitNOFILE of {unit}")
    source = "as the service manager says" if running else "as its unit file says"
    told = f"LimitNOFILE of {unit} is {value}, {minimum} are needed ({source})"
    return (question.passed if value >= minimum else question.failed)(value, told)


def _count(word: str) -> int | None:
    if word in ("unlimited", "infinity"):
        return _UNLIMITED
    return int(word) if word.isascii() and word.isdigit() and len(word) < 20 else None
