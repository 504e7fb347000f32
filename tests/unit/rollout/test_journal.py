"""The journal's chain: whatever is changed afterwards shows, and the first broken entry is named."""

from __future__ import annotations

import copy
import hashlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollout import journal
from rollout.errors import BadInput
from rollout.model import Verdict
from rollout.record import SetShare

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


def chain(*payloads: Any) -> list[dict[str, Any]]:
    entries: list[dict[str, Any]] = []
    for number, payload in enumerate(payloads, 1):
        previous = entries[-1]["hash"] if entries else ""
        entries.append(journal.entry(previous_hash=previous, sequence=number, payload=payload))
    return entries


def test_the_hash_is_sha256_of_canonical_json() -> None:
    """Sorted keys, no spaces, UTF-8: anybody can compute it again."""
    one = journal.entry(previous_hash="", sequence=1, payload={"b": "ä", "a": 1})

    text = '{"payload":{"a":1,"b":"ä"},"previous_hash":"","sequence":1}'
    assert one["hash"] == hashlib.sha256(text.encode()).hexdigest()


def test_payloads_become_plain_json() -> None:
    one = journal.entry(
        previous_hash="", sequence=1, payload={"verdict": Verdict.PASS, "command": SetShare(5), "t": (1,)}
    )

    assert one["payload"] == {"verdict": "PASS", "command": {"candidate": 5}, "t": [1]}


@pytest.mark.parametrize("value", [float("nan"), float("inf"), object()], ids=["nan", "inf", "object"])
def test_what_json_cannot_say_is_refused(value: object) -> None:
    with pytest.raises(BadInput, match="JSON"):
        journal.entry(previous_hash="", sequence=1, payload={"value": value})


@given(st.lists(st.dictionaries(st.text(), JSON, max_size=3), max_size=5))
def test_an_untouched_journal_is_intact(payloads: list[dict[str, Any]]) -> None:
    entries = chain(*payloads)

    assert journal.verify(entries, head=entries[-1]["hash"] if entries else "") == ""


@given(st.data())
def test_any_single_change_is_named(data: st.DataObject) -> None:
    """A changed, missing, doubled or exchanged entry: the first place that does not fit is told."""
    entries = chain(*({"n": number} for number in range(data.draw(st.integers(2, 6)))))
    head, size = entries[-1]["hash"], len(entries)
    index = data.draw(st.integers(0, size - 1))
    match data.draw(st.sampled_from(["payload", "hash", "previous_hash", "sequence", "removed", "doubled", "moved"])):
        case "removed":
            del entries[index]
        case "doubled":
            entries.insert(index, copy.deepcopy(entries[index]))
            index += 1
        case "moved":
            other = (index + 1) % size
            entries[index], entries[other] = entries[other], entries[index]
            index = min(index, other)
        case "payload":
            entries[index]["payload"] = {"n": "other"}
        case field:
            entries[index][field] = "0" * 64 if field != "sequence" else size + 7

    assert journal.verify(entries, head=head).startswith(f"journal entry {index + 1}: ")


def test_a_rewritten_entry_breaks_the_next_one() -> None:
    """With its own hash made right again, the chain still shows it."""
    entries = chain({"n": 1}, {"n": 2})
    entries[0] = journal.entry(previous_hash="", sequence=1, payload={"n": 7})

    assert journal.verify(entries) == "journal entry 2: does not follow the entry before it"


def test_a_cut_end_shows_by_the_record() -> None:
    entries = chain({"n": 1}, {"n": 2})

    assert journal.verify(entries[:1]) == ""
    assert journal.verify(entries[:1], head=entries[1]["hash"]).startswith("journal entry 2: missing")


def test_an_entry_without_its_fields_is_named() -> None:
    assert journal.verify([{"sequence": 1}]) == "journal entry 1: has no hash, payload, previous_hash"
