"""Up, down, twice, side by side, killed: a sandbox leaves nothing behind."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

from sandbox_customer import Customer

from sandbox.client import Sandbox
from sandbox.fixture import start_sandbox
from sandbox.processes import wait_until
from sandbox.state import REPOSITORY

_SECONDS = 20.0


def command(*words: str) -> subprocess.CompletedProcess[str]:
    """`python -m sandbox WORDS`."""
    return subprocess.run(
        [sys.executable, "-m", "sandbox", *words],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        timeout=90,
        check=False,
    )


def processes_of(root: Path) -> dict[int, str]:
    """Processes that mention the state directory, or hold a file in it open."""
    found = {}
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit() or int(entry.name) == os.getpid():
            continue
        try:
            line = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode()
            files = [os.readlink(link) for link in (entry / "fd").iterdir()]
        except OSError:
            continue  # it has just ended
        if str(root) in line or any(name.startswith(str(root)) for name in files):
            found[int(entry.name)] = line
    return found


def test_command_line_from_up_to_down(tmp_path: Path) -> None:
    """up, up again (2), status, fault, unknown fault (2), clear, down; nothing is left running."""
    place = ("--directory", str(tmp_path / "state"))
    started = command("up", "--detach", *place)
    assert started.returncode == 0, started.stderr + started.stdout
    assert "first answer over TLS" in started.stdout

    again = command("up", "--detach", *place)
    assert (again.returncode, "a sandbox is up" in again.stdout + again.stderr) == (2, True)
    status = json.loads(command("status", "--json", *place).stdout)
    assert {"postgresql", "redis", "envoy", "moto"} <= set(status["versions"])
    assert status["slots"]["green"]["running"] == 2
    for words in (command("status", *place).stdout, command("up", "--help").stdout):
        assert words
    assert command("fault", *place, "blue", "error_rate=0.5").returncode == 0
    unknown = command("fault", *place, "blue", "nonsense=1")
    assert (unknown.returncode, "error_rate" in unknown.stderr) == (2, True)
    assert command("clear", *place).returncode == 0
    assert command("down", *place).returncode == 0

    wait_until(lambda: not processes_of(tmp_path), _SECONDS, "the end of all processes")
    assert command("status", *place).returncode == 2


def test_killed_supervisor_takes_everything_along(tmp_path: Path) -> None:
    """SIGKILL: no orphan; the name can be used again at once."""
    root = tmp_path / "state"
    with start_sandbox(root) as sandbox:
        assert len(processes_of(root)) >= 8  # supervisor, Envoy, PostgreSQL, Redis, zygote, external, two tasks
        os.kill(sandbox.status()["pids"]["supervisor"], signal.SIGKILL)

        wait_until(lambda: not processes_of(root), _SECONDS, "the end of all processes")
    with start_sandbox(root) as sandbox:
        assert Customer(sandbox).get().status == 200


def test_sandbox_ends_with_the_process_that_wanted_it(tmp_path: Path) -> None:
    """SIGKILL the process that holds the lifeline."""
    root = tmp_path / "state"
    script = (
        "import sys, time; from pathlib import Path; from sandbox.fixture import start_sandbox\n"
        "with start_sandbox(Path(sys.argv[1])): print('up', flush=True); time.sleep(60)"
    )
    holder = subprocess.Popen(
        [sys.executable, "-c", script, str(root)], stdout=subprocess.PIPE, text=True, cwd=REPOSITORY
    )
    assert holder.stdout is not None
    assert holder.stdout.readline() == "up\n"
    holder.kill()
    holder.wait()
    holder.stdout.close()

    wait_until(lambda: not processes_of(root), _SECONDS, "the end of all processes")


def test_two_sandboxes_side_by_side(tmp_path: Path) -> None:
    """Each has its own addresses, account and customers."""
    with start_sandbox(tmp_path / "a", name="a") as one, start_sandbox(tmp_path / "b", name="b", live="blue") as two:
        one.fault("green", error_rate=1)
        slots = [Customer(sandbox).get().headers["x-slot"] for sandbox in (one, two)]

        assert slots == ["green", "blue"]
        assert one.status()["address"] != two.status()["address"]
        assert two.status()["faults"] == {}
        assert one.outputs["test_header_value"] != two.outputs["test_header_value"]


def test_dead_part_is_said_in_the_status(tmp_path: Path) -> None:
    """An essential child that dies unasked is a problem by name."""
    with start_sandbox(tmp_path / "state") as sandbox:
        assert sandbox.status()["problems"] == []
        os.kill(sandbox.status()["pids"]["redis"], signal.SIGKILL)

        wait_until(lambda: any("redis" in line for line in sandbox.status()["problems"]), _SECONDS, "the problem")


def test_attach_needs_a_living_sandbox(tmp_path: Path) -> None:
    """`Sandbox.attach` of a directory without one is an error with a remedy, of a living one the same sandbox."""
    with start_sandbox(tmp_path / "state", name="mine") as sandbox:
        assert Sandbox.attach(tmp_path / "state").status()["name"] == "mine"
        sandbox.down()
        wait_until(lambda: not processes_of(tmp_path), _SECONDS, "the end of all processes")
