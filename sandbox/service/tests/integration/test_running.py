"""A whole task in the test's own process, so that coverage sees how it listens, refuses and ends."""

from __future__ import annotations

import os
import signal
import threading
from pathlib import Path

import httpx
import pytest

from sandbox.service import task
from sandbox.service.tests.support import World, eventually, raw

STATUS = "/api/v1/status"


def test_a_task_listens_refuses_and_returns_when_asked_to_end(shop: World, tmp_path: Path) -> None:
    """`run` reports its port, follows its dials and comes back after SIGTERM."""
    read, write = os.pipe()
    settings = shop.settings("blue", fault_file=str(tmp_path / "blue.json"), port_report_fd=write)
    seen: list[str] = []
    customer = threading.Thread(
        target=_customer, args=(shop, read), kwargs={"fault_file": tmp_path / "blue.json", "seen": seen}
    )
    customer.start()
    task.run(settings)
    customer.join(5)

    assert seen == ["200", "200", "400", "500", "refused", "200"]


def _customer(shop: World, read: int, *, fault_file: Path, seen: list[str]) -> None:
    try:
        with os.fdopen(read) as report:
            base_url = f"https://{shop.address}:{report.readline().strip()}"
        with httpx.Client(base_url=base_url, verify=shop.context()) as client:
            seen += [str(client.get(STATUS).status_code), str(client.get("/health").status_code)]
            nonsense = raw(shop.address, client.base_url.port, context=shop.context(), request=b"NONSENSE")
            seen.append(nonsense.split()[1].decode())
            fault_file.write_text('{"error_rate": 1}')
            eventually(lambda: client.get(STATUS).status_code == 500, "the error dial")
            seen.append("500")
            fault_file.write_text('{"refuse_connections": true, "cpu_percent": 10}')
            eventually(lambda: _refused(client), "the refusal")
            seen.append("refused")
            fault_file.unlink()
            eventually(lambda: client.get(STATUS).status_code == 200, "the recovery")
            seen.append("200")
    finally:
        os.kill(os.getpid(), signal.SIGTERM)


def _refused(client: httpx.Client) -> bool:
    try:
        client.get(STATUS)
    except httpx.ConnectError:
        return True
    return False


def test_preloading_starts_nothing_that_a_fork_would_break() -> None:
    """No thread."""
    before = threading.active_count()
    task.preload()

    assert before == threading.active_count()


def test_a_task_that_crashes_on_start_exits_with_1(shop: World, tmp_path: Path) -> None:
    """At once, before it has a port."""
    (tmp_path / "blue.json").write_text('{"crash_on_start": true}')
    with pytest.raises(SystemExit) as ended:
        task.run(shop.settings("blue", fault_file=str(tmp_path / "blue.json")))

    assert ended.value.code == 1
