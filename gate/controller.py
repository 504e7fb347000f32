"""Gathers the scenarios' records in the one process that ends the run, writes the evidence, sets the exit code."""

from __future__ import annotations

import json
import signal
import threading
from collections.abc import Generator, Mapping
from datetime import UTC, datetime
from types import FrameType
from typing import Any

import pytest
from _pytest.junitxml import xml_key  # the only way to the plugin that writes junit.xml

from evidence.html import render_html
from evidence.results import (
    ControlEntry,
    InvalidResults,
    control_results,
    link_latest,
    redacted,
    write_results,
    write_text,
)
from evidence.verdicts import EXIT_INTERRUPTED, EXIT_NO_GO, EXIT_NOT_DECIDABLE, Decision, decide_run, worst
from gate.collect import REGISTER
from gate.facts import FILE_NAME as FACTS_FILE
from gate.facts import read_facts
from gate.phases import FILE_NAME as PHASE_FILE
from gate.phases import STOPPED, PhaseFile
from gate.provenance import commit_of, tool_versions
from gate.selection import FILE_NAME as SELECTION_FILE
from gate.selection import controls_with_scenarios, described, is_whole, read_selection
from gate.settings import RUN, Run
from rollout.model import Verdict

_KEPT_EXIT_CODES = (pytest.ExitCode.INTERNAL_ERROR, pytest.ExitCode.USAGE_ERROR)


WORKER_DIED = "???"  # what xdist writes into a report's `when`


