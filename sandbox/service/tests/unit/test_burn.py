"""The dials that use up processor and memory really do."""

from __future__ import annotations

import struct
import threading
import time
from pathlib import Path

import pytest

from sandbox.service.burn import CpuBurner, MemoryHolder, pss_mib
from sandbox.service.dials import Dials
from sandbox.service.live import Live
from sandbox.service.settings import settings_from
from sandbox.service.tests.unit.test_settings import GOOD
from sandbox.service.virtual_clock import VirtualClock


def test_the_cpu_dial_reaches_its_share() -> None:
    """80 % of a quarter of a processor is a fifth, within a tolerance for a busy machine."""
    live = Live(settings_from(GOOD), Dials(cpu_percent=80.0))
    burner = CpuBurner(live)
    started, used = time.monotonic(), time.process_time()
    threading.Event().wait(0.4)
    share = (time.process_time() - used) / (time.monotonic() - started)
    burner.stop()

    assert share == pytest.approx(0.2, abs=0.05)


def test_the_memory_dial_grows_and_gives_back(tmp_path: Path) -> None:
    """To a percentage of the task's memory, measured as PSS; here the task is the test's own process and 32 MiB."""
    base_mib = pss_mib()
    limit_mib = (base_mib + 32.0) * 2.0
    settings = settings_from({**GOOD, "memory_limit_mib": limit_mib, "clock_file": str(tmp_path / "none")})
    live = Live(settings, Dials())
    holder = MemoryHolder(live)
    live.turn(Dials(memory_percent=50.0))
    for _ in range(8):
        holder.tick()
    grown_mib = pss_mib()
    live.turn(Dials())
    holder.tick()

    assert grown_mib == pytest.approx(base_mib + 32.0, abs=6.0)
    assert pss_mib() < grown_mib - 20.0


def test_the_virtual_clock_is_read_from_its_file(tmp_path: Path) -> None:
    """Sixty virtual seconds in a real one."""
    path = tmp_path / "clock"
    path.write_bytes(struct.pack("<Qddd", 2, time.monotonic() - 1.0, 1000.0, 60.0))

    assert VirtualClock(path).now() == pytest.approx(1060.0, abs=5.0)
    path.write_bytes(struct.pack("<Qddd", 3, 0.0, 0.0, 1.0))
    with pytest.raises(RuntimeError, match="half written"):
        VirtualClock(path).now()
