"""Store: the fake and DynamoDB on the plane keep the same promises; then what a network can do to the latter."""

from __future__ import annotations

import dataclasses
import itertools
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Protocol

import pytest
from botocore.exceptions import ClientError, ReadTimeoutError
from port_world import Account, assert_translates_errors, clients_of

from rollout import journal
from rollout.adapters.dynamodb import DynamoStore
from rollout.adapters.dynamodb_items import BODY_BYTES_MAX
from rollout.errors import AccessDenied, BadInput, ConflictError, SourceError
from rollout.model import Verdict
from rollout.ports import Store
from rollout.record import Alert, Bake, Hold, Record, Return, StagePass, State
from rollout.seen import OperatorRequest
from tests.fakes.store import FakeStore

pytest_plugins = ("port_fixtures",)
pytestmark = pytest.mark.xdist_group("ports")

_numbers = itertools.count(1)
ABORT = OperatorRequest(kind="abort", by="ada", reason="errors in checkout", at=1.5)
PAUSE = OperatorRequest(kind="pause", by="bob", reason="lunch", at=2.5)


class Table(Protocol):
    """A store; `arn` and `guards` are fresh for each test, so that tests share nothing but the history."""

    arn: str
    guards: Sequence[str]

    @property
    def store(self) -> Store: ...

    def second(self) -> Store:
        """Another controller's view of the same table."""


class InMemory:
    def __init__(self) -> None:
        self.store = FakeStore()
        self.arn, self.guards = _names()

    def second(self) -> Store:
        return self.store


class OnPlane:
    def __init__(self, account: Account) -> None:
        self.account = account
        self.arn, self.guards = _names()
        # A history of its own for each test.
        self.target = dataclasses.replace(account.target, environment=f"environment of {self.arn}")
        self.store = DynamoStore(account.clients, self.target)

    def second(self) -> Store:
        return DynamoStore(clients_of(self.account.cloud.url, rollout_id="second"), self.target)


def _names() -> tuple[str, Sequence[str]]:
    number = next(_numbers)
    return f"arn:rule/{number}", (f"cluster/blue-{number}", f"cluster/green-{number}")


@pytest.fixture(params=["fake", "plane"])
def table(request: pytest.FixtureRequest) -> Table:
    return InMemory() if request.param == "fake" else OnPlane(request.getfixturevalue("account"))


@pytest.fixture
def plane_table(account: Account) -> OnPlane:
    return OnPlane(account)


def record_for(table: Table, **fields: Any) -> Record:
    defaults: dict[str, Any] = {
        "schema": 1,
        "rollout_id": f"rollout-of-{table.arn}",
        "environment": f"environment of {table.arn}",
        "rule_arn": table.arn,
        "plan_sha256": "ab" * 32,
        "stable": "green",
        "candidate": "blue",
        "image": "shop-api@sha256:" + "b" * 64,
        "version_name": "1.1.0",
        "state": State.PREPARING,
        "created_at": 1_800_000_000.25,
    }
    return Record(**(defaults | fields))


def created(table: Table, **fields: Any) -> Record:
    return table.store.create(record_for(table, **fields), {"stages": [5, 100]}, guards=table.guards)


def write(store: Store, before: Record, **fields: Any) -> Record:
    """A write as the engine does it: the entry is chained, and the record carries its hash."""
    payload = {"kind": "decision", "to": str(fields.get("state", before.state))}
    entry = journal.entry(previous_hash=before.journal_hash, sequence=before.journal_sequence + 1, payload=payload)
    after = replace(before, journal_sequence=entry["sequence"], journal_hash=entry["hash"], **fields)
    return store.write(before, after, entry)


def test_nothing_is_on_record_at_first(table: Table) -> None:
    assert table.store.load(table.arn) is None


def test_a_record_comes_back_as_it_was_stored(table: Table) -> None:
    """Every kind of field, also over a second controller's connection."""
    full = write(
        table.store,
        created(table),
        state=State.HOLDING,
        owner="host/1/ab",
        epoch=3,
        bake=Bake(first_minute=60.0, verified_monotonic=1.25, epoch=3, extended_seconds=60.0, reading="PASS"),
        passes=(StagePass(share_percent=5, first_minute=0.0, last_minute=60.0, sentences=("ä", "b")),),
        hold=Hold(
            reason="r",
            verdict=Verdict.NO_DATA,
            since=1.0,
            since_monotonic=2.0,
            epoch=3,
            seconds_max=900.0,
            rule="gates",
        ),
        back=Return(cause="c", rule="TRIG-01", by="engine", decided_at=1.0, decided_monotonic=2.0, epoch=3),
        outbox=(Alert(identity="i/1", subject="s", text="t"),),
        first_shift_at=0.1 + 0.2,
        drill=True,
    )

    assert table.second().load(table.arn) == full


