"""Every reader of bytes from outside: it reads what is right, and answers `Unparsable` to all else, never more."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from probes.attestation.approvers import read_approvers
from probes.attestation.documents import Document, open_document
from probes.attestation.dsse import pre_authentication_encoding, read_envelope
from probes.attestation.sshsig import read_public_key, read_ssh_signature
from probes.attestation.statement import FREQUENCIES, STATUSES, Statement, Subject, read_statement, write_statement
from probes.change_applied import read_applied
from probes.strict_json import Fields, Unparsable, parse
from probes.terraform_plan import lock_digest, read_saved_plan, read_shown_plan, read_state
from tests.unit.probes.attestation_samples import (
    ADA,
    APPROVERS,
    DATABASE,
    KEYS,
    NOW,
    SAVED,
    change,
    envelope,
    line_of,
    shown_plan,
    signed_beside,
    ssh_signature,
    statement,
)

SUBJECT = Subject(kind="plan", digest="a" * 64, shown_sha256="b" * 64)
STATEMENT = write_statement(statement(SUBJECT, destroys=(DATABASE,)))
ENVELOPE = envelope(statement(SUBJECT)).content
SSH = ssh_signature(b"message", KEYS[ADA])
LIST = f'schema = 1\n[[approver]]\nidentity = "{ADA}"\nroles = ["infrastructure"]\nkey = "{line_of(KEYS[ADA])} ada"\n'
SHOWN = shown_plan(change(DATABASE, "delete", "create"))
APPLIED: dict[str, Any] = {
    "schema": 1,
    "environment": "production",
    "started": "2026-11-24T12:00:00Z",
    "plan_sha256": "a" * 64,
    "lock_sha256": "b" * 64,
    "state_before": {"lineage": "one", "serial": 7},
    "lock_id": "8d1f",
    "rollouts_active": 0,
    "exit_code": 0,
    "ended": "2026-11-24T12:04:00Z",
    "replan_exit_code": 0,
}
READERS: dict[str, tuple[Callable[[bytes], object], bytes]] = {
    "JSON": (parse, STATEMENT),
    "statement": (read_statement, STATEMENT),
    "envelope": (read_envelope, ENVELOPE),
    "SSH signature": (read_ssh_signature, SSH),
    "approvers": (read_approvers, LIST.encode()),
    "saved plan": (read_saved_plan, SAVED),
    "shown plan": (read_shown_plan, SHOWN),
    "state": (read_state, b'{"lineage": "one", "serial": 7}'),
    "apply record": (read_applied, json.dumps(APPLIED).encode()),
}
readers = pytest.mark.parametrize("name", READERS)


@readers
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_any_bytes_are_read_or_refused(name: str, data: st.DataObject) -> None:
    """Noise, and what is right with a piece cut, changed or put in."""
    read, right = READERS[name]
    start = data.draw(st.integers(0, len(right)))
    end = data.draw(st.integers(start, len(right)))
    hostile = data.draw(
        st.one_of(st.binary(max_size=200), st.just(right[:start] + data.draw(st.binary()) + right[end:]))
    )
    assert outcome_of(read, hostile)


def outcome_of(read: Callable[[bytes], object], hostile: bytes) -> str:
    """What was read, or why it was refused; any other exception fails the test."""
    try:
        return f"read {read(hostile)!r}"
    except Unparsable as error:
        return str(error)


@readers
def test_what_is_right_is_read(name: str) -> None:
    read, right = READERS[name]

    assert read(right) is not None


@readers
@pytest.mark.parametrize("hostile", [b"", b" \n", b"[" * 100_000, b'{"a":' * 100_000, b"\xff\xfe", b"9" * 10_000])
def test_nothing_depth_and_noise_are_refused(name: str, hostile: bytes) -> None:
    with pytest.raises(Unparsable):
        READERS[name][0](hostile)


@given(st.binary(max_size=300), st.binary(max_size=300))
def test_opening_never_raises(content: bytes, signature: bytes) -> None:
    """Whatever lies in the directory, the answer is a refusal with a name."""
    for document in (
        Document(name="a.dsse.json", content=content),
        Document(name="a.json", content=content, signature=signature),
    ):
        assert str(open_document(document, APPROVERS)).startswith(document.name)


@given(st.data())
def test_no_changed_byte_of_a_signed_statement_is_accepted(data: st.DataObject) -> None:
    """Nor of an SSH signature: each of its bytes is signed, checked or armour."""
    good = signed_beside(statement(SUBJECT))
    content = bytearray(good.content)
    content[data.draw(st.integers(0, len(content) - 1))] ^= data.draw(st.integers(1, 255))

    refused = open_document(replace(good, content=bytes(content)), APPROVERS)

    assert "was altered after" in str(refused)


# ------------------------------------------------------------------------------------------------ JSON


@pytest.mark.parametrize(
    ("raw", "says"),
    [
        (b'{"status": "failed", "status": "passed"}', "'status' stands there twice"),
        (b'[{"a": {"b": 1, "b": 1}}]', "'b' stands there twice"),
        (b"NaN", "NaN is no number"),
        (b"[-Infinity]", "-Infinity is no number"),
        (b"1e999", "is too large"),
        (b"[" * 18 + b"]" * 18, "nested more than 16 levels deep"),
        (b'"' + b"a" * 65536 + b'"', "larger than 65536 bytes"),
        (b"{} {}", "not JSON"),
        ('{"a": 1}'.encode("utf-16"), "not UTF-8"),
    ],
    ids=["twice", "twice inside", "NaN", "infinite", "overflow", "deep", "large", "two values", "UTF-16"],
)
def test_json_is_read_strictly(raw: bytes, says: str) -> None:
    with pytest.raises(Unparsable, match=says):
        parse(raw)


def test_sixteen_levels_are_read() -> None:
    assert parse(b"[" * 16 + b"]" * 16) == json.loads("[" * 16 + "]" * 16)


@pytest.mark.parametrize("value", ["a\nb", "a\x1b[2Jb", "\ud800", "", "x" * 501, 1, None, ["a"]], ids=ascii)
def test_a_text_is_one_printable_line(value: object) -> None:
    """An escape sequence would show a person another text than the one that is signed."""
    with pytest.raises(Unparsable, match="key"):
        Fields({"key": value}).text("key")


# ------------------------------------------------------------------------------------------------ statements

moments = st.datetimes(datetime(2000, 1, 1), datetime(2199, 12, 31)).map(
    lambda moment: moment.replace(microsecond=0, tzinfo=UTC)
)
printable = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=1, max_size=80)


@given(
    explanation=printable,
    frequency=st.sampled_from(tuple(FREQUENCIES)),
    status=st.sampled_from(STATUSES),
    times=st.tuples(moments, moments),
    destroys=st.sets(printable, max_size=5),
)
def test_what_is_written_is_read(
    explanation: str, frequency: str, status: str, times: tuple[datetime, datetime], destroys: set[str]
) -> None:
    said: Statement = statement(
        SUBJECT,
        explanation=explanation,
        frequency=frequency,
        status=status,
        updated=times[0],
        expires=times[1],
        destroys=tuple(sorted(destroys)),
    )

    assert read_statement(write_statement(said)) == said
    assert said.ends <= said.expires


@pytest.mark.parametrize(
    "key",
    [
        *("schema", "control_id", "explanation", "frequency", "status", "updated", "updated_by", "subject"),
        *("approver", "role", "expires"),
    ],
)
def test_every_field_of_a_statement_is_compulsory(key: str) -> None:
    document = json.loads(STATEMENT)
    del document[key]

    with pytest.raises(Unparsable, match=f"{key} is missing"):
        read_statement(json.dumps(document).encode())


@pytest.mark.parametrize(
    "wrong",
    [
        {"schema": 2},
        {"schema": True},
        {"note": "more"},
        {"status": "PASSED"},
        {"frequency": "hourly"},
        {"updated": "2026-11-24T12:00:00"},
        {"updated": "2026-11-24T12:00:00+00:00"},
        {"updated": "2026-02-30T12:00:00Z"},
        {"expires": "9999-12-31T23:59:59Z"},
        {"subject": {"kind": "plan", "digest": "a" * 64}},
        {"subject": {"kind": "plan", "digest": "A" * 64, "shown_sha256": "b" * 64}},
        {"subject": {"kind": "commit", "digest": "a" * 39}},
        {"subject": {"kind": "commit", "digest": "a" * 40}},  # with destroys, which a commit cannot have
        {"destroys": [DATABASE, DATABASE]},
        {"destroys": DATABASE},
    ],
    ids=str,
)
def test_what_a_statement_may_not_say_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(Unparsable):
        read_statement(json.dumps({**json.loads(STATEMENT), **wrong}).encode())


# ------------------------------------------------------------------------------------------------ signatures


def test_the_encoding_that_dsse_signs_is_the_published_one() -> None:
    """The example of DSSE's protocol.md."""
    assert pre_authentication_encoding("http://example.com/HelloWorld", b"hello world") == (
        b"DSSEv1 29 http://example.com/HelloWorld 11 hello world"
    )