class Controller:
    """One per run, never in an xdist worker."""

    def __init__(self, config: pytest.Config, run: Run) -> None:
        """Nothing is written before the session starts."""
        self.config = config
        self.run = run
        self.records: dict[str, dict[str, Any]] = {}
        self.results: dict[str, Any] | None = None
        self.decision: Decision | None = None
        self.trouble: str | None = None
        self.built: set[str] = set()
        self._state = PhaseFile(run.work)
        self._earlier_handler: Any = None
        self._interrupted = False
        self._other_tests_failed = False
        self._failed = 0
        self.broken: list[str] = []

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionstart(self) -> None:
        """Make the run's directory, and let a termination signal end the run in order."""
        if self.config.option.collectonly:
            return
        self.run.work.mkdir(parents=True)
        if threading.current_thread() is threading.main_thread():
            self._earlier_handler = signal.signal(signal.SIGTERM, _terminated)

    def pytest_keyboard_interrupt(self, excinfo: pytest.ExceptionInfo[BaseException]) -> None:
        """A person or a signal, not pytest's own way to stop."""
        self._interrupted = self._interrupted or excinfo.type is KeyboardInterrupt

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """A file that could not be collected: the run is broken whatever else it says."""
        if report.failed:
            self.broken += [line for line in report.longreprtext.splitlines() if line not in self.broken]

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Keep a scenario's record; once it is torn down, later phases may know."""
        self._heed_maxfail(report)
        if hasattr(report, "gate_record"):
            record = json.loads(report.gate_record)
            if record["reason"] != STOPPED:  # that one was not decided, it was let go
                self.records[report.nodeid] = record
        elif str(report.when) == WORKER_DIED:
            self._crashed(report.nodeid)
        record = self.records.get(report.nodeid)
        if record is None:
            self._other_tests_failed = self._other_tests_failed or report.failed
            return
        if hasattr(report, "gate_teardown"):
            record["verdict"] = worst((record["verdict"], Verdict.SOURCE_ERROR)).value
            record["message"] = "; ".join(filter(None, (record["message"], report.gate_teardown)))
        if str(report.when) in ("teardown", WORKER_DIED):
            self._state.decide(record)

    def _heed_maxfail(self, report: pytest.TestReport) -> None:
        """With -x or --maxfail, scenarios on other workers would wait for what will never run."""
        self._failed += report.failed
        if self.config.option.maxfail and self._failed >= self.config.option.maxfail:
            self._state.stop()

    def _crashed(self, nodeid: str) -> None:
        for facts in read_selection(self.run.work)["selected"]:
            if facts["id"] == nodeid:
                self.records[nodeid] = {
                    **{name: facts[name] for name in ("id", "feature", "line", "name", "example", "phase")},
                    "tags": list(facts["tags"]),
                    **dict.fromkeys(("reason", "by", "until", "blocked_by")),
                    "verdict": Verdict.SOURCE_ERROR.value,
                    "message": "the process that ran this scenario died",
                    "seconds": 0.0,
                    "steps": [
                        {"text": text, "verdict": Verdict.BLOCKED.value, "seconds": 0.0, "observations": []}
                        for _, text in facts["steps"]
                    ],
                }

    @pytest.hookimpl(wrapper=True, trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session, exitstatus: int) -> Generator[None, object, object]:
        """Let go of whoever waits; when workers and JUnit are done, write the evidence and set the exit code."""
        running = self.run.work.is_dir() and not self.config.option.collectonly
        if running:
            self._state.stop()
        done = yield
        if running:
            self._finish(session, exitstatus)
        return done

    def _finish(self, session: pytest.Session, exitstatus: int) -> None:
        if self._earlier_handler is not None:
            signal.signal(signal.SIGTERM, self._earlier_handler)
        self._hush_junit()
        if self.records or (self._interrupted and not self.broken):
            self._conclude(broken=exitstatus in _KEPT_EXIT_CODES)
        else:
            self._leave_nothing()
        if self.decision is not None and exitstatus not in _KEPT_EXIT_CODES:
            session.exitstatus = self.decision.exit_code

    def _hush_junit(self) -> None:
        """The file is written by now, and our summary names it; pytest's own line would say so even without it."""
        junit = self.config.stash.get(xml_key, None)
        if junit is not None and self.config.option.xmlpath == str(self.run.directory / "junit.xml"):
            del self.config.stash[xml_key]
            self.config.pluginmanager.unregister(junit)

    def _leave_nothing(self) -> None:
        """Nothing ran, so there is nothing to keep."""
        if self.broken:
            sentence = "nothing ran: the features are not in order"
            self.decision = Decision(verdict="partial", exit_code=EXIT_INTERRUPTED, sentence=sentence)
        else:
            self.decision = decide_run([], environment=self.run.environment, whole=False)
        (self.run.directory / "junit.xml").unlink(missing_ok=True)
        self._tidy()
        if not any(self.run.directory.iterdir()):
            self.run.directory.rmdir()

    def _tidy(self) -> None:
        """Remove what the gate itself keeps in the work directory; what fixtures left there is evidence."""
        for pattern in (f"{SELECTION_FILE}*", PHASE_FILE, FACTS_FILE):
            for path in self.run.work.glob(pattern):
                path.unlink(missing_ok=True)
        if not any(self.run.work.iterdir()):
            self.run.work.rmdir()

    def _conclude(self, *, broken: bool) -> None:
        selection = read_selection(self.run.work)
        order = {facts["id"]: number for number, facts in enumerate(selection["selected"])}
        scenarios = sorted(self.records.values(), key=lambda record: order.get(record["id"], len(order)))
        places = {"root": self.run.root, "features": self.run.features}
        whole = is_whole(selection, self.records, **places) and not broken
        decision = decide_run(scenarios, environment=self.run.environment, whole=whole, interrupted=self._interrupted)
        if self._other_tests_failed and decision.exit_code == 0:
            decision = Decision(
                verdict="no-go", exit_code=EXIT_NO_GO, sentence="no-go: tests beside the features failed"
            )
        complete = whole and not self._interrupted
        results = self._assemble(selection, scenarios, decision=decision, complete=complete)
        self.decision, self.results = decision, redacted(results)
        self._publish(complete)
        self._tidy()

    def _assemble(
        self, selection: Mapping[str, Any], scenarios: list[dict[str, Any]], *, decision: Decision, complete: bool
    ) -> dict[str, Any]:
        noted = read_facts(self.run.work)
        facts = noted["facts"]
        register = self.config.stash[REGISTER]
        self.built = controls_with_scenarios(self.run.features, register.controls)
        controls = [
            ControlEntry(id=c.id, says=c.says, built_in=c.built_in, same_as=c.same_as)
            for c in register.controls.values()
        ]
        return {
            "schema": 1,
            "run_id": self.run.run_id,
            "complete": complete,
            "selection": described(self.config),
            "environment": self.run.environment,
            "clock": {"factor": facts.get("clock_factor", 1)},
            "started": self.run.started,
            "finished": datetime.now(tz=UTC).isoformat(timespec="milliseconds"),
            "commit": facts.get("commit") or commit_of(self.run.root),
            "plan_sha256": facts.get("plan_sha256"),
            "image_digests": facts.get("image_digests", {}),
            **{name: facts.get(name) for name in ("account", "region", "caller")},
            "tools": {**tool_versions(), **facts.get("tools", {})},
            "verdict": decision.verdict,
            "exit_code": decision.exit_code,
            "sentence": decision.sentence,
            "controls": control_results(controls, scenarios),
            "scenarios": scenarios,
            "rollouts": [_rollout(entry) for entry in noted["rollouts"]],
            "features": selection["files"],
            "parts": noted["parts"],
        }

    def _publish(self, complete: bool) -> None:
        assert self.results is not None, "results are assembled before they are published"
        assert self.decision is not None, "and decided"
        directory = self.run.directory
        try:
            write_results(self.results, directory)
        except InvalidResults as error:
            self.trouble = str(error)
            write_text(directory / "results.invalid.json", json.dumps(self.results, indent=1, default=str))
            if self.decision.exit_code == 0:
                sentence = f"not decidable: {error}"
                self.decision = Decision(verdict="no-go", exit_code=EXIT_NOT_DECIDABLE, sentence=sentence)
            return
        write_text(directory / "report.html", render_html(self.results))
        link_latest(directory, whole=complete)


def _rollout(entry: Mapping[str, Any]) -> dict[str, Any]:
    names = ["id", "from", "to", "outcome", "started", "finished", "requests_sent", "requests_failed", "void"]
    return {name: entry.get(name) for name in names}


def _terminated(signum: int, frame: FrameType | None) -> None:
    """A cancelled job still leaves its evidence."""
    raise KeyboardInterrupt(f"signal {signum}")


CONTROLLER = pytest.StashKey[Controller]()


def controller_of(config: pytest.Config) -> Controller | None:
    """The controller of this process, None in workers and in ordinary test runs."""
    return config.stash.get(CONTROLLER, None) if RUN in config.stash else None
