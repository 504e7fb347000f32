"""A small project with real steps, in which real pytest runs with the real plugin."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from pytest_bdd.feature import features as parsed_features

ROOT = Path(__file__).parents[3]

CONFTEST = 'pytest_plugins = ["gate.plugin", "demo_steps"]\n'
PYPROJECT = """
[tool.pytest.ini_options]
addopts = "-ra --strict-markers --strict-config -p no:locust -p no:schemathesis"
testpaths = ["features"]
"""
REGISTER = """
[topics]
drill = "injects faults"
tls = "certificates"
hipaa = "evidence for HIPAA"
""" + "".join(
    f'\n[[control]]\nid = "{control}"\nsays = "what {control} asks for"\nbuilt_in = "an issue"\n'
    for control in ("PRE-01", "PRE-02", "PRE-03", "DUR-01", "DUR-02", "RB-01", "POST-01", "POST-02", "MET-01")
)
STEPS = """
import os, signal, threading
from datetime import date
from pathlib import Path
import pytest
from pytest_bdd import given, parsers, then, when
from gate import facts, verdicts

@given("a release")
def a_release(): pass

@given(parsers.parse("{name} is {value}"))
def named(name, value): pass

@when("it is looked at")
def look(request): Path("ran.txt").open("a").write(request.node.name + "\\n")

@when(parsers.parse("{count:d} requests come"))
def requests(count): pass

@when("it takes a while")
def while_(): Path("started").touch(); threading.Event().wait(8)

@when("the process dies")
def dies(): os._exit(9)

@when("facts are noted")
def noted(request):
    config = request.config
    facts.record(config, account="123456789012", region="us-east-1", clock_factor=60, tools={"engine": "1"})
    facts.record(config, image_digests={"1.1.0": "sha256:" + "a" * 64}, tools={"probe": "2"})
    facts.record_rollout(config, {"id": "r-1", "from": "1.0.0", "to": "1.1.0", "outcome": "running"})
    facts.record_rollout(config, {"id": "r-1", "outcome": "done", "requests_sent": 10, "requests_failed": 0})
    facts.record_part(config, "rehearsal", 2.5)
    facts.record_part(config, "rehearsal", 1.5)

@then(parsers.parse("days left is {verdict}"))
def days(verdict, observe):
    observe("days left", 41, limit=30, unit="days", verdict=verdict, source="endpoint", n=1)

@then("it is emulated")
def emulated(observe): observe("blocked by the WAF", True, verdict="PASS", basis="emulated")

@then("nothing was sampled")
def zero(observe): observe("errors", 0, verdict="PASS", n=0)

@then("nothing is recorded")
def nothing(): pass

@then("no observation comes back")
def none(observe): observe.add()

@then("it is skipped")
def skipped(): pytest.skip("no attestation on file")

@then("it asserts")
def asserts(): assert 3 == 4, "3 of 4 targets are healthy"

@then("it fails plainly")
def fails(): pytest.fail("a plain failure")

@then("it breaks")
def breaks(): raise KeyError("weights")

@then("the virtual clock has no time")
def virtual(observe): observe("share", 5, verdict="PASS", clock="virtual")

@then("it does not apply")
def na(): verdicts.not_applicable("the plan needs no window")

@then("it is for later")
def later(): verdicts.deferred(date(2999, 1, 31), "release manager", "the review is held after the release")

@then("it is overdue")
def overdue(): verdicts.deferred(date(2020, 1, 31), "release manager", "the review of the last release")

@then("a tool is missing")
def tool(): verdicts.blocked("actionlint", "the pinned lint of workflows is not installed")

@then(parsers.parse("the token {token} leaks"))
def leaks(token, observe): observe("answer", {"token": token, "slot": "blue", "count": 3}, verdict="PASS")
"""


def _heed_interrupts() -> None:
    """A shell starts its background jobs with SIGINT ignored, and their children inherit that."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


class Project:
    """A project in a temporary directory; `run` gives exit code and output, `results` the evidence."""

    def __init__(self, pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
        self.path = path = pytester.path
        self._pytester = pytester
        self._monkeypatch = monkeypatch
        (path / "conftest.py").write_text(CONFTEST)
        (path / "pyproject.toml").write_text(PYPROJECT)
        (path / "demo_steps.py").write_text(STEPS)
        self.write("features/controls.toml", REGISTER)

    def write(self, name: str, text: str) -> Path:
        """A file of the project."""
        path = self.path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path

    def feature(self, directory: str, *scenarios: tuple[str, str, str], name: str = "sheet") -> Path:
        """A feature file of (tags, title, steps) with a When of its own where the steps have none."""
        lines = [f"Feature: {directory} {name}"]
        for tags, title, steps in scenarios:
            told = [step.strip() for step in steps.split(";")]
            if not any(step.startswith("When") for step in told):
                told.insert(0, "When it is looked at")
            lines += ["", f"  {tags}", f"  Scenario: {title}", *(f"    {step}" for step in told)]
        return self.write(f"features/{directory}/{name}.feature", "\n".join(lines) + "\n")

    def run(self, *arguments: str, **variables: str) -> tuple[int, str]:
        """Run pytest in the project, in this process; (exit code, all output)."""
        with self._monkeypatch.context() as patch:
            patch.delenv("CI", raising=False)
            patch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
            patch.delenv("PYTEST_XDIST_WORKER", raising=False)
            for name, value in variables.items():
                patch.setenv(name, value)
            patch.syspath_prepend(self.path)
            parsed_features.clear()  # pytest-bdd keeps parsed files for the life of the process
            done = self._pytester.runpytest_inprocess("-p", "pytest_bdd.plugin", *arguments)
        return int(done.ret), f"{done.stdout.str()}\n{done.stderr.str()}"

    def run_apart(self, *arguments: str, **variables: str) -> tuple[int, str]:
        """Run pytest in a process of its own, with xdist; (exit code, all output)."""
        process = self.start(*arguments, **variables)
        try:
            output, _ = process.communicate(timeout=60)
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
        return process.returncode, output

    def start(self, *arguments: str, **variables: str) -> subprocess.Popen[str]:
        """Start pytest in the project, in a process group of its own."""
        environment = {k: v for k, v in os.environ.items() if not k.startswith(("PYTEST", "COV")) and k != "CI"}
        # Only what the plugin needs, so that a run takes a third of the time.
        environment |= {
            "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
            "PYTHONPATH": f"{ROOT}{os.pathsep}{self.path}",
            "PYTHONUTF8": "1",
            **variables,
        }
        return subprocess.Popen(
            [sys.executable, "-m", "pytest", "-p", "pytest_bdd.plugin", "-p", "xdist.plugin", *arguments],
            cwd=self.path,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
            preexec_fn=_heed_interrupts,
        )

    def results(self, link: str = "latest") -> dict[str, Any]:
        """results.json that a link of build/evidence points to."""
        document: dict[str, Any] = json.loads((self.path / "build/evidence" / link / "results.json").read_text())
        return document

    def verdicts(self, link: str = "latest") -> dict[str, str]:
        """Verdict by scenario name."""
        return {scenario["name"]: scenario["verdict"] for scenario in self.results(link)["scenarios"]}

    def scenario(self, name: str, link: str = "latest") -> dict[str, Any]:
        """One scenario of the results."""
        return next(scenario for scenario in self.results(link)["scenarios"] if scenario["name"] == name)

    @property
    def ran(self) -> list[str]:
        """Names of the tests whose When was reached, in order."""
        path = self.path / "ran.txt"
        return path.read_text().split() if path.exists() else []