@pytest.mark.parametrize(
    "change_to",
    [
        {"payloadType": "application/vnd.in-toto+json"},
        {"signatures": []},
        {"signatures": [json.loads(ENVELOPE)["signatures"][0]] * 2},
        {"signatures": [{"keyid": "", "sig": "AAAA"}]},
        {"signatures": [{"keyid": "", "sig": "*"}]},
        {"payload": "é"},
        {"more": 1},
    ],
    ids=["another type", "no signature", "two signatures", "short", "no base64", "no ASCII", "unknown key"],
)
def test_another_envelope_is_refused(change_to: dict[str, object]) -> None:
    with pytest.raises(Unparsable):
        read_envelope(json.dumps({**json.loads(ENVELOPE), **change_to}).encode())


@pytest.mark.parametrize("hashed", ["sha256", "sha512"])
def test_both_hashes_of_openssh_are_read(hashed: str) -> None:
    read = read_ssh_signature(ssh_signature(b"message", KEYS[ADA], hashed=hashed))

    assert read.signs(b"message", KEYS[ADA].public_key())
    assert not read.signs(b"massage", KEYS[ADA].public_key())


def test_a_weak_hash_is_refused() -> None:
    with pytest.raises(Unparsable, match="hash b'sha1' is not allowed"):
        read_ssh_signature(ssh_signature(b"message", KEYS[ADA], hashed="sha1"))


