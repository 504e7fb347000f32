"""What a verification stands on: a root of Debian that nobody changed, and the packages that go into it.

All of it is kept below build/ansible and reused: the root by its release, the packages by the lock they are of. Where
packages come from is asked of this machine's own apt and pip; no address stands here.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from infrastructure.ansible.verify.commands import CannotVerify, must

SUITE = "bookworm"
# What a host has before Ansible comes: an interpreter, a service manager, remote access.
_INCLUDED = (
    "python3", "python3-apt", "systemd", "systemd-sysv", "dbus", "openssh-server", "ca-certificates", "procps",
    "iproute2", "sudo",
)  # fmt: skip
_ROOT_SECONDS_MAX, _PACKAGES_SECONDS_MAX = 1800.0, 900.0


@dataclass(frozen=True, kw_only=True)
class Ground:
    """Directories: the pristine root, apt's archives to be mounted into a root, the wheels of the load generators."""

    root: Path
    archives: Path
    wheels: Path


def missing() -> str:
    """What this machine lacks to make a throw-away root, with how to get it; "" when nothing."""
    if os.geteuid() != 0:
        return "it takes root to make a throw-away root; run it as root, on a machine for builds"
    absent = [name for name in ("debootstrap", "unshare", "chroot", "apt-get") if shutil.which(name) is None]
    return f"{', '.join(absent)} not installed; `apt-get install debootstrap util-linux` on a Debian" if absent else ""


def lay(place: Path, lock: Path) -> Ground:
    """Make what is not there yet below `place`. Raises CannotVerify."""
    problem = missing()
    if problem:
        raise CannotVerify(problem)
    ground = Ground(
        root=place / f"root-{SUITE}-{hashlib.sha256(' '.join(_INCLUDED).encode()).hexdigest()[:12]}",
        archives=place / "archives",
        wheels=place / f"wheels-{hashlib.sha256(lock.read_bytes()).hexdigest()[:12]}",
    )
    (ground.archives / "partial").mkdir(parents=True, exist_ok=True)
    _once(ground.root, _bootstrap)
    _once(ground.wheels, lambda unfinished: _download(unfinished, lock))
    return ground


def _once(directory: Path, make: Callable[[Path], None]) -> None:
    """Made beside and renamed when whole, so that an interrupted one is never taken for it."""
    if directory.exists():
        return
    unfinished = directory.with_name(f"{directory.name}.unfinished")
    if unfinished.exists():
        shutil.rmtree(unfinished)
    make(unfinished)
    unfinished.rename(directory)


def _bootstrap(directory: Path) -> None:
    command = ("debootstrap", "--variant=minbase", f"--include={','.join(_INCLUDED)}", SUITE, str(directory), _mirror())
    must(command, seconds_max=_ROOT_SECONDS_MAX)
    # invoke-rc.d(8): 101 forbids every service; nothing may start because it was installed here.
    refusing = directory / "usr/sbin/policy-rc.d"
    refusing.write_text("#!/bin/sh\nexit 101\n", encoding="ascii")
    refusing.chmod(0o755)


def _mirror() -> str:
    """Where this machine gets Debian's packages from."""
    command = ("apt-get", "indextargets", "--format", "$(REPO_URI) $(RELEASE)", "Created-By: Packages")
    lines = [line.split() for line in must(command, seconds_max=60.0).splitlines()]
    found = next((words[0] for words in lines if len(words) == 2 and words[1] == SUITE), None)
    if found is None:
        raise CannotVerify(f"this machine's apt has no source for {SUITE}: build the root on a Debian of that release")
    return found


def _download(directory: Path, lock: Path) -> None:
    """By a pip of its own, since an environment that uv made has none."""
    directory.mkdir(parents=True)
    must((sys.executable, "-m", "venv", str(directory / "pip")), seconds_max=_PACKAGES_SECONDS_MAX)
    pip = directory / "pip/bin/python"
    flags = ("--no-deps", "--require-hashes", "--only-binary", ":all:")
    download = (str(pip), "-m", "pip", "download", "-q", *flags, "-r", str(lock), "-d", str(directory))
    must(download, seconds_max=_PACKAGES_SECONDS_MAX)
    shutil.rmtree(directory / "pip")
