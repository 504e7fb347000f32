"""Who leads a run notices who is missing, refuses another version, and ends in every case."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from loadtests import conductor as module
from loadtests.conductor import Conductor, Run
from loadtests.messages import END, REFUSED
from loadtests.plan import Plan
from loadtests.recording import Recorder

TRAFFIC = """
schema = 1
[traffic]
name = "t"
arrivals = "constant"
arrivals_per_second = 10
in_flight_max = 10
timeout_seconds = 2
[mix]
look = 1
[profiles.steady]
warm_up_seconds = 1
stages = [{ seconds = 10, arrivals_percent = 100 }]
"""
PLAN = Plan(
    traffic_toml=TRAFFIC,
    profile="steady",
    seconds=None,
    rate=None,
    seed=1,
    limits_seconds={"*": 0.2},
    ranks={},
    host="http://shop.example",
    connect_to=(),
    ca_pem=None,
    headers=(),
    credentials_file=None,
)


class Clock:
    """Stands still but for what a test lets pass, and what the conductor sleeps."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now

    def pass_by(self, seconds: float) -> None:
        self.now += seconds


class Nodes(dict[str, Any]):
    """As locust's: worker id to node."""

    @property
    def ready(self) -> list[Any]:
        return [node for node in self.values() if node.state == "ready"]


class Runner:
    """What the conductor uses of locust's master."""

    def __init__(self, *workers: str) -> None:
        self.clients = Nodes({worker: SimpleNamespace(id=worker, state="ready") for worker in workers})
        self.sent: list[tuple[str, Any, str | None]] = []

    def send_message(self, kind: str, data: Any = None, client_id: str | None = None) -> None:
        self.sent.append((kind, data, client_id))

    def get_worker_index(self, worker: str) -> int:
        return list(self.clients).index(worker)


class Stage:
    """A conductor with workers that a test speaks for."""

    def __init__(self, clock: Clock, *workers: str, wanted: int | None = None, plan: Plan | Exception = PLAN) -> None:
        self.clock = clock
        self.runner = Runner(*workers)
        options = SimpleNamespace(expect_workers=wanted or len(workers), headless=True, autostart=False)
        self.environment = SimpleNamespace(runner=self.runner, parsed_options=options, stop_timeout=0.0)
        self.finished: list[Run] = []
        self.certain: str | None = None
        self.recorders = {
            worker: Recorder(warm_up_seconds=1.0, limits_seconds={"*": 0.2}, interval_seconds=1.0) for worker in workers
        }

        def planned() -> Plan:
            if isinstance(plan, Exception):
                raise plan
            return plan

        self.conductor = Conductor(
            self.environment, plan_of=planned, crossed=lambda run, look: self.certain, finished=self.finished.append
        )
        for worker in workers:
            self.conductor.on_hello(worker, "same", "same")

    @property
    def run(self) -> Run:
        assert self.conductor.run is not None
        return self.conductor.run

    def speak(self, *workers: str, final: bool = False) -> None:
        for worker in workers:
            message: dict[str, Any] = {"parcel": self.recorders[worker].parcel(final=final), "cpu_percent": 5.0}
            self.conductor.on_parcel(worker, {**message, **({"came_seconds": 10.0} if final else {})})

    def kinds(self) -> list[str]:
        return [kind for kind, _, _ in self.runner.sent]


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(module, "_now", clock)
    monkeypatch.setattr(module.gevent, "sleep", clock.pass_by)
    return clock


def test_a_run_ends_when_all_have_handed_in_their_last_parcel(clock: Clock) -> None:
    stage = Stage(clock, "a", "b")

    assert stage.conductor.begin() == 2
    assert Plan.from_text(stage.environment.parsed_options.loadtests_plan).ranks == {"a": 0, "b": 1}
    stage.speak("a", "b")
    assert stage.conductor.go_on()
    stage.speak("a", final=True)
    assert stage.conductor.go_on()
    stage.speak("b", final=True)
    assert not stage.conductor.go_on()
    stage.conductor.finish()
    stage.conductor.finish()

    assert len(stage.finished) == 1
    assert (stage.run.cut, stage.run.aborted, stage.run.broken, stage.run.lost) == (None, None, None, [])
    assert stage.run.merged.result().problems == ()
    assert stage.run.came_seconds == [10.0, 10.0]


def test_another_version_is_refused_by_name_and_not_counted(clock: Clock) -> None:
    stage = Stage(clock, "a", "b")
    stage.runner.clients["c"] = SimpleNamespace(id="c", state="ready")
    stage.conductor.on_hello("c", "0123456789abcdef", "fedcba9876543210")
    kind, data, worker = stage.runner.sent[-1]

    assert (kind, worker) == (REFUSED, "c")
    assert "worker c has another version of the load tests (0123456789ab, here fedcba987654)" in data["sentence"]
    assert set(stage.runner.clients) == {"a", "b"}
    assert stage.conductor.begin() == 2


