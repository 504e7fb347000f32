"""TransactWriteItems with a ClientRequestToken takes effect once.

Corrects moto 5.2.5, which ignores the token: a retry whose first answer was lost fails its own condition.
"""

from __future__ import annotations

import hashlib
import json
from collections import OrderedDict
from collections.abc import Mapping
from typing import Any

from moto.core.responses import ActionResult
from moto.dynamodb.responses import DynamoHandler

from sandbox.cloud.errors import AwsError
from sandbox.contracts import Clock

TOKEN_SECONDS = 600.0  # virtual; DynamoDB documents ten minutes
_TOKENS_MAX = 10_000


class Tokens:
    """Tokens of successful transactions, with a digest of what each one did; used under the world's lock."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._seen: OrderedDict[str, tuple[float, str]] = OrderedDict()

    def digest_of(self, token: str) -> str | None:
        """The digest kept for a token, None if it is unknown or older than ten virtual minutes."""
        now = self._clock.now()
        while self._seen and next(iter(self._seen.values()))[0] + TOKEN_SECONDS <= now:
            self._seen.popitem(last=False)
        known = self._seen.get(token)
        return known[1] if known else None

    def keep(self, token: str, digest: str) -> None:
        """Remember a transaction that took effect."""
        self._seen[token] = (self._clock.now(), digest)
        while len(self._seen) > _TOKENS_MAX:
            self._seen.popitem(last=False)


class DynamoDbApi(DynamoHandler):
    """The API handler; one instance per call."""

    def __init__(self, tokens: Tokens) -> None:
        super().__init__()
        self._tokens = tokens

    def transact_write_items(self) -> ActionResult:
        token = self.body.get("ClientRequestToken")
        if not token:
            return super().transact_write_items()
        digest = _digest(self.body)
        known = self._tokens.digest_of(token)
        if known is not None and known != digest:
            raise AwsError(
                "IdempotentParameterMismatchException",
                "The ClientRequestToken was used with other parameters in the last ten minutes",
            )
        if known is not None:
            return ActionResult({"ConsumedCapacity": [], "ItemCollectionMetrics": {}})
        result = super().transact_write_items()
        self._tokens.keep(token, digest)
        return result


def _digest(body: Mapping[str, Any]) -> str:
    text = json.dumps({**body, "ClientRequestToken": ""}, sort_keys=True, default=repr)
    return hashlib.sha256(text.encode()).hexdigest()