def test_creating_stores_the_plan_and_no_journal(table: Table) -> None:
    record = created(table)

    assert table.store.load(table.arn) == record
    assert record.revision == 1
    assert table.store.plan(record.rollout_id) == {"stages": [5, 100]}
    assert table.store.journal(record.rollout_id) == []


def test_an_unknown_plan_is_an_error(table: Table) -> None:
    with pytest.raises(SourceError):
        table.store.plan("no-such-rollout")


def test_one_rule_has_one_active_rollout(table: Table) -> None:
    first = created(table)

    with pytest.raises(ConflictError, match=first.rollout_id):
        created(table, rollout_id=f"another than {table.arn}", revision=first.revision)

    assert table.store.load(table.arn) == first


def test_one_service_has_one_active_rollout(table: Table) -> None:
    """Another rule, and one service of the two in common."""
    first = created(table)
    other = record_for(table, rollout_id=f"another than {table.arn}", rule_arn=table.arn + "/other")

    with pytest.raises(ConflictError, match=first.rollout_id):
        table.store.create(other, {}, guards=["cluster/unrelated", table.guards[1]])

    assert table.store.load(other.rule_arn) is None
    assert table.store.create(other, {}, guards=["cluster/unrelated"]).revision == 1


def test_an_id_is_used_once(table: Table) -> None:
    """Its plan and its journal are under the id."""
    first = created(table)
    other = record_for(table, rule_arn=table.arn + "/other")

    with pytest.raises(ConflictError, match=first.rollout_id):
        table.store.create(other, {}, guards=())


def test_the_next_rollout_follows_an_ended_one(table: Table) -> None:
    ended = write(table.store, created(table), state=State.ROLLED_BACK)

    following = created(table, rollout_id=ended.rollout_id + "-2", revision=ended.revision, epoch=ended.epoch)

    assert table.store.load(table.arn) == following
    assert following.revision > ended.revision


def test_an_ended_rollout_that_moved_on_is_no_ground_to_start_on(table: Table) -> None:
    """Two submitters looked at the same end: the second must look again."""
    ended = write(table.store, created(table), state=State.FAILED)
    write(table.store, ended, owner="")

    with pytest.raises(ConflictError):
        created(table, rollout_id=ended.rollout_id + "-2", revision=ended.revision)


def test_a_write_moves_the_revision_and_the_journal_together(table: Table) -> None:
    first = created(table)

    second = write(table.store, first, state=State.READY)
    third = write(table.store, second, state=State.SHIFTING)

    entries = table.store.journal(first.rollout_id)
    assert [second.revision, third.revision] == [first.revision + 1, first.revision + 2]
    assert table.store.load(table.arn) == third
    assert [entry["payload"]["to"] for entry in entries] == ["READY", "SHIFTING"]
    assert journal.verify(entries, head=third.journal_hash) == ""


def test_a_stale_write_does_nothing(table: Table) -> None:
    first = created(table)
    second = write(table.store, first, state=State.READY)

    with pytest.raises(ConflictError):
        write(table.second(), first, state=State.FAILED)

    assert table.store.load(table.arn) == second
    assert len(table.store.journal(first.rollout_id)) == 1


def test_an_older_epoch_writes_nothing(table: Table) -> None:
    first = created(table)
    taken = write(table.second(), first, owner="second", epoch=first.epoch + 1)

    with pytest.raises(ConflictError):
        write(table.store, replace(taken, epoch=first.epoch), state=State.READY)

    assert table.store.load(table.arn) == taken


