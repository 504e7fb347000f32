"""PRE-09, VAL-10 to 12: a control is as good as the worst of what it names, and never better for less evidence."""

from __future__ import annotations

import random
from collections.abc import Iterable
from dataclasses import dataclass, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from probes.compliance import (
    Evidence,
    Exemption,
    judge_control,
    judge_exceptions,
    judge_framework,
    judge_gaps,
    judge_mapping,
)
from rollout.model import Basis, Observation, Verdict


@dataclass(frozen=True, kw_only=True)
class Control:
    """A control as the catalogue would have it."""

    framework: str = "HIPAA"
    id: str = "164.312(b)"
    says: str = "activity is recorded"
    kind: str = "technical"
    code: tuple[str, ...] = ("CKV_RG_33",)
    live: tuple[str, ...] = ("trail.recording",)
    attestations: tuple[str, ...] = ("log_review",)
    gap: str = ""


def seen(name: str, verdict: Verdict = Verdict.PASS, basis: Basis = Basis.LIVE) -> Observation:
    return Observation(name=name, value=None, verdict=verdict, time=1.0, basis=basis, message=f"{name} says so")


def evidence(
    *, code: Verdict = Verdict.PASS, live: Verdict = Verdict.PASS, attested: Verdict = Verdict.PASS
) -> Evidence:
    return Evidence(
        code={"CKV_RG_33": seen("CKV_RG_33", code, Basis.ARTEFACT)},
        live={"trail.recording": seen("trail.recording", live)},
        attested={"log_review": seen("log_review", attested, Basis.EMULATED)},
    )


def test_all_that_is_named_and_good_is_a_pass_with_its_counts() -> None:
    found = judge_control(Control(), evidence())

    assert found.verdict is Verdict.PASS
    assert found.value == "2 of 2 checks, 1 of 1 attestation"
    assert found.name == "compliance.HIPAA 164.312(b)"
    assert found.n == 3
    assert found.basis is Basis.EMULATED, "worth no more than the weakest of what it rests on"


@pytest.mark.parametrize("place", ["code", "live", "attested"])
@pytest.mark.parametrize(
    "verdict", [Verdict.FAIL, Verdict.SOURCE_ERROR, Verdict.NO_DATA, Verdict.DEFERRED, Verdict.WAIVED]
)
def test_one_piece_that_is_not_good_decides(place: str, verdict: Verdict) -> None:
    found = judge_control(Control(), evidence(**{place: verdict}))

    assert found.verdict is verdict
    assert "says so" in found.message, "the piece's own sentence is told"
    assert found.value in ("1 of 2 checks, 1 of 1 attestation", "2 of 2 checks, 0 of 1 attestation")


@pytest.mark.parametrize(
    ("worse", "better"),
    [
        (Verdict.FAIL, Verdict.SOURCE_ERROR),
        (Verdict.SOURCE_ERROR, Verdict.NO_DATA),
        (Verdict.NO_DATA, Verdict.DEFERRED),
        (Verdict.DEFERRED, Verdict.WAIVED),
    ],
)
def test_the_worst_wins(worse: Verdict, better: Verdict) -> None:
    assert judge_control(Control(), evidence(code=worse, live=better)).verdict is worse
    assert judge_control(Control(), evidence(code=better, live=worse)).verdict is worse


@pytest.mark.parametrize("place", ["code", "live", "attested"])
def test_what_nobody_asked_is_no_data(place: str) -> None:
    found = judge_control(Control(), replace(evidence(), **{place: {}}))

    assert found.verdict is Verdict.NO_DATA
    assert "was asked" in found.message


def test_what_does_not_apply_is_not_counted() -> None:
    control = Control(live=("trail.recording", "gateway.throttled"))
    given_to = evidence()
    found = judge_control(
        control,
        replace(given_to, live={**given_to.live, "gateway.throttled": seen("gateway", Verdict.NOT_APPLICABLE)}),
    )

    assert found.verdict is Verdict.PASS
    assert found.value == "2 of 2 checks, 1 of 1 attestation"


@pytest.mark.parametrize(
    ("code", "live", "gap", "kind", "expected"),
    [
        ((), ("trail.recording",), "", "technical", Verdict.NO_DATA),
        (("CKV_RG_33",), (), "", "technical", Verdict.NO_DATA),
        ((), ("trail.recording",), "no check reads the code", "technical", Verdict.PASS),
        ((), (), "", "process", Verdict.PASS),
        ((), (), "nobody checks", "technical", Verdict.PASS),
    ],
    ids=["no code", "no live", "declared gap", "process by attestation", "gap and attestation"],
)
def test_a_technical_control_needs_a_check_in_code_and_one_live(
    code: tuple[str, ...], live: tuple[str, ...], gap: str, kind: str, expected: Verdict
) -> None:
    found = judge_control(Control(code=code, live=live, gap=gap, kind=kind), evidence())

    assert found.verdict is expected


def test_checks_that_all_do_not_apply_leave_a_technical_control_without_any() -> None:
    found = judge_control(Control(), evidence(live=Verdict.NOT_APPLICABLE))

    assert found.verdict is Verdict.NO_DATA
    assert "no check on the live account applies to it" in found.message


def test_a_control_that_names_nothing_at_all_is_no_data() -> None:
    nothing = Control(code=(), live=(), attestations=(), gap="nobody looks", kind="attestation")

    assert judge_control(nothing, evidence()).verdict is Verdict.NO_DATA


