"""What supports the controls of a framework: the catalogue's names held against what was found out. Pure.

One observation per control, as bad as the worst of what it names. What was not asked is NO_DATA and what could not be
asked is SOURCE_ERROR, so that taking evidence away never makes a control better. What no check sees, the catalogue
calls a gap: a gap is no evidence and no failure, and whoever reads the observation is told of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from probes.question import Question, worst
from rollout.model import Basis, Observation, Verdict

TECHNICAL = "technical"
_NAMED_MAX = 6  # pieces of evidence that a message names; the value counts all of them
# Weakest first (contracts.md 1): an observation that rests on several is worth no more than the weakest of them.
_WEAKNESS = (Basis.EMULATED, Basis.ARTEFACT, Basis.LIVE)
_SOURCE = "policies over the code, the live account, signed attestations"


class Control(Protocol):
    """A control as the catalogue has it. `code`, `live` and `attestations` name what has to be found out."""

    @property
    def framework(self) -> str: ...

    @property
    def id(self) -> str: ...

    @property
    def says(self) -> str: ...

    @property
    def kind(self) -> str: ...

    @property
    def code(self) -> Sequence[str]: ...

    @property
    def live(self) -> Sequence[str]: ...

    @property
    def attestations(self) -> Sequence[str]: ...

    @property
    def gap(self) -> str: ...


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """What was found out, by the names that the catalogue uses: policies over the code, live checks, attestations."""

    code: Mapping[str, Observation] = field(default_factory=dict)
    live: Mapping[str, Observation] = field(default_factory=dict)
    attested: Mapping[str, Observation] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class _Piece:
    """One piece of evidence that a control names."""

    name: str
    seen: Observation

    @property
    def applies(self) -> bool:
        return self.seen.verdict is not Verdict.NOT_APPLICABLE

    @property
    def good(self) -> bool:
        return self.seen.verdict is Verdict.PASS


def judge_framework(controls: Iterable[Control], framework: str, evidence: Evidence) -> tuple[Observation, ...]:
    """One observation per control of the framework, in the catalogue's order; NO_DATA where it has none."""
    chosen = [one for one in controls if one.framework == framework]
    if not chosen:
        question = Question(name=f"compliance.{framework}", rule="the framework has controls", source="the catalogue")
        return (question.no_data(f"the catalogue has no control of {framework}"),)
    return tuple(judge_control(one, evidence) for one in chosen)


def judge_control(control: Control, evidence: Evidence) -> Observation:
    """`compliance.<framework> <id>`: worst verdict of all that the control names, "26 of 26 checks" as its value.

    A technical control without a declared gap needs a check in code and one on the live account that apply (VAL-10).
    """
    code = _pieces(control.code, evidence.code, "policy over the code")
    live = _pieces(control.live, evidence.live, "live check")
    attested = _pieces(control.attestations, evidence.attested, "attestation")
    pieces = [one for one in (*code, *live, *attested) if one.applies]
    verdict = _verdict(control, code=code, live=live, attested=attested)
    question = Question(
        name=f"compliance.{control.framework} {control.id}",
        rule=control.says,
        source=_SOURCE,
        limit="every check that applies, every attestation",
        basis=min((one.seen.basis for one in pieces), key=_WEAKNESS.index, default=Basis.ARTEFACT),
    )
    value = f"{_count((*code, *live), 'check')}, {_count(attested, 'attestation')}"
    told = [f"{control.framework} {control.id}, {control.kind}: {value}", *_unmapped(control, code=code, live=live)]
    told += _worst_first(pieces)
    told += [f"not looked at: {control.gap}"] if control.gap else []
    return question.answer(verdict, value, message="; ".join(told), n=len(pieces))


def _pieces(names: Sequence[str], found: Mapping[str, Observation], what: str) -> tuple[_Piece, ...]:
    return tuple(_Piece(name=name, seen=found.get(name) or _never_asked(name, what)) for name in names)


def _never_asked(name: str, what: str) -> Observation:
    question = Question(name=name, rule=f"the {what} was asked", source="nobody", basis=Basis.ARTEFACT)
    return question.no_data(f"no {what} {name} was asked")


def _verdict(
    control: Control, *, code: Sequence[_Piece], live: Sequence[_Piece], attested: Sequence[_Piece]
) -> Verdict:
    found = worst(one.seen for one in (*code, *live, *attested))
    if found in (Verdict.PASS, Verdict.NOT_APPLICABLE) and _unmapped(control, code=code, live=live):
        return Verdict.NO_DATA
    return found


