"""The `observe` fixture: how a step attaches what it saw, and stops where that is not PASS."""

from __future__ import annotations

import time
from typing import Any, Required, TypedDict, Unpack

import pytest

from gate.recorder import RECORDER, Recorder
from gate.settings import environment_name
from rollout.model import Basis, Observation, Verdict


class Fields(TypedDict, total=False):
    """The fields of an observation that a step may give, as rollout.model.Observation has them.

    `time` in epoch seconds on `clock` ("real", the default, or "virtual"): now by default, compulsory on the virtual
    clock. `basis` is live by default.
    """

    verdict: Required[Verdict | str]
    limit: object
    unit: str
    rule: str
    source: str
    n: int | None
    time: float
    clock: str
    window_seconds: float | None
    basis: Basis | str
    message: str


class Observe:
    """Records observations of the running step. Every Then needs at least one, on PASS too."""

    def __init__(self, recorder: Recorder) -> None:
        """`recorder` is the scenario's, or a loose one in a test of a step."""
        self._recorder = recorder

    def __call__(self, name: str, value: object, **fields: Unpack[Fields]) -> None:
        """Record one observation: `verdict` is compulsory, see `Fields` for the rest and the defaults.

        Raises gate.verdicts.NotPassed with the message when the verdict is not PASS, ValueError for an unknown word or
        a virtual time that is missing, TypeError for a field that does not exist.
        """
        given: dict[str, Any] = dict(fields)
        if "verdict" not in given:
            raise TypeError(f"observation {name!r} needs its verdict: the step asks, it does not leave it open")
        if "time" not in given and given.get("clock") == "virtual":
            raise ValueError(f"observation {name!r} on the virtual clock needs its time")
        given.setdefault("time", time.time())
        given["verdict"] = Verdict(given["verdict"])
        given["basis"] = Basis(given.get("basis", Basis.LIVE))
        self.add(Observation(name=name, value=value, **given))

    def add(self, *observations: Observation) -> None:
        """Record what a probe returned, all of it, then stop at the worst that is not PASS.

        Raises gate.verdicts.NotPassed; NO_DATA for no observation at all.
        """
        self._recorder.add(observations)

    @property
    def seen(self) -> list[dict[str, object]]:
        """All observations of the scenario so far, as plain JSON values."""
        return [observation for step in self._recorder.steps for observation in step["observations"]]


@pytest.fixture
def observe(request: pytest.FixtureRequest) -> Observe:
    """Attach what the running step saw: `observe(name, value, verdict=...)` or `observe.add(*observations)`."""
    recorder = request.node.stash.get(RECORDER, None)
    return Observe(recorder or Recorder(environment=environment_name(request.config)))
