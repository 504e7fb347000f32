"""Run a command that cannot outlive its parent: `launch.py PARENT_PID SIGNAL UID GID -- COMMAND...`.

A program of its own rather than a `preexec_fn`, because the supervisor has threads and Python code between fork and
exec may then deadlock. It imports nothing of the sandbox, so it starts in some 10 ms (run it with `-I -S`).

UID -1 keeps the user. PostgreSQL refuses to run as root, so root drops to another user; it keeps CAP_DAC_OVERRIDE as an
ambient capability, so that the program and its data may lie below directories only root may enter.
"""

from __future__ import annotations

import ctypes
import os
import select
import sys
from collections.abc import Callable
from typing import NoReturn

PR_SET_PDEATHSIG = 1
PR_SET_KEEPCAPS = 8
PR_CAP_AMBIENT = 47
PR_CAP_AMBIENT_RAISE = 2
CAP_DAC_OVERRIDE = 1
CAPABILITY_VERSION_3 = 0x20080522


class _Header(ctypes.Structure):
    _fields_ = (("version", ctypes.c_uint32), ("pid", ctypes.c_int))


class _Data(ctypes.Structure):
    _fields_ = (("effective", ctypes.c_uint32), ("permitted", ctypes.c_uint32), ("inheritable", ctypes.c_uint32))


def die_with_parent(parent_pid: int, signal_number: int) -> None:
    """Ask the kernel to send this process a signal when the thread that started it ends; leave if that has happened.

    Note: "parent" is the *thread* that forked (prctl(2)), so children must be started from a thread that lives on."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(PR_SET_PDEATHSIG, signal_number, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_PDEATHSIG) failed")
    if os.getppid() != parent_pid:
        os._exit(1)


def await_exit(pid: int, seconds: float | None) -> bool:
    """Wait until a child has ended, `seconds` at most (None: for ever); its exit code is still to be collected.

    The kernel wakes us through a descriptor of the process (pidfd_open(2)), so nobody polls."""
    descriptor = os.pidfd_open(pid)
    try:
        return bool(select.select([descriptor], [], [], seconds)[0])
    finally:
        os.close(descriptor)


def end_with(work: Callable[[], int]) -> NoReturn:
    """Do a fork's work and end there, whatever happens: never back into the code of the process that forked.

    The exit code is that of `work`, of its SystemExit (1 for one with a text), or 70 for any other exception, which is
    printed with its traceback."""
    code = 70
    try:
        code = work()
    except SystemExit as leaving:
        code = leaving.code if isinstance(leaving.code, int) else 1
    except BaseException:  # noqa: BLE001 - the process ends here whatever it was; its log must say why
        import traceback  # only here: a launched command starts without it

        traceback.print_exc()
    finally:
        try:
            sys.stdout.flush()
            sys.stderr.flush()
        finally:
            os._exit(code)


def become(uid: int, gid: int) -> None:
    """Change user for good; keep CAP_DAC_OVERRIDE if this process has it."""
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0)
    os.setgroups([])
    os.setresgid(gid, gid, gid)
    os.setresuid(uid, uid, uid)
    bit = 1 << CAP_DAC_OVERRIDE
    data = (_Data * 2)(_Data(bit, bit, bit), _Data(0, 0, 0))
    if libc.capset(ctypes.byref(_Header(CAPABILITY_VERSION_3, 0)), data) == 0:
        libc.prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_DAC_OVERRIDE, 0, 0)


def main(arguments: list[str]) -> None:
    """Parse, drop, tie, exec. Changing user clears the tie (prctl(2)), hence this order."""
    parent_pid, signal_number, uid, gid = (int(value) for value in arguments[:4])
    command = arguments[5:]
    if uid >= 0:
        become(uid, gid)
    die_with_parent(parent_pid, signal_number)
    os.execv(command[0], command)


if __name__ == "__main__":
    main(sys.argv[1:])