def test_of_many_writers_one_wins(table: Table) -> None:
    first = created(table)
    stores = [table.store, *(table.second() for _ in range(3))]
    results: list[object] = []

    def race(store: Store, number: int) -> None:
        try:
            results.append(write(store, first, owner=f"writer {number}"))
        except ConflictError as error:
            results.append(error)

    threads = [threading.Thread(target=race, args=(store, number)) for number, store in enumerate(stores)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    won = [result for result in results if isinstance(result, Record)]
    assert [table.store.load(table.arn)] == won
    assert len(table.store.journal(first.rollout_id)) == 1


def test_renewing_moves_only_the_lease_revision(table: Table) -> None:
    first = created(table)

    renewed = table.store.renew(first)

    assert renewed == replace(first, lease_revision=first.lease_revision + 1)
    assert table.second().load(table.arn) == renewed
    assert write(table.store, renewed, state=State.READY).lease_revision == renewed.lease_revision


def test_a_lost_lease_cannot_be_renewed(table: Table) -> None:
    first = created(table)
    write(table.second(), first, owner="second", epoch=first.epoch + 1)

    with pytest.raises(ConflictError):
        table.store.renew(first)


def test_a_request_needs_no_lease_and_disturbs_no_write(table: Table) -> None:
    """It lies beside the record: the controller's next write holds, and its next reading shows the request."""
    first = created(table)

    asked = table.second().request(table.arn, ABORT)
    second = write(table.store, first, state=State.READY)

    assert asked.request == ABORT
    assert second.request is None
    assert table.store.load(table.arn) == replace(second, request=ABORT)


def test_a_request_is_removed_with_its_answer(table: Table) -> None:
    created(table)
    table.store.request(table.arn, PAUSE)
    seen = table.store.load(table.arn)
    assert seen is not None

    kept = write(table.store, seen, owner="somebody")
    answered = write(table.store, kept, state=State.HOLDING, request=None)

    assert kept.request == PAUSE
    assert table.store.load(table.arn) == answered
    assert answered.request is None


def test_a_newer_request_survives_the_answer_to_an_older_one(table: Table) -> None:
    created(table)
    table.store.request(table.arn, PAUSE)
    seen = table.store.load(table.arn)
    assert seen is not None
    table.second().request(table.arn, ABORT)

    with pytest.raises(ConflictError):
        write(table.store, seen, state=State.HOLDING, request=None)

    assert table.store.load(table.arn) == replace(seen, request=ABORT)


def test_an_abort_that_waits_is_not_replaced_by_less(table: Table) -> None:
    created(table)
    table.store.request(table.arn, ABORT)

    with pytest.raises(ConflictError, match="abort"):
        table.store.request(table.arn, PAUSE)

    again = replace(ABORT, by="eve")
    assert table.store.request(table.arn, again).request == again


def test_a_request_without_an_active_rollout_is_refused(table: Table) -> None:
    with pytest.raises(BadInput):
        table.store.request(table.arn, ABORT)
    write(table.store, created(table), state=State.FAILED)

    with pytest.raises(BadInput):
        table.store.request(table.arn, ABORT)


def test_an_old_request_does_not_reach_the_next_rollout(table: Table) -> None:
    first = created(table)
    table.store.request(table.arn, ABORT)
    ended = write(table.store, first, state=State.FAILED)

    following = created(table, rollout_id=ended.rollout_id + "-2", revision=ended.revision)

    assert table.store.load(table.arn) == following
    assert following.request is None


@pytest.mark.parametrize(
    "end", [State.COMPLETED, State.ROLLED_BACK, State.ABORTED_EXTERNALLY, State.FAILED], ids=lambda state: str(state)
)
def test_an_end_frees_the_services_and_is_history(table: Table, end: State) -> None:
    ended = write(table.store, created(table), state=end, finished_at=7.0)
    other = record_for(table, rollout_id=f"another than {table.arn}", rule_arn=table.arn + "/other")

    table.store.create(other, {}, guards=table.guards)

    assert table.store.history() == [ended]


def test_a_farewell_after_the_end_is_stored_too(table: Table) -> None:
    """The guards may belong to the next rollout by then."""
    ended = write(table.store, created(table), state=State.COMPLETED)
    other = record_for(table, rollout_id=f"another than {table.arn}", rule_arn=table.arn + "/other")
    table.store.create(other, {}, guards=table.guards)

    gone = write(table.store, ended, owner="", outbox=())

    assert table.store.history() == [gone]
    with pytest.raises(ConflictError, match="another"):
        created(table, rollout_id=f"third of {table.arn}", revision=gone.revision)


def test_history_is_told_oldest_first(table: Table) -> None:
    names = []
    revision = 0
    for index, at in enumerate((1_000_000_000.0, 1_800_000_000.0, 900_000_000.0)):
        record = created(table, rollout_id=f"{table.arn} {index}", created_at=at, revision=revision)
        revision = write(table.store, record, state=State.COMPLETED).revision
        names.append(record.rollout_id)

    assert [record.rollout_id for record in table.store.history()] == [names[2], names[0], names[1]]


# ------------------------------------------------------------------------------------------------ the network


class Flaky:
    """DynamoDB over a bad line: chosen calls are carried out and their answer is lost, or they get `error`."""

    def __init__(self, account: Account, target: Any, lose: Mapping[str, BaseException | None]) -> None:
        self.clients = clients_of(account.cloud.url, rollout_id="flaky")
        self.real = self.clients.dynamodb
        self.clients.__dict__["dynamodb"] = self
        self.lose = dict(lose)
        self.store = DynamoStore(self.clients, target)

    def __getattr__(self, name: str) -> Any:
        call = getattr(self.real, name)

        def wrapped(**arguments: Any) -> Any:
            if name not in self.lose:
                return call(**arguments)
            error = self.lose[name]
            if error is None:
                call(**arguments)
                raise ReadTimeoutError(endpoint_url="http://lost.example")
            raise error

        return wrapped


def test_a_write_whose_answer_is_lost_is_found(plane_table: OnPlane) -> None:
    flaky = Flaky(plane_table.account, plane_table.target, {"transact_write_items": None})

    first = flaky.store.create(record_for(plane_table), {}, guards=plane_table.guards)
    second = write(flaky.store, first, state=State.READY)
    asked = flaky.store.request(plane_table.arn, ABORT)

    assert plane_table.store.load(plane_table.arn) == replace(second, request=ABORT) == asked


def test_a_write_that_never_arrived_is_an_error(plane_table: OnPlane) -> None:
    first = created(plane_table)
    lost = ReadTimeoutError(endpoint_url="http://lost.example")
    flaky = Flaky(plane_table.account, plane_table.target, {"transact_write_items": lost})

    calls: list[Callable[[], object]] = [
        lambda: write(flaky.store, first, state=State.READY),
        lambda: flaky.store.request(plane_table.arn, ABORT),
        lambda: flaky.store.create(record_for(plane_table, rule_arn="arn:elsewhere"), {}, guards=()),
    ]
    for call in calls:
        with pytest.raises(SourceError, match="ReadTimeoutError"):
            call()

    assert plane_table.store.load(plane_table.arn) == first


def test_a_lost_answer_that_cannot_be_looked_up_is_told_as_such(plane_table: OnPlane) -> None:
    """The news is the write, not the reading after it."""
    first = created(plane_table)
    lost = ReadTimeoutError(endpoint_url="http://lost.example")
    flaky = Flaky(
        plane_table.account, plane_table.target, {"transact_write_items": None, "get_item": _denied("GetItem", lost)}
    )

    with pytest.raises(SourceError, match="ReadTimeoutError"):
        write(flaky.store, first, state=State.READY)


def _denied(operation: str, _cause: object = None) -> ClientError:
    return ClientError({"Error": {"Code": "AccessDeniedException", "Message": "no"}}, operation)


def test_a_denied_write_is_not_looked_up(plane_table: OnPlane) -> None:
    first = created(plane_table)
    flaky = Flaky(
        plane_table.account,
        plane_table.target,
        {"transact_write_items": _denied("TransactWriteItems"), "get_item": AssertionError("was looked up")},
    )

    with pytest.raises(AccessDenied, match="TransactWriteItems"):
        write(flaky.store, first, state=State.READY)


def test_a_collision_of_transactions_is_no_conflict(plane_table: OnPlane) -> None:
    """TransactionConflict means "ask again", not "somebody else wrote"."""
    first = created(plane_table)
    collision = ClientError(
        {
            "Error": {"Code": "TransactionCanceledException", "Message": "[TransactionConflict]"},
            "CancellationReasons": [{"Code": "TransactionConflict"}, {"Code": "None"}],
        },
        "TransactWriteItems",
    )
    flaky = Flaky(plane_table.account, plane_table.target, {"transact_write_items": collision})

    with pytest.raises(SourceError, match="TransactionCanceledException"):
        write(flaky.store, first, state=State.READY)


def test_a_renewal_whose_answer_is_lost_can_be_repeated(plane_table: OnPlane) -> None:
    first = created(plane_table)
    flaky = Flaky(plane_table.account, plane_table.target, {"update_item": None})
    with pytest.raises(SourceError):
        flaky.store.renew(first)

    assert plane_table.store.renew(first).lease_revision == first.lease_revision + 2


# ------------------------------------------------------------------------------------------------ the items


def _put(table: OnPlane, sort: str, body: str) -> None:
    table.account.cloud.client("dynamodb").update_item(
        TableName=table.target.state_table,
        Key={"pk": {"S": f"rule#{table.arn}"}, "sk": {"S": sort}},
        UpdateExpression="SET body = :body",
        ExpressionAttributeValues={":body": {"S": body}},
    )


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ('{"schema": 2, "rollout_id": "r"}', "schema 2"),
        ('{"schema": 1, "rollout_id": 7}', "damaged at"),
        ("[]", "not a JSON object"),
        ("{", "not a JSON object"),
    ],
    ids=["newer-schema", "damaged", "no-object", "no-json"],
)
def test_a_record_that_cannot_be_read_is_an_error_with_a_hint(plane_table: OnPlane, body: str, told: str) -> None:
    created(plane_table)
    _put(plane_table, "record", body)

    with pytest.raises(SourceError, match=told) as caught:
        plane_table.store.load(plane_table.arn)

    assert caught.value.hint


