"""How verdicts compare, and what a whole run comes to.

Pure: lists of scenario results in, a decision out. The one place that ranks the words of `rollout.model.Verdict`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rollout.model import Basis, Verdict

SANDBOX = "sandbox"

# Worst first. FAIL is known to be bad; then what could not be known, by how little is known; then what was
# not tried; then what people decided; PASS is the only one that observed something good.
BADNESS: tuple[Verdict, ...] = (
    Verdict.FAIL,
    Verdict.SOURCE_ERROR,
    Verdict.NO_DATA,
    Verdict.LOW_SAMPLE,
    Verdict.BLOCKED,
    Verdict.DEFERRED,
    Verdict.WAIVED,
    Verdict.NOT_APPLICABLE,
    Verdict.PASS,
)
_RANK: Mapping[Verdict, int] = {verdict: rank for rank, verdict in enumerate(BADNESS)}

# Only these open the next phase (design.md, 2): DEFERRED opens nothing, and a missing answer never equals success.
OPENS_A_PHASE = frozenset({Verdict.PASS, Verdict.NOT_APPLICABLE, Verdict.WAIVED})
# Nobody knows: exit 6 when only these stand in the way.
NOT_DECIDABLE = frozenset({Verdict.LOW_SAMPLE, Verdict.NO_DATA, Verdict.SOURCE_ERROR})

# Weakest first: a control's basis is its weakest.
WEAKNESS: tuple[Basis, ...] = (Basis.EMULATED, Basis.ARTEFACT, Basis.LIVE)

EXIT_GO = 0
EXIT_NO_GO = 1
EXIT_INTERRUPTED = 2
EXIT_USAGE = 4
EXIT_NOTHING_RAN = 5
EXIT_NOT_DECIDABLE = 6

Result = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Decision:
    """What the run says: its verdict word, its exit code and one sentence that gives the reason."""

    verdict: str
    exit_code: int
    sentence: str


def rank(verdict: str) -> int:
    """Position of a verdict in BADNESS, 0 for the worst. Raises ValueError for a word that does not exist."""
    return _RANK[Verdict(verdict)]


def worst(verdicts: Iterable[str]) -> Verdict:
    """The worst of the verdicts; NO_DATA for none at all, since nothing was seen."""
    return min((Verdict(verdict) for verdict in verdicts), key=rank, default=Verdict.NO_DATA)


def weakest(bases: Iterable[str]) -> Basis | None:
    """The weakest basis among observations, None where there was no observation."""
    return min((Basis(basis) for basis in bases), key=WEAKNESS.index, default=None)


def causes(scenarios: Sequence[Result]) -> list[Result]:
    """The scenarios that stand in the way by themselves, in the order given.

    A BLOCKED scenario that names another scenario of the run is a consequence; one that names something else
    (a missing tool, an overdue obligation) is a cause. A DEFERRED one is a cause only where it blocked something.
    """
    blockers = {scenario["blocked_by"] for scenario in scenarios if scenario["blocked_by"]}
    known = {scenario["id"] for scenario in scenarios}

    def stands_in_the_way(scenario: Result) -> bool:
        verdict = Verdict(scenario["verdict"])
        if verdict is Verdict.BLOCKED:
            return scenario["blocked_by"] not in known
        if verdict is Verdict.DEFERRED:
            return scenario["id"] in blockers
        return verdict not in OPENS_A_PHASE

    return [scenario for scenario in scenarios if stands_in_the_way(scenario)]


def decide_run(scenarios: Sequence[Result], *, environment: str, whole: bool, interrupted: bool = False) -> Decision:
    """Verdict and exit code of a run (contracts.md, sections 1 and 3).

    `whole`: every scenario of features/ was selected and decided. `interrupted`: stopped by a person or a signal.
    """
    if interrupted:
        return _interrupted(scenarios)
    if not scenarios:
        return Decision(verdict="partial", exit_code=EXIT_NOTHING_RAN, sentence="nothing ran: no scenario was selected")
    standing = causes(scenarios)
    if standing:
        return _refused(standing)
    if not any(Verdict(scenario["verdict"]) in OPENS_A_PHASE for scenario in scenarios):
        return Decision(
            verdict="no-go", exit_code=EXIT_NOT_DECIDABLE, sentence="not decidable: every scenario was deferred"
        )
    if not whole:
        return Decision(
            verdict="partial",
            exit_code=EXIT_GO,
            sentence="partial: nothing stands in the way among the selected scenarios, which are not all of them",
        )
    if environment == SANDBOX:
        return Decision(
            verdict="rehearsal-passed",
            exit_code=EXIT_GO,
            sentence="rehearsal passed: every scenario holds in the sandbox, which never says go",
        )
    return Decision(verdict="go", exit_code=EXIT_GO, sentence=f"go: every scenario holds in {environment}")


def _interrupted(scenarios: Sequence[Result]) -> Decision:
    standing = causes(scenarios)
    seen = f"{len(scenarios)} decided before, {len(standing)} of them not green"
    return Decision(
        verdict="no-go" if standing else "partial", exit_code=EXIT_INTERRUPTED, sentence=f"interrupted: {seen}"
    )


def _refused(standing: Sequence[Result]) -> Decision:
    """No-go or not decidable, with the first reason."""
    undecided = all(Verdict(scenario["verdict"]) in NOT_DECIDABLE for scenario in standing)
    decisive = standing if undecided else [s for s in standing if Verdict(s["verdict"]) not in NOT_DECIDABLE]
    first = min(decisive, key=lambda scenario: rank(scenario["verdict"]))
    others = f" and {len(standing) - 1} more" if len(standing) > 1 else ""
    word = "not decidable" if undecided else "no-go"
    return Decision(
        verdict="no-go",
        exit_code=EXIT_NOT_DECIDABLE if undecided else EXIT_NO_GO,
        sentence=f"{word}: {first['name']} is {first['verdict']}{others}",
    )
