"""The state table's items and the parts of a transaction. Pure; see `dynamodb`.

| pk                            | sk                 | what                                                           |
|-------------------------------|--------------------|----------------------------------------------------------------|
| rule#<rule or listener ARN>   | record             | the rollout that is, or was last, active there                 |
| rule#<rule or listener ARN>   | request            | what an operator asked for; removed when the engine answers it |
| service#<cluster>/<service>   | guard              | which rollout may change this service                          |
| rollout#<id>                  | plan               | the plan, as submitted                                         |
| rollout#<id>                  | journal#<8 digits> | one entry each; only ever added                                |
| history#<environment>         | <created>#<id>     | the record at its end                                          |

Values are canonical JSON in `body`; what conditions look at stands beside it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from rollout.codec import canonical_json, decode_record, decode_request, encode_record, encode_request
from rollout.errors import SourceError
from rollout.record import TERMINAL_STATES, Record
from rollout.seen import OperatorRequest

# DynamoDB takes 400 KB an item, names and numbers included. Source: developer guide, "Constraints".
BODY_BYTES_MAX = 390_000

Item = dict[str, dict[str, Any]]
Part = dict[str, dict[str, Any]]  # one entry of TransactItems


@dataclass(frozen=True, kw_only=True)
class Transaction:
    """What all parts of one write share: the table, and the mark by which a lost reply is recognised."""

    table: str
    nonce: str

    def replace_record(self, before: Record, stored: Record) -> Part:
        """The record becomes `stored` if it is still `before`; guards stay as they were created."""
        return self._update(
            key(rule_key(before.rule_arn), "record"),
            changes=_record_fields(stored, self.nonce),
            condition="revision = :old_revision AND epoch = :old_epoch AND rollout_id = :same",
            values={
                ":old_revision": number(before.revision),
                ":old_epoch": number(before.epoch),
                ":same": text(before.rollout_id),
            },
        )

    def create_record(self, record: Record, guards: Sequence[str]) -> Part:
        """A new record where there is none, or where the last one has ended and is still the one that was looked at."""
        item = {
            **key(rule_key(record.rule_arn), "record"),
            **_record_fields(record, self.nonce),
            "guards": {"L": [text(guard) for guard in guards]},
        }
        condition = "attribute_not_exists(pk) OR (active = :no AND revision = :ended)"
        return self._put(item, condition, values={":no": {"BOOL": False}, ":ended": number(record.revision - 1)})

    def take_guard(self, guard: str, record: Record) -> Part:
        item = {
            **key(service_key(guard), "guard"),
            "active": {"BOOL": True},
            "rollout_id": text(record.rollout_id),
            "rule_arn": text(record.rule_arn),
        }
        condition = "attribute_not_exists(pk) OR active = :no OR rollout_id = :same"
        return self._put(item, condition, values={":no": {"BOOL": False}, ":same": text(record.rollout_id)})

    def free_guard(self, guard: str, record: Record) -> Part:
        return self._update(
            key(service_key(guard), "guard"),
            changes={"active": {"BOOL": False}},
            condition="rollout_id = :same",
            values={":same": text(record.rollout_id)},
        )

    def add_plan(self, rollout_id: str, plan: Mapping[str, Any]) -> Part:
        body = bounded(canonical_json(plan), "plan")
        return self._put({**key(rollout_key(rollout_id), "plan"), "body": text(body)}, "attribute_not_exists(pk)")

    def add_journal(self, rollout_id: str, entry: Mapping[str, Any]) -> Part:
        body = bounded(canonical_json(entry), "journal entry")
        item = {**key(rollout_key(rollout_id), journal_sort(int(entry["sequence"]))), "body": text(body)}
        return self._put(item, "attribute_not_exists(pk)")

    def write_history(self, record: Record) -> Part:
        sort = f"{record.created_at:017.3f}#{record.rollout_id}"
        body = bounded(encode_record(replace(record, request=None)), "record")
        return {
            "Put": {
                "TableName": self.table,
                "Item": {**key(history_key(record.environment), sort), "body": text(body)},
            }
        }

    def put_request(self, record: Record, request: OperatorRequest) -> Part:
        """Beside the record; an abort that waits for its answer is not replaced by anything less."""
        item = {
            **key(rule_key(record.rule_arn), "request"),
            "body": text(bounded(encode_request(request), "request")),
            "kind": text(request.kind),
            "rollout_id": text(record.rollout_id),
            "nonce": text(self.nonce),
        }
        if request.kind == "abort":
            return {"Put": {"TableName": self.table, "Item": item}}
        condition = "attribute_not_exists(pk) OR kind <> :abort OR rollout_id <> :same"
        return self._put(item, condition, values={":abort": text("abort"), ":same": text(record.rollout_id)})

    def remove_request(self, rule_arn: str, request: OperatorRequest | None) -> Part:
        """Exactly `request`, so that a newer one survives; None removes whatever is left of an earlier rollout."""
        part: dict[str, Any] = {"TableName": self.table, "Key": key(rule_key(rule_arn), "request")}
        if request is not None:
            part["ConditionExpression"] = "attribute_not_exists(pk) OR body = :answered"
            part["ExpressionAttributeValues"] = {":answered": text(encode_request(request))}
        return {"Delete": part}

    def check_active(self, record: Record) -> Part:
        return {
            "ConditionCheck": {
                "TableName": self.table,
                "Key": key(rule_key(record.rule_arn), "record"),
                "ConditionExpression": "active = :yes AND rollout_id = :same",
                "ExpressionAttributeValues": {":yes": {"BOOL": True}, ":same": text(record.rollout_id)},
            }
        }

    def _put(self, item: Item, condition: str, *, values: Item | None = None) -> Part:
        part: dict[str, Any] = {"TableName": self.table, "Item": item, "ConditionExpression": condition}
        return {"Put": {**part, "ExpressionAttributeValues": values} if values else part}

    def _update(self, where: Item, *, changes: Item, condition: str, values: Item) -> Part:
        return {
            "Update": {
                "TableName": self.table,
                "Key": where,
                "UpdateExpression": "SET " + ", ".join(f"{name} = :{name}" for name in changes),
                "ConditionExpression": condition,
                "ExpressionAttributeValues": {**{f":{name}": value for name, value in changes.items()}, **values},
            }
        }


def record_of(items: Sequence[Mapping[str, Any]]) -> Record | None:
    """The record with its operator's request, from the items under one rule's key. Raises SourceError."""
    by_sort = {item["sk"]["S"]: item for item in items}
    found = by_sort.get("record")
    if found is None:
        return None
    record = replace(decode_record(found["body"]["S"]), lease_revision=int(found["lease_revision"]["N"]))
    asked = by_sort.get("request")
    # The emergency script does not know the rollout's id: its note is for whatever is active.
    if asked is None or asked.get("rollout_id", {"S": record.rollout_id})["S"] != record.rollout_id:
        return record
    return replace(record, request=decode_request(asked["body"]["S"]))


def _record_fields(record: Record, nonce: str) -> Item:
    return {
        "body": text(bounded(encode_record(replace(record, request=None)), "record")),
        "revision": number(record.revision),
        "epoch": number(record.epoch),
        "lease_revision": number(record.lease_revision),
        "active": {"BOOL": record.state not in TERMINAL_STATES},
        "rollout_id": text(record.rollout_id),
        "nonce": text(nonce),
    }


def bounded(body: str, what: str) -> str:
    """`body`, if an item can hold it. Raises SourceError."""
    size = len(body.encode())
    if size > BODY_BYTES_MAX:
        hint = "Shorten the plan, or report this as a bug of the engine."
        raise SourceError(f"the {what} has {size} bytes, an item holds {BODY_BYTES_MAX}", hint=hint)
    return body


def text(value: str) -> dict[str, str]:
    return {"S": value}


def number(value: int) -> dict[str, str]:
    return {"N": str(value)}


def key(partition: str, sort: str) -> Item:
    return {"pk": text(partition), "sk": text(sort)}


def rule_key(rule_arn: str) -> str:
    return f"rule#{rule_arn}"


def service_key(guard: str) -> str:
    return f"service#{guard}"


def rollout_key(rollout_id: str) -> str:
    return f"rollout#{rollout_id}"


def history_key(environment: str) -> str:
    return f"history#{environment}"


def journal_sort(sequence: int) -> str:
    return f"journal#{sequence:08d}"