def test_a_run_does_not_begin_without_all_workers(clock: Clock) -> None:
    stage = Stage(clock, "a", wanted=2)

    assert stage.conductor.begin() == 0
    assert stage.run.broken == "1 of 2 workers of this version joined"
    assert not stage.conductor.go_on()
    assert clock.now <= 1000 + module.GATHER_SECONDS_MAX + 1


def test_a_refused_worker_must_be_gone_before_a_run_begins(clock: Clock) -> None:
    """locust would give it a share of the users."""
    stage = Stage(clock, "a", wanted=1)
    stage.runner.clients["c"] = SimpleNamespace(id="c", state="ready")

    assert stage.conductor.begin() == 0
    del stage.runner.clients["c"]
    assert stage.conductor.begin() == 1


def test_a_plan_that_cannot_be_made_is_the_cause(clock: Clock) -> None:
    stage = Stage(clock, "a", plan=ValueError("traffic.toml: no"))

    assert stage.conductor.begin() == 0
    assert stage.run.plan is None
    assert stage.run.broken == "traffic.toml: no"


@pytest.mark.parametrize("how", ["missing", "gone", "silent"])
def test_a_worker_that_is_lost_ends_the_run_with_its_name(clock: Clock, how: str) -> None:
    stage = Stage(clock, "a", "b")
    stage.conductor.begin()
    stage.speak("a", "b")
    clock.pass_by(3)
    if how == "missing":
        stage.runner.clients["b"].state = "missing"
    elif how == "gone":
        del stage.runner.clients["b"]
    else:
        clock.pass_by(module.SILENCE_SECONDS_MAX)
        stage.speak("a")
    assert stage.conductor.go_on()
    stage.speak("a", final=True)
    assert not stage.conductor.go_on()

    assert [lost.id for lost in stage.run.lost] == ["b"]
    assert stage.run.lost[0].sentence.startswith("worker 2 of 2 (b) was lost")
    assert stage.kinds().count(END) == 1
    assert any("worker b" in problem for problem in stage.run.merged.result().problems)


def test_a_worker_that_never_begins_is_lost(clock: Clock) -> None:
    stage = Stage(clock, "a")
    stage.conductor.begin()
    clock.pass_by(module.LOGIN_SECONDS_MAX - 1)
    assert stage.conductor.go_on()
    clock.pass_by(2)

    assert not stage.conductor.go_on()
    assert [lost.id for lost in stage.run.lost] == ["a"]


def test_a_worker_that_never_ends_is_lost(clock: Clock) -> None:
    stage = Stage(clock, "a")
    stage.conductor.begin()
    for _ in range(200):
        clock.pass_by(1)
        stage.speak("a")
        if not stage.conductor.go_on():
            break

    assert [lost.sentence for lost in stage.run.lost] == ["worker a did not end with the profile"]


def test_what_does_not_end_when_told_is_not_waited_for(clock: Clock) -> None:
    stage = Stage(clock, "a", "b")
    stage.conductor.begin()
    stage.speak("a", "b")
    stage.conductor.cut("interrupted")
    stage.speak("a", final=True)
    assert stage.conductor.go_on()
    clock.pass_by(PLAN.traffic.timeout_seconds + module.GRACE_SECONDS)

    assert not stage.conductor.go_on()
    assert [lost.id for lost in stage.run.lost] == ["b"]


def test_a_login_that_fails_ends_the_run_with_the_cause(clock: Clock) -> None:
    stage = Stage(clock, "a", "b")
    stage.conductor.begin()
    stage.conductor.on_broken("b", "login failed: status 401")
    stage.speak("a", "b", final=True)

    assert not stage.conductor.go_on()
    assert stage.run.broken == "login failed: status 401"
    assert END in stage.kinds()


def test_certainty_ends_a_run_early(clock: Clock) -> None:
    stage = Stage(clock, "a")
    stage.conductor.begin()
    stage.speak("a")
    stage.certain = "p95 is surely over"
    assert stage.conductor.go_on()
    stage.speak("a", final=True)

    assert not stage.conductor.go_on()
    assert (stage.run.aborted, stage.run.cut) == ("p95 is surely over", None)


def test_the_first_reason_stays(clock: Clock) -> None:
    stage = Stage(clock, "a")
    stage.conductor.begin()
    stage.conductor.cut("interrupted")
    stage.conductor.abort("certain")
    stage.conductor.cut("again")

    assert (stage.run.cut, stage.run.aborted) == ("interrupted", None)
    assert stage.kinds().count(END) == 1


def test_a_run_that_somebody_stops_is_cut(clock: Clock) -> None:
    """By locust's own button, of which the conductor learns only that it is over."""
    stage = Stage(clock, "a")
    stage.conductor.begin()
    stage.speak("a")
    clock.pass_by(4)
    stage.conductor.finish()

    assert [run.cut for run in stage.finished] == ["stopped 4 s after the start"]
