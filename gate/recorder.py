"""What one scenario saw: its steps, their observations, and the verdict they add up to."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

import pytest

from evidence.results import check_observation
from evidence.verdicts import SANDBOX, worst
from gate.verdicts import NotPassed
from rollout.model import Basis, Observation, Verdict

# What a step that never ran comes to: what people decided holds for the rest; everything else blocks it.
_CARRIED = frozenset({Verdict.NOT_APPLICABLE, Verdict.WAIVED, Verdict.DEFERRED})


@dataclass(frozen=True, kw_only=True)
class ScenarioFacts:
    """A scenario as collected, before it ran. `id` is the node id; `feature` is relative to the root."""

    id: str
    feature: str
    line: int
    name: str
    example: dict[str, str] | None
    tags: tuple[str, ...]
    phase: str
    control: str
    steps: tuple[tuple[str, str], ...]  # (given | when | then, text with keyword)


class Recorder:
    """Collects the steps of one scenario while it runs."""

    def __init__(
        self,
        facts: ScenarioFacts | None = None,
        environment: str = SANDBOX,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """`facts` None: a loose recorder, for a step under test."""
        self.facts = facts
        self.environment = environment
        self.steps: list[dict[str, Any]] = []
        self._monotonic = monotonic
        self._began = 0.0
        self._kind = ""

    def begin_step(self, kind: str, text: str) -> None:
        """A step starts; `kind` is given, when or then."""
        self._began = self._monotonic()
        self._kind = kind
        self.steps.append({"text": text, "verdict": None, "seconds": 0.0, "observations": []})

    def end_step(self) -> None:
        """A step returned. Raises NotPassed(NO_DATA) for a Then that recorded nothing."""
        seen = self.steps[-1]["observations"]
        if self._kind == "then" and not seen:
            raise NotPassed(
                Verdict.NO_DATA,
                f"a Then without an observation is not evidence: {self.steps[-1]['text']!r} recorded nothing",
            )
        self.close_step(worst(observation["verdict"] for observation in seen) if seen else Verdict.PASS)

    def close_step(self, verdict: Verdict) -> None:
        """Settle the open step, if one is open."""
        if self.steps and self.steps[-1]["verdict"] is None:
            self.steps[-1]["verdict"] = verdict.value
            self.steps[-1]["seconds"] = round(self._monotonic() - self._began, 3)

    def add(self, observations: Iterable[Observation]) -> None:
        """Record observations; raises NotPassed for the worst of them unless all are PASS.

        Raises NotPassed(NO_DATA) for no observation at all: a check that looked at nothing has not passed;
        evidence.results.InvalidResults for one that breaks the schema.
        """
        seen = [honest(observation, self.environment) for observation in observations]
        if not self.steps:
            self.begin_step("", "outside a step")
        plain = [as_json(observation) for observation in seen]
        for observation in plain:
            check_observation(observation)
        self.steps[-1]["observations"] += plain
        if not seen:
            raise NotPassed(Verdict.NO_DATA, "the check returned no observation: it looked at nothing")
        verdict = worst(observation.verdict for observation in seen)
        if verdict is not Verdict.PASS:
            first = next(observation for observation in seen if observation.verdict is verdict)
            raise NotPassed(verdict, sentence(first), reason=first.message or None)

    def all_steps(self, verdict: Verdict) -> list[dict[str, Any]]:
        """Every step of the scenario; those that never ran are BLOCKED, or share what people decided."""
        rest = verdict if verdict in _CARRIED else Verdict.BLOCKED
        planned = self.facts.steps if self.facts else ()
        never: list[dict[str, Any]] = [
            {"text": text, "verdict": rest.value, "seconds": 0.0, "observations": []}
            for _, text in planned[len(self.steps) :]
        ]
        return [*self.steps, *never]


RECORDER = pytest.StashKey[Recorder]()
SCENARIO = pytest.StashKey[ScenarioFacts]()


def honest(observation: Observation, environment: str) -> Observation:
    """The observation without a PASS it has not earned.

    Zero samples pass nothing; an imitation of a service passes nothing outside the sandbox.
    """
    if observation.verdict is not Verdict.PASS:
        return observation
    if observation.n == 0:
        return replace(
            observation,
            verdict=Verdict.NO_DATA,
            message=f"{observation.name}: PASS was claimed on a sample of 0; nothing was looked at",
        )
    if observation.basis is Basis.EMULATED and environment != SANDBOX:
        return replace(
            observation,
            verdict=Verdict.NO_DATA,
            message=f"{observation.name}: emulated evidence is no evidence in {environment}",
        )
    return observation


def sentence(observation: Observation) -> str:
    """The sentence an auditor wants: the observation's own message, else what its fields say."""
    if observation.message:
        return observation.message
    unit = f" {observation.unit}" if observation.unit else ""
    parts = [f"{observation.name} {observation.value}{unit}"]
    if observation.limit is not None:
        parts.append(f"limit {observation.limit}{unit}")
    if observation.n is not None:
        parts.append(f"n={observation.n}")
    if observation.window_seconds is not None:
        parts.append(f"window {observation.window_seconds:g} s")
    parts += [part for part in (observation.rule, observation.source) if part]
    return ", ".join(parts)


def as_json(observation: Observation) -> dict[str, Any]:
    """The observation as plain JSON values; what JSON cannot hold becomes its text."""
    fields = asdict(observation)
    fields["verdict"] = observation.verdict.value
    fields["basis"] = observation.basis.value
    fields["value"] = _plain(observation.value)
    fields["limit"] = _plain(observation.limit)
    return fields


def _plain(value: object) -> object:
    if value is None or isinstance(value, bool | int | str):
        return value
    if isinstance(value, float):
        return value if value == value and abs(value) != float("inf") else str(value)
    if isinstance(value, Mapping):
        return {str(key): _plain(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_plain(entry) for entry in (sorted(value, key=str) if isinstance(value, set | frozenset) else value)]
    return str(value)
