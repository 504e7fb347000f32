"""The gate as a pytest plugin: `pytest_plugins = ["gate.plugin", ...]` in the root conftest.

This module only wires: options, the run, the register, the parts. `pytest tests/` stays an ordinary test run.
"""

from __future__ import annotations

import pytest

import gate.collect
import gate.observe
import gate.phases
import gate.scenario
import gate.selection
import gate.terminal
import gate.workers
from gate.collect import COLLECTION, REGISTER, Collection
from gate.controller import CONTROLLER, Controller
from gate.register import load_register
from gate.settings import RUN, begin_run, is_gate_run, join_run

PARTS = (gate.collect, gate.selection, gate.phases, gate.scenario, gate.workers, gate.terminal)


def pytest_addoption(parser: pytest.Parser) -> None:
    """The gate's own options."""
    group = parser.getgroup("release gates")
    group.addoption(
        "--environment",
        metavar="NAME",
        help="environment under release, as release.toml declares it (default: sandbox; compulsory with CI set "
        "or with any other environment declared)",
    )
    group.addoption(
        "--no-phase-blocking",
        dest="phase_blocking",
        action="store_false",
        default=True,
        help="run later phases although an earlier one is not green (for planted defects)",
    )
    group.addoption(
        "--phase-deadline-seconds",
        type=float,
        default=1800.0,
        metavar="SECONDS",
        help="how long a scenario waits for an earlier phase on other workers (default: 1800)",
    )
    group.addoption(
        "--evidence-directory",
        default="build/evidence",
        metavar="PATH",
        help="where the evidence of each run goes (default: build/evidence)",
    )


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Begin or join the run. Raises pytest.UsageError (exit 4) for a wrong environment, register or release.toml."""
    config.pluginmanager.register(gate.observe, gate.observe.__name__)
    told = getattr(config, "workerinput", {}).get("gate_run")
    is_worker = hasattr(config, "workerinput")
    if not (told or (not is_worker and is_gate_run(config))):
        return
    register = load_register(config.rootpath / "features" / "controls.toml")
    run = join_run(config, told) if told else begin_run(config)
    for control in run.release.waivers:
        if control not in register.controls:
            raise pytest.UsageError(f"release.toml: a waiver for {control}, which the register does not hold")
    config.stash[REGISTER] = register
    config.stash[COLLECTION] = Collection()
    config.stash[RUN] = run
    for part in PARTS:
        config.pluginmanager.register(part, part.__name__)
    for name, meaning in _marks(config).items():
        config.addinivalue_line("markers", f"{name}: {meaning}")
    if not is_worker:
        _prepare_controller(config)


def _marks(config: pytest.Config) -> dict[str, str]:
    register = config.stash[REGISTER]
    phases = {
        "pre": "before the deployment",
        "deployment": "while traffic moves",
        "rollback": "traffic taken back",
        "post": "after the deployment",
    }
    return {**phases, **register.topics, **{c.id: c.says for c in register.controls.values()}}


def _prepare_controller(config: pytest.Config) -> None:
    run = config.stash[RUN]
    if config.option.max_warnings is not None:
        raise pytest.UsageError("--max-warnings ends with exit code 6, which means not decidable here; leave it out")
    if not config.option.collectonly:
        _quieten(config)
        if config.option.xmlpath is None:
            config.option.xmlpath = str(run.directory / "junit.xml")
    controller = Controller(config, run)
    config.stash[CONTROLLER] = controller
    config.pluginmanager.register(controller, "gate-controller")


def _quieten(config: pytest.Config) -> None:
    """The summary says it better than pytest's header, tracebacks and short summary; an explicit --tb is kept."""
    config.option.no_header = True
    config.option.reportchars = ""
    if config.option.tbstyle == "auto":
        config.option.tbstyle = "no"
    # Hypothesis would be imported as a whole, only to say that it has nothing to say.
    hypothesis = config.pluginmanager.get_plugin("hypothesispytest")
    if hypothesis is not None:
        config.pluginmanager.unregister(hypothesis)
