"""Records and journals in one DynamoDB table. Satisfies `ports.Store`; items are in `dynamodb_items`.

A write is one transaction with a ClientRequestToken. If its answer is lost, or is a conflict, the record is read back:
when it carries our own mark, the write was ours and held. Source: DynamoDB API reference, TransactWriteItems.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NoReturn, cast

from rollout.adapters.clients import Clients, asking, code_of
from rollout.adapters.dynamodb_items import (
    Item,
    Part,
    Transaction,
    history_key,
    key,
    number,
    record_of,
    rollout_key,
    rule_key,
    service_key,
    text,
)
from rollout.codec import decode_record
from rollout.errors import AccessDenied, BadInput, ConflictError, SourceError
from rollout.record import TERMINAL_STATES, Record
from rollout.seen import OperatorRequest
from rollout.target import Target

if TYPE_CHECKING:
    from mypy_boto3_dynamodb.type_defs import QueryInputTypeDef, TransactWriteItemTypeDef

_PAGES_MAX = 1000


class DynamoStore:
    """The table `target.state_table`; history of `target.environment`."""

    def __init__(self, clients: Clients, target: Target) -> None:
        self._clients, self._target = clients, target
        self._table = target.state_table

    def load(self, rule_arn: str) -> Record | None:
        """The record, consistent, with the operator's request if there is one; None if there never was a rollout.
        Raises SourceError, also for a record of a newer schema."""
        return record_of(self._query(rule_key(rule_arn)))

    def create(self, record: Record, plan: Mapping[str, Any], *, guards: Sequence[str]) -> Record:
        """Store a new rollout with its plan and take the guards; the stored revision is `record.revision + 1`.

        `record.revision` is that of the ended rollout that it follows, 0 without one. Raises ConflictError naming the
        active rollout of the rule or of a service."""
        stored = replace(record, revision=record.revision + 1, request=None)
        transaction = self._transaction()
        parts = [
            transaction.create_record(stored, guards),
            *(transaction.take_guard(guard, stored) for guard in guards),
            transaction.add_plan(stored.rollout_id, plan),
            transaction.remove_request(stored.rule_arn, None),
        ]
        try:
            self._transact(transaction, parts)
        except SourceError as error:
            if not self._is_ours(transaction, error, item=(rule_key(stored.rule_arn), "record")):
                self._refuse_create(stored, error, guards=guards)
        return stored

    def write(self, before: Record, after: Record, entry: Mapping[str, Any]) -> Record:
        """Replace `before` by `after` and append `entry`; see `ports.Store`. Raises ConflictError, SourceError."""
        stored = replace(after, revision=before.revision + 1)
        transaction = self._transaction()
        parts = [transaction.replace_record(before, stored), transaction.add_journal(stored.rollout_id, entry)]
        if before.request is not None and after.request != before.request:
            parts.append(transaction.remove_request(before.rule_arn, before.request))
        if after.state in TERMINAL_STATES:
            parts.append(transaction.write_history(stored))
            if before.state not in TERMINAL_STATES:
                parts += [transaction.free_guard(guard, before) for guard in self._guards(before.rule_arn)]
        try:
            self._transact(transaction, parts)
        except SourceError as error:
            if not self._is_ours(transaction, error, item=(rule_key(before.rule_arn), "record")):
                self._refuse_write(before, error)
        return stored

    def renew(self, record: Record) -> Record:
        """A new lease revision under the same epoch. Raises ConflictError if another controller leads."""
        try:
            with asking("dynamodb", self._table):
                answer = self._clients.dynamodb.update_item(
                    TableName=self._table,
                    Key=key(rule_key(record.rule_arn), "record"),
                    UpdateExpression="SET lease_revision = lease_revision + :one",
                    ConditionExpression="epoch = :epoch AND rollout_id = :same",
                    ExpressionAttributeValues={
                        ":one": number(1),
                        ":epoch": number(record.epoch),
                        ":same": text(record.rollout_id),
                    },
                    ReturnValues="UPDATED_NEW",
                )
        except SourceError as error:
            if code_of(error) == "ConditionalCheckFailedException":
                self._refuse_write(record, error, conflict=True)
            raise
        return replace(record, lease_revision=int(answer["Attributes"]["lease_revision"]["N"]))

    def request(self, rule_arn: str, request: OperatorRequest) -> Record:
        """Store an operator's request. Raises BadInput without an active rollout, ConflictError if an abort waits."""
        record = self.load(rule_arn)
        if record is None or record.state in TERMINAL_STATES:
            raise BadInput("no rollout is active here", target=rule_arn, hint="See `rollout history`.")
        transaction = self._transaction()
        try:
            self._transact(transaction, [transaction.check_active(record), transaction.put_request(record, request)])
        except SourceError as error:
            if not self._is_ours(transaction, error, item=(rule_key(rule_arn), "request")):
                if not _is_conflict(error):
                    raise
                why = f"{record.rollout_id} has ended, or an abort waits for its answer"
                raise ConflictError(why, target=rule_arn, hint="Look at `rollout status`, then ask again.") from error
        return replace(record, request=request)

    def plan(self, rollout_id: str) -> Mapping[str, Any]:
        """The plan as submitted. Raises SourceError if there is none."""
        item = self._get(rollout_key(rollout_id), "plan")
        if item is None:
            raise SourceError("no plan is stored for this rollout", target=rollout_id, hint="Is the id right?")
        return dict(json.loads(item["body"]["S"]))

    def journal(self, rollout_id: str) -> Sequence[Mapping[str, Any]]:
        """All entries, oldest first; empty for an unknown rollout."""
        items = self._query(rollout_key(rollout_id), "journal#")
        return [json.loads(item["body"]["S"]) for item in items]

    def history(self) -> Sequence[Record]:
        """The ended rollouts of the environment, oldest first."""
        return [decode_record(item["body"]["S"]) for item in self._query(history_key(self._target.environment))]

    # ------------------------------------------------------------------------------------------- conflicts

    def _is_ours(self, transaction: Transaction, error: SourceError, *, item: tuple[str, str]) -> bool:
        """Whether the write that answered `error` held nevertheless. A denied call did nothing."""
        if isinstance(error, AccessDenied):
            return False
        try:
            found = self._get(*item)
        except SourceError:
            raise error from error.__cause__  # what could not be written is the news, not what could not be read
        return found is not None and found.get("nonce", {}).get("S") == transaction.nonce

    def _refuse_create(self, record: Record, error: SourceError, *, guards: Sequence[str]) -> NoReturn:
        if not _is_conflict(error):
            raise error
        active = self.load(record.rule_arn)
        if active is not None and active.state not in TERMINAL_STATES:
            raise _in_the_way(active.rollout_id, f"in state {active.state}", target=record.rule_arn) from error
        for guard in guards:
            item = self._get(service_key(guard), "guard") or {}
            if item.get("active", {}).get("BOOL") and item["rollout_id"]["S"] != record.rollout_id:
                raise _in_the_way(item["rollout_id"]["S"], "with this service", target=guard) from error
        if active is None:
            why = f"a rollout {record.rollout_id} was stored before"
            raise ConflictError(why, target=record.rule_arn, hint="Submit again: the id names the second.") from error
        raise _changed(record, active) from error

    def _refuse_write(self, before: Record, error: SourceError, *, conflict: bool = False) -> NoReturn:
        if not conflict and not _is_conflict(error):
            raise error
        raise _changed(before, self.load(before.rule_arn)) from error

    # ------------------------------------------------------------------------------------------- calls

    def _transaction(self) -> Transaction:
        return Transaction(table=self._table, nonce=str(uuid.uuid4()))

    def _transact(self, transaction: Transaction, parts: Sequence[Part]) -> None:
        with asking("dynamodb", self._table):
            self._clients.dynamodb.transact_write_items(
                TransactItems=cast("Sequence[TransactWriteItemTypeDef]", parts), ClientRequestToken=transaction.nonce
            )

    def _guards(self, rule_arn: str) -> Sequence[str]:
        item = self._get(rule_key(rule_arn), "record") or {}
        return [guard["S"] for guard in item.get("guards", {}).get("L", [])]

    def _get(self, partition: str, sort: str) -> Mapping[str, Any] | None:
        with asking("dynamodb", self._table):
            answer = self._clients.dynamodb.get_item(
                TableName=self._table, Key=key(partition, sort), ConsistentRead=True
            )
        return answer.get("Item")

    def _query(self, partition: str, sort_prefix: str = "") -> list[Mapping[str, Any]]:
        values: Item = {":pk": text(partition)}
        condition = "pk = :pk"
        if sort_prefix:
            values[":sk"], condition = text(sort_prefix), "pk = :pk AND begins_with(sk, :sk)"
        request: dict[str, Any] = {
            "TableName": self._table,
            "KeyConditionExpression": condition,
            "ExpressionAttributeValues": values,
            "ConsistentRead": True,
        }
        items: list[Mapping[str, Any]] = []
        for _ in range(_PAGES_MAX):
            with asking("dynamodb", self._table):
                answer = self._clients.dynamodb.query(**cast("QueryInputTypeDef", request))
            items += answer["Items"]
            if not answer.get("LastEvaluatedKey"):
                return items
            request["ExclusiveStartKey"] = answer["LastEvaluatedKey"]
        raise SourceError(f"a query did not end after {_PAGES_MAX} pages", target=partition, hint="Archive old items.")


def _is_conflict(error: SourceError) -> bool:
    """A condition of the transaction did not hold (and not, say, a throttled or colliding one)."""
    response: Any = getattr(error.__cause__, "response", None) or {}  # None: a time-out has the attribute, and no value
    reasons = response.get("CancellationReasons", [])
    return any(reason.get("Code") == "ConditionalCheckFailed" for reason in reasons)


def _in_the_way(rollout_id: str, where: str, *, target: str) -> ConflictError:
    hint = "Watch it with `rollout status`, or end it with `rollout rollback --reason ...`."
    return ConflictError(f"{rollout_id} is active {where}", target=target, hint=hint)


def _changed(before: Record, present: Record | None) -> ConflictError:
    if present is None:
        return ConflictError("the record is gone", target=before.rule_arn, hint="Restore the table from its backup.")
    return ConflictError(
        f"{present.rollout_id} was changed by {present.owner or 'somebody else'}: revision {present.revision}, "
        f"epoch {present.epoch}; {before.rollout_id} was expected at {before.revision}, {before.epoch}",
        target=before.rule_arn,
        hint="Read again and decide again.",
    )