@pytest.mark.parametrize("what", ["plan", "journal"])
def test_what_an_item_cannot_hold_is_refused(plane_table: OnPlane, what: str) -> None:
    long = {"text": "x" * BODY_BYTES_MAX}
    first = created(plane_table)

    calls = {
        "plan": lambda: plane_table.store.create(record_for(plane_table), long, guards=()),
        "journal": lambda: plane_table.store.write(first, first, {"sequence": 1, "payload": long}),
    }
    with pytest.raises(SourceError, match=f"an item holds {BODY_BYTES_MAX}"):
        calls[what]()

    assert plane_table.store.load(plane_table.arn) == first


def test_a_long_journal_is_read_over_all_pages(plane_table: OnPlane) -> None:
    """A page of Query has 1 MiB."""
    record = created(plane_table)
    for number in range(1, 5):
        entry = journal.entry(
            previous_hash=record.journal_hash, sequence=number, payload={"text": "x" * (BODY_BYTES_MAX - 1000)}
        )
        after = replace(record, journal_sequence=number, journal_hash=entry["hash"])
        record = plane_table.store.write(record, after, entry)

    assert journal.verify(plane_table.store.journal(record.rollout_id), head=record.journal_hash) == ""


def test_a_record_that_is_gone_is_told(plane_table: OnPlane) -> None:
    first = created(plane_table)
    plane_table.account.cloud.client("dynamodb").delete_item(
        TableName=plane_table.target.state_table,
        Key={"pk": {"S": f"rule#{plane_table.arn}"}, "sk": {"S": "record"}},
    )

    with pytest.raises(ConflictError, match="gone"):
        write(plane_table.store, first, state=State.READY)


@pytest.mark.parametrize("operation", ["load", "renew", "write"])
def test_errors_of_the_service_are_ours(plane_table: OnPlane, operation: str) -> None:
    first = created(plane_table)
    calls = {
        "load": (lambda: plane_table.store.load(plane_table.arn), "Query"),
        "renew": (lambda: plane_table.store.renew(first), "UpdateItem"),
        "write": (lambda: write(plane_table.store, first, state=State.READY), "TransactWriteItems"),
    }
    call, name = calls[operation]

    assert_translates_errors(plane_table.account, "dynamodb", call, name)


def test_pages_without_end_are_an_error(plane_table: OnPlane) -> None:
    class Endless:
        def query(self, **_: Any) -> Mapping[str, Any]:
            return {"Items": [], "LastEvaluatedKey": {"pk": {"S": "again"}}}

    clients = clients_of(plane_table.account.cloud.url)
    clients.__dict__["dynamodb"] = Endless()

    with pytest.raises(SourceError, match="did not end"):
        DynamoStore(clients, plane_table.target).load(plane_table.arn)
