"""IAC-03 on the real tree: the playbooks applied to a throw-away root, asked, applied again, and spoilt on purpose."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from infrastructure.ansible.verify.commands import CannotVerify
from infrastructure.ansible.verify.ground import missing
from infrastructure.ansible.verify.inside import ask, configure
from infrastructure.ansible.verify.lint import lint
from infrastructure.ansible.verify.verification import ROOT, Wish, configured, verify
from probes.host_report import QUESTIONS

TOOLS = ROOT / ".venv-ansible" / "bin"
PLACE = ROOT / "build" / "ansible"
_PIN = re.compile(r"^([A-Za-z0-9._-]+)==(\S+)", re.MULTILINE)


def lacking() -> str:
    """Why it cannot be tried here."""
    if not (TOOLS / "ansible-playbook").exists():
        return "no .venv-ansible; `make hosts` sets it up"
    return missing()


def needs_throw_away_root(test: Callable[..., None]) -> Callable[..., None]:
    """Minutes of work as root: `make hosts` runs it, `make test` does not."""
    unless = pytest.mark.skipif(bool(lacking()), reason=f"owner release-gates: {lacking()}")
    marked: Callable[..., None] = unless(pytest.mark.throw_away_root(test))
    return marked


@pytest.fixture(scope="module")
def runner() -> dict[str, Any]:
    """A runner after two runs, asked; then with its limits spoilt, asked again."""
    planted = {"base_open_files": 1024, "runner_open_files": 1024}
    return configured(Wish(tools=TOOLS, place=PLACE, names=("runner",), planted=planted))[0]


@needs_throw_away_root
@pytest.mark.timeout(3600)
def test_a_configured_host_answers_every_question_well(runner: dict[str, Any]) -> None:
    """IAC-03: linted elsewhere, applied here; every question of the register is asked and passes."""
    seen = {answer["name"].removeprefix("hosts."): answer["verdict"] for answer in runner["answers"]}

    assert seen == dict.fromkeys(QUESTIONS["runner"], "PASS"), runner["answers"]
    assert runner["first"]["changed"] > 0


@needs_throw_away_root
@pytest.mark.timeout(3600)
def test_a_second_run_changes_nothing(runner: dict[str, Any]) -> None:
    assert (runner["second"]["changed"], runner["second"]["changed_tasks"]) == (0, [])
    assert runner["second"]["ok"] == runner["first"]["ok"]


@needs_throw_away_root
@pytest.mark.timeout(3600)
def test_a_limit_left_at_1024_is_found_and_named(runner: dict[str, Any]) -> None:
    """The break of IAC-03: exactly the two questions about limits turn red."""
    red = {answer["name"]: answer["message"] for answer in runner["planted"] if answer["verdict"] != "PASS"}

    assert set(red) == {"hosts.open_files", "hosts.service_open_files"}
    assert all("1024" in message and "65536 are needed" in message for message in red.values()), red


@needs_throw_away_root
def test_nothing_of_it_is_left_on_the_machine(runner: dict[str, Any]) -> None:
    """No mount, and the machine's own files and kernel are as they were."""
    assert runner["name"] == "runner"
    assert "hosts-" not in Path("/proc/self/mounts").read_text(encoding="utf-8")
    assert not Path("/etc/security/limits.d/60-release-gates.conf").exists()
    assert not Path("/etc/sysctl.d/60-release-gates.conf").exists()


@pytest.mark.skipif(not (TOOLS / "ansible-lint").exists(), reason=f"owner release-gates: {lacking()}")
@pytest.mark.timeout(900)
@pytest.mark.parametrize("module", ["shell: /bin/true", "ansible.builtin.ping:"], ids=["a mistake", "none"])
def test_what_the_linter_finds_is_told_and_nothing_is_nothing(module: str, tmp_path: Path) -> None:
    """One sentence per finding, with file, line and rule; and how many files were read."""
    (tmp_path / "tree").mkdir()
    play = f"---\n- name: A play\n  hosts: all\n  tasks:\n    - name: A task\n      {module}\n"
    (tmp_path / "tree/play.yml").write_text(play)
    found = lint(tmp_path / "tree", tools=TOOLS, home=tmp_path / "home", profile="production")

    assert found.files >= 1
    assert bool(found.findings) is ("shell" in module), found.findings
    assert all(finding.startswith("play.yml:") for finding in found.findings)


def own_namespaces() -> dict[str, Any]:
    """A job that was started without `unshare`."""
    return {
        "name": "runner",
        "root": "/nowhere",
        "outside": {kind: os.readlink(f"/proc/self/ns/{kind}") for kind in ("mnt", "pid", "net")},
    }


@pytest.mark.parametrize("part", [configure, ask])
def test_the_machine_itself_is_refused(part: Any) -> None:
    """Before anything is mounted or applied (contracts.md, 10)."""
    with pytest.raises(CannotVerify, match="refused: this is the machine's own"):
        part(own_namespaces())


def test_a_report_is_never_made_of_a_part_or_of_planted_mistakes() -> None:
    with pytest.raises(ValueError, match="all hosts as they are"):
        verify(Wish(tools=TOOLS, place=PLACE, names=("runner",)))
    with pytest.raises(ValueError, match="all hosts as they are"):
        verify(Wish(tools=TOOLS, place=PLACE, planted={"base_open_files": 1024}))


def test_without_ansible_it_is_not_decidable(tmp_path: Path) -> None:
    """Exit code 6, and no report."""
    command = [
        sys.executable,
        "-m",
        "infrastructure.ansible.verify",
        "--tools",
        str(tmp_path),
        "--place",
        str(tmp_path),
    ]
    told = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)

    assert told.returncode == 6
    assert "not verified" in told.stderr
    assert list(tmp_path.iterdir()) == []


def test_load_generators_run_the_versions_that_the_gate_runs() -> None:
    """requirements/load_generators.lock is a part of main.lock."""
    whole, part = (
        dict(_PIN.findall((ROOT / "requirements" / name).read_text(encoding="utf-8")))
        for name in ("main.lock", "load_generators.lock")
    )

    assert part["locust"]
    assert {name: version for name, version in part.items() if whole.get(name, version) != version} == {}
