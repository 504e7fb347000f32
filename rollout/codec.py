"""Records, plans and requests as JSON and back, checked by their types.

Canonical JSON: sorted keys, no spaces, UTF-8, no NaN. The same value gives the same text, so a hash of it means
something. Readers take documents of their schema or an older one; a newer one is refused, never guessed at.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeVar

from rollout.errors import BadInput, SourceError
from rollout.model import Plan
from rollout.record import Record
from rollout.seen import OperatorRequest

if TYPE_CHECKING:
    from pydantic import TypeAdapter

RECORD_SCHEMA = 1
T = TypeVar("T")
_ADAPTERS: dict[object, TypeAdapter[Any]] = {}


def canonical_json(value: object) -> str:
    """The one spelling of a JSON-ready value. Raises BadInput for what JSON cannot say."""
    try:
        return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise BadInput(f"this cannot be written as JSON: {error}", hint="This is a bug of the engine.") from error


def jsonable(value: object) -> Any:
    """Dataclasses, enumerations, tuples and mappings as plain JSON values."""
    from pydantic_core import PydanticSerializationError, to_jsonable_python

    try:
        return to_jsonable_python(value, inf_nan_mode="constants")
    except PydanticSerializationError as error:
        raise BadInput(f"this cannot be written as JSON: {error}", hint="This is a bug of the engine.") from error


def encode_record(record: Record) -> str:
    """Canonical JSON of the whole record."""
    return canonical_json(jsonable(record))


def decode_record(text: str) -> Record:
    """Raises SourceError for a newer schema, or for text that is no record."""
    document = _document(text, "record")
    schema = document.get("schema")
    if not isinstance(schema, int) or schema > RECORD_SCHEMA:
        raise SourceError(
            f"the stored record has schema {schema}, this program knows up to {RECORD_SCHEMA}",
            target=str(document.get("rollout_id", "")),
            hint="Upgrade release-gates on this machine to the version that leads the rollout.",
        )
    return _decoded(Record, document)


def encode_request(request: OperatorRequest) -> str:
    return canonical_json(jsonable(request))


def decode_request(text: str) -> OperatorRequest:
    """Raises SourceError for text that is no request."""
    return _decoded(OperatorRequest, _document(text, "request"))


def plan_document(plan: Plan) -> dict[str, Any]:
    """The plan as plain JSON values, whole numbers of seconds and percent spelled as floats where the type says so."""
    document: dict[str, Any] = jsonable(_decoded(Plan, jsonable(plan)))
    return document


def plan_from_document(document: Mapping[str, Any]) -> Plan:
    """Raises SourceError for a document that is no plan."""
    return _decoded(Plan, dict(document))


def plan_sha256(plan: Plan) -> str:
    """Hexadecimal SHA-256 of the plan's canonical JSON: equal plans have equal hashes."""
    return hashlib.sha256(canonical_json(plan_document(plan)).encode()).hexdigest()


def _adapter(kind: Any) -> TypeAdapter[Any]:
    # pydantic is imported, and the validator built, when first needed: importing this module stays cheap.
    if kind not in _ADAPTERS:
        from pydantic import TypeAdapter

        _ADAPTERS[kind] = TypeAdapter(kind)
    return _ADAPTERS[kind]


def _decoded(kind: type[T], document: object) -> T:
    from pydantic import ValidationError

    try:
        decoded: T = _adapter(kind).validate_python(document)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        place = ".".join(str(part) for part in first["loc"])
        raise SourceError(
            f"the stored {kind.__name__} is damaged at {place or 'its top'}: {first['msg']}",
            hint="Somebody wrote to the state table by hand; restore the item from its backup.",
        ) from error
    return decoded


def _document(text: str, name: str) -> dict[str, Any]:
    try:
        document = json.loads(text)
    except ValueError as error:
        document = error
    if not isinstance(document, dict):
        raise SourceError(f"the stored {name} is not a JSON object", hint="Restore the item from its backup.")
    return document