# ------------------------------------------------------------------------------------------------ who may approve


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("schema = 1", "schema = 2"),
        ("roles", "rolls"),
        ("ssh-ed25519 ", "ssh-rsa "),
        ('"infrastructure"', '"Infrastructure"'),
        ('["infrastructure"]', '"infrastructure"'),
        (LIST, "schema = 1\n"),
        (LIST, "schema = 1\napprover = []\n"),
        (LIST, LIST + LIST.split("\n", 1)[1].replace(ADA, "zoe@shop.example")),
        (" ada\"", " ada\"\nuntil = 2026-11-24T00:00:00Z"),
        (" ada\"", " ada\"\nuntil = \"2026-11-24\""),
        (" ada\"", " ada\"\nadmin = true"),
    ],
    ids=[
        *("schema", "slip", "RSA", "role", "no list", "nobody", "empty", "one key of two people"),
        *("instant", "text", "unknown"),
    ],
)  # fmt: skip
def test_a_list_with_a_mistake_is_refused_whole(old: str, new: str) -> None:
    """Nobody may approve by a list that is not clear."""
    assert old in LIST
    with pytest.raises(Unparsable):
        read_approvers(LIST.replace(old, new).encode())


def test_a_list_is_read() -> None:
    entry = read_approvers(LIST.replace(' ada"', ' ada"\nuntil = 2026-11-24').encode()).entries[0]

    assert (entry.identity, entry.roles, str(entry.until)) == (ADA, ("infrastructure",), "2026-11-24")
    assert entry.public_key == read_public_key(line_of(KEYS[ADA]))


# ------------------------------------------------------------------------------------------------ plans


@pytest.mark.parametrize(
    "wrong",
    [
        {"format_version": "2.0"},
        {"format_version": 1.2},
        {"resource_changes": {}},
        {"resource_changes": [change(DATABASE)]},
        {"resource_changes": [change(DATABASE, "obliterate")]},
        {"resource_changes": [{**change(DATABASE, "delete"), "mode": "borrowed"}]},
        {"complete": "yes"},
    ],
    ids=str,
)
def test_a_plan_of_an_unknown_kind_is_refused(wrong: dict[str, object]) -> None:
    """An action that nobody knew when this was written must not be taken for harmless."""
    with pytest.raises(Unparsable):
        read_shown_plan(json.dumps({**json.loads(SHOWN), **wrong}).encode())


def test_data_and_what_stays_are_no_changes() -> None:
    read = read_shown_plan(
        shown_plan(
            {**change("data.aws_ami.base", "read"), "mode": "data"},
            change(DATABASE, "no-op"),
            change("aws_ecs_service.blue", "update"),
        )
    )

    assert [one.address for one in read.changes] == ["aws_ecs_service.blue"]


def test_comments_of_a_lock_file_do_not_count() -> None:
    assert lock_digest(b"# kept by terraform\n\na = 1\r\n") == lock_digest(b"a = 1")
    assert lock_digest(b"a = 1") != lock_digest(b"a = 2")


@pytest.mark.parametrize("key", ["started", "environment", "plan_sha256", "schema"])
def test_an_apply_record_without_its_beginning_is_refused(key: str) -> None:
    with pytest.raises(Unparsable, match=key):
        read_applied(json.dumps({name: value for name, value in APPLIED.items() if name != key}).encode())


def test_an_apply_record_may_end_early() -> None:
    """What was not reached is null or not there."""
    early = {name: APPLIED[name] for name in ("schema", "environment", "started", "plan_sha256")}
    read = read_applied(json.dumps({**early, "exit_code": None}).encode())

    assert (read.exit_code, read.ended, read.lock_id, read.rollouts_active) == (None, None, None, None)
    assert read.started == NOW
