"""Journal entries: they name every effect before it happens, and link to the one before."""

from __future__ import annotations

from dataclasses import replace

from worlds import BACK, HOLD, instant, record

from rollout import journal, ledger
from rollout.act import Outcome
from rollout.model import Observation, Verdict
from rollout.record import Alert, Decision, SetShare, State
from tests.fakes.store import FakeStore

NOW = instant(60.0)
SEEN = Observation(name="GATE-01", value=0, verdict=Verdict.PASS, time=1.0, unit="%", limit=0.1)
DECISION = Decision(
    record=record(State.SHIFTING, share_wanted=25),
    event="GATE_PASSED",
    reason="because",
    verdict=Verdict.PASS,
    commands=(SetShare(25),),
    observations=(SEEN,),
)


def test_a_decision_names_its_intents_and_what_was_seen() -> None:
    entry = ledger.decided(record(State.BAKING, owner="me", epoch=2), DECISION)

    assert entry["intents"] == ["SetShare(candidate=25)"]
    assert (entry["state"], entry["to"], entry["share_wanted"]) == ("BAKING", "SHIFTING", 25)
    assert entry["observations"] == [
        {"name": "GATE-01", "value": 0, "verdict": "PASS", "time": 1.0, "limit": 0.1, "unit": "%", "clock": "real",
         "basis": "live"}
    ]  # fmt: skip


def test_outcomes_and_leases_are_told() -> None:
    before, after = record(owner=""), record(owner="me", epoch=1)
    alert = Alert(identity="i", subject="s", text="t")

    assert ledger.acted(after, (Outcome(SetShare(0), "denied"),))["outcomes"] == [
        {"command": "SetShare(candidate=0)", "error": "denied"}
    ]
    assert ledger.took_over(before, after)["reason"] == "me leads from nobody"
    assert ledger.took_over(after, after)["reason"] == "me leads from me"
    assert ledger.left(after, ())["reason"] == "me stops"
    assert ledger.left(after, (alert,))["reason"] == "me stops, 1 alerts not delivered"


def test_a_write_links_its_entry_to_the_one_before() -> None:
    store = FakeStore()
    stored = store.create(record(), {}, guards=())
    for state in (State.READY, State.SHIFTING):
        stored = ledger.write(store, stored, replace(stored, state=state), payload={"kind": "decision"}, now=NOW)

    assert (stored.revision, stored.journal_sequence) == (3, 2)
    assert journal.verify(store.journal("r1"), head=stored.journal_hash) == ""
    assert store.journal("r1")[0]["payload"]["time"] == NOW.wall


def test_a_takeover_counts_everything_on_the_new_clock() -> None:
    """No duration is measured across two machines' monotonic clocks."""
    rec = record(State.VERIFYING, epoch=4, hold=HOLD, back=BACK, owner="old")
    taken = ledger.taken_over(rec, owner="new", now=instant(500.0, monotonic=7.0))
    assert taken.hold is not None
    assert taken.back is not None

    assert (taken.owner, taken.epoch, taken.entered_epoch, taken.entered_monotonic) == ("new", 5, 5, 7.0)
    assert (taken.hold.since_monotonic, taken.hold.epoch) == (7.0, 5)
    assert (taken.back.decided_monotonic, taken.back.epoch) == (7.0, 5)
    assert taken.back.decided_at == BACK.decided_at