def _unmapped(control: Control, *, code: Sequence[_Piece], live: Sequence[_Piece]) -> list[str]:
    """What a technical control lacks, as sentences; a declared gap says it in the catalogue's own words."""
    if control.kind != TECHNICAL or control.gap:
        return []
    places = (("in code", code), ("on the live account", live))
    return [f"no check {where} applies to it" for where, pieces in places if not any(one.applies for one in pieces)]


def _count(pieces: Sequence[_Piece], what: str) -> str:
    applying = [one for one in pieces if one.applies]
    plural = "" if len(applying) == 1 else "s"
    return f"{sum(one.good for one in applying)} of {len(applying)} {what}{plural}"


def _worst_first(pieces: Sequence[_Piece]) -> list[str]:
    """What stands against the control, the worst first, at most six of them by name."""
    against = sorted((one for one in pieces if not one.good), key=lambda one: (_rank(one), one.name))
    told = [f"{one.name} is {one.seen.verdict.value}: {one.seen.message}" for one in against[:_NAMED_MAX]]
    return [*told, f"and {len(against) - _NAMED_MAX} more"] if len(against) > _NAMED_MAX else told


def _rank(piece: _Piece) -> int:
    order = (Verdict.FAIL, Verdict.SOURCE_ERROR, Verdict.NO_DATA)
    return order.index(piece.seen.verdict) if piece.seen.verdict in order else len(order)


def judge_mapping(incomplete: Sequence[str], differences: Sequence[str], *, checks: int) -> Observation:
    """`compliance.mapping`: every control has its checks, and every check still means what a person agreed to.

    `incomplete` and `differences` are the catalogue's own findings as sentences; `checks` is how many it names.
    """
    question = Question(
        name="compliance.mapping",
        rule="every control names checks or says what nobody checks, and every named check exists unchanged",
        source="the catalogue",
        basis=Basis.ARTEFACT,
    )
    wrong = [*incomplete, *differences]
    if wrong:
        return question.failed(wrong, "; ".join(wrong[:_NAMED_MAX]), n=checks)
    if not checks:
        return question.no_data("the catalogue names no check at all")
    return question.passed(checks, f"{checks} checks exist and mean what was agreed", n=checks)


def judge_gaps(controls: Sequence[Control]) -> Observation:
    """`compliance.gaps`: what nobody checks, told with the control that has it; PASS once it is told.

    A gap is a decision that a reviewer signs with the catalogue; this observation is where the evidence holds it.
    """
    question = Question(
        name="compliance.gaps",
        rule="what no check sees is named with its control",
        source="the catalogue",
        basis=Basis.ARTEFACT,
    )
    if not controls:
        return question.no_data("the catalogue has no control")
    gaps = {f"{one.framework} {one.id}": one.gap for one in controls if one.gap}
    told = "; ".join(f"{who}: {gap}" for who, gap in gaps.items()) or "none"
    return question.passed(gaps, f"{len(gaps)} of {len(controls)} controls have a gap: {told}", n=len(controls))


@dataclass(frozen=True, kw_only=True)
class Exemption:
    """An accepted finding as it stands in the file of exceptions; `expired` as of the day of the run."""

    policy: str
    owner: str
    approver: str
    reason: str
    ends: str
    expired: bool


def judge_exceptions(entries: Sequence[Exemption], problems: Sequence[str]) -> Observation:
    """`compliance.exceptions`: none has expired, and nothing is looked away from without one.

    An expired entry is FAIL also where it covers nothing at present: the next finding of its kind would look excused.
    """
    question = Question(
        name="compliance.exceptions",
        rule="every accepted finding has owner, reason, approver and an end that has not passed",
        source="the file of exceptions",
        basis=Basis.ARTEFACT,
    )
    expired = [f"the exception of {one.owner} for {one.policy} expired on {one.ends}" for one in entries if one.expired]
    names = [one.policy for one in entries]
    if expired or problems:
        return question.failed(names, "; ".join((*expired, *problems)))
    if not entries:
        return question.passed(names, "no finding is accepted, and nothing is looked away from")
    told = "; ".join(f"{one.policy} until {one.ends}, {one.owner}, approved by {one.approver}" for one in entries)
    return question.passed(names, f"{len(entries)} accepted findings: {told}")
