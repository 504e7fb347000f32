"""The terminal: one line per scenario as it finishes, then the summary, worst first.

Replaces pytest's dots, tracebacks and short summary in a gate run; `--tb=short` brings the tracebacks back.
NO_COLOR and --color are pytest's own and are honoured.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from evidence.summary import GREEN, RED, YELLOW, Line, progress_line, summary_lines
from gate.collect import REGISTER
from gate.controller import controller_of

_MARKUP = {GREEN: {"green": True}, RED: {"red": True}, YELLOW: {"yellow": True}, "": {}}
COLUMNS_MIN = 60
COLUMNS_IN_A_LOG = 120  # where nobody looks at a screen, nothing needs to be cut to 80


@pytest.hookimpl(trylast=True)
def pytest_sessionstart(session: pytest.Session) -> None:
    """Say what is about to be judged, and print a line per scenario instead of dots."""
    config = session.config
    controller = controller_of(config)
    reporter = _reporter(config)
    if controller is None or reporter is None or config.option.collectonly:
        return
    reporter.write_line(f"release gates: environment {controller.run.environment}, run {controller.run.run_id}")
    reporter.showfspath = False
    reporter._show_progress_info = False  # pytest has no public way to leave out the percentages
    config.pluginmanager.register(Progress(config), "gate-progress")


@pytest.hookimpl(tryfirst=True)
def pytest_report_teststatus(report: pytest.TestReport, config: pytest.Config) -> tuple[str, str, str] | None:
    """pytest counts a scenario, and prints nothing about it."""
    controller = controller_of(config)
    if controller is None or report.nodeid not in controller.records:
        return None
    if hasattr(report, "gate_record"):
        return report.outcome, "", ""
    return "", "", ""


class Progress:
    """Writes a line when a scenario is decided and cleaned up."""

    def __init__(self, config: pytest.Config) -> None:
        """Only in the controller of a gate run."""
        self._config = config

    @pytest.hookimpl(trylast=True)
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """The last report of a scenario has arrived."""
        controller = controller_of(self._config)
        reporter = _reporter(self._config)
        if controller is None or reporter is None or report.when in ("setup", "call"):
            return
        record = controller.records.get(report.nodeid)
        if record is None:
            return
        line = progress_line(
            record, control=_control_of(self._config, record), width=_width(reporter), unicode=_unicode(reporter)
        )
        _write(reporter, line)


@pytest.hookimpl(tryfirst=True)
def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    """The summary of the run, before pytest's own last line."""
    controller = controller_of(config)
    if controller is None or controller.decision is None:
        return
    for text in controller.broken:
        terminalreporter.write_line(text, red=True)
    if controller.results is None:
        terminalreporter.write_line(f"{controller.decision.sentence} (exit {controller.decision.exit_code})", red=True)
        return
    results = {
        **controller.results,
        "exit_code": controller.decision.exit_code,
        "sentence": controller.decision.sentence,
    }
    directory = controller.run.directory
    inside = directory.is_relative_to(config.rootpath)
    place = directory.relative_to(config.rootpath) if inside else directory
    terminalreporter.write_sep("=", "controls, worst first")
    for line in summary_lines(
        results,
        built=len(controller.built),
        place=f"{place}/ (results.json, report.html, junit.xml)",
        width=_width(terminalreporter),
        unicode=_unicode(terminalreporter),
    ):
        _write(terminalreporter, line)
    if controller.trouble:
        terminalreporter.write_line(controller.trouble, red=True)


def _control_of(config: pytest.Config, record: Mapping[str, Any]) -> str:
    controls = config.stash[REGISTER].controls
    return next((tag for tag in record["tags"] if tag in controls), "")


def _reporter(config: pytest.Config) -> Any:
    return config.pluginmanager.get_plugin("terminalreporter")


def _width(reporter: Any) -> int:
    return max(int(reporter._tw.fullwidth), COLUMNS_MIN if reporter.isatty else COLUMNS_IN_A_LOG)


def _unicode(reporter: Any) -> bool:
    encoding = getattr(reporter._tw._file, "encoding", None) or ""
    return encoding.lower().replace("-", "").startswith("utf")


def _write(reporter: Any, line: Line) -> None:
    reporter.ensure_newline()
    reporter.write_line(line.text, **_MARKUP[line.colour])