def test_a_gap_is_told_on_a_pass_too() -> None:
    found = judge_control(Control(gap="no check reads restore jobs"), evidence())

    assert found.verdict is Verdict.PASS
    assert "not looked at: no check reads restore jobs" in found.message


VERDICTS = st.sampled_from([verdict for verdict in Verdict if verdict is not Verdict.BLOCKED])
NAMES = st.lists(st.sampled_from([f"check_{n}" for n in range(8)]), unique=True, max_size=5)
CONTROLS = st.builds(
    Control,
    kind=st.sampled_from(["technical", "process", "attestation"]),
    code=NAMES.map(tuple),
    live=NAMES.map(tuple),
    attestations=NAMES.map(tuple),
    gap=st.sampled_from(["", "nobody looks"]),
)


def _pieces(names: Iterable[str], verdicts: st.DataObject) -> dict[str, Observation]:
    bases = st.sampled_from(list(Basis))
    return {name: seen(name, verdicts.draw(VERDICTS), verdicts.draw(bases)) for name in names}


@given(control=CONTROLS, data=st.data())
def test_taking_evidence_away_never_makes_a_pass(control: Control, data: st.DataObject) -> None:
    """Nor anything else that opens a gate: whatever is missing is NO_DATA at best."""
    whole = Evidence(
        code=_pieces(control.code, data),
        live=_pieces(control.live, data),
        attested=_pieces(control.attestations, data),
    )
    places = {"code": control.code, "live": control.live, "attested": control.attestations}
    for place, names in places.items():
        for name in names:
            held = getattr(whole, place)
            less = replace(whole, **{place: {one: had for one, had in held.items() if one != name}})

            assert judge_control(control, less).verdict not in (Verdict.PASS, Verdict.WAIVED, Verdict.NOT_APPLICABLE)


@given(control=CONTROLS, data=st.data(), seed=st.integers())
def test_the_order_of_what_is_named_and_found_does_not_matter(control: Control, data: st.DataObject, seed: int) -> None:
    held = Evidence(
        code=_pieces(control.code, data),
        live=_pieces(control.live, data),
        attested=_pieces(control.attestations, data),
    )
    shuffled = replace(
        control,
        **{name: _shuffled(getattr(control, name), seed) for name in ("code", "live", "attestations")},
    )
    turned = Evidence(**{name: dict(reversed(getattr(held, name).items())) for name in ("code", "live", "attested")})
    first, second = judge_control(control, held), judge_control(shuffled, turned)

    assert replace(first, time=0.0) == replace(second, time=0.0)


def _shuffled(names: tuple[str, ...], seed: int) -> tuple[str, ...]:
    return tuple(random.Random(seed).sample(names, len(names)))


def test_a_framework_is_judged_control_by_control() -> None:
    controls = [Control(id="b"), Control(id="a"), Control(framework="GDPR", id="32")]

    assert [one.name for one in judge_framework(controls, "HIPAA", evidence())] == [
        "compliance.HIPAA b",
        "compliance.HIPAA a",
    ]


def test_a_framework_without_controls_is_no_data() -> None:
    (found,) = judge_framework([Control()], "SOC 2", evidence())

    assert found.verdict is Verdict.NO_DATA


# ------------------------------------------------------------------------------------------- mapping, gaps, exceptions


@pytest.mark.parametrize(
    ("incomplete", "differences", "checks", "expected"),
    [
        ((), (), 12, Verdict.PASS),
        ((), (), 0, Verdict.NO_DATA),
        (("HIPAA x is checked by nothing",), (), 12, Verdict.FAIL),
        ((), ("trail.recording has no stored meaning",), 12, Verdict.FAIL),
    ],
)
def test_the_mapping(incomplete: tuple[str, ...], differences: tuple[str, ...], checks: int, expected: Verdict) -> None:
    found = judge_mapping(incomplete, differences, checks=checks)

    assert found.verdict is expected
    assert all(sentence in found.message for sentence in (*incomplete, *differences))


def test_gaps_are_told_with_their_control() -> None:
    found = judge_gaps([Control(gap="nobody reads it"), Control(id="other")])

    assert found.verdict is Verdict.PASS
    assert found.value == {"HIPAA 164.312(b)": "nobody reads it"}
    assert "1 of 2 controls have a gap: HIPAA 164.312(b): nobody reads it" in found.message


def test_no_control_has_no_gaps_to_tell() -> None:
    assert judge_gaps([]).verdict is Verdict.NO_DATA


EXEMPTION = Exemption(
    policy="CKV_RG_33", owner="platform", approver="security", reason="moving", ends="2026-12-01", expired=False
)


@pytest.mark.parametrize(
    ("entries", "problems", "expected"),
    [
        ((), (), Verdict.PASS),
        ((EXEMPTION,), (), Verdict.PASS),
        ((EXEMPTION, replace(EXEMPTION, expired=True)), (), Verdict.FAIL),
        ((), ("main.tf:3: a comment skips CKV_RG_33",), Verdict.FAIL),
    ],
    ids=["none", "one in force", "one expired", "a comment"],
)
def test_exceptions(entries: tuple[Exemption, ...], problems: tuple[str, ...], expected: Verdict) -> None:
    found = judge_exceptions(entries, problems)

    assert found.verdict is expected
    assert ("expired on 2026-12-01" in found.message) is any(one.expired for one in entries)
