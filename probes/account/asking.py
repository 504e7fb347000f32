"""Reading AWS: every page, and an answer that could not be had is a value that says why, never an empty list."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from botocore.exceptions import BotoCoreError, ClientError
from botocore.parsers import ResponseParserError

# Codes by which a service says "nothing of that kind is configured": an answer, unlike every other code.
# Source: the Errors sections of the services' API references.
_NOTHING_CONFIGURED = frozenset(
    {
        "LifecyclePolicyNotFoundException",
        "NoSuchBucketPolicy",
        "NoSuchLifecycleConfiguration",
        "NoSuchPublicAccessBlockConfiguration",
        "RepositoryPolicyNotFoundException",
        "ServerSideEncryptionConfigurationNotFoundError",
        "WAFNonexistentItemException",
    }
)
# How the services without a paginator of botocore's name what comes next; question and answer name it alike.
_NEXT = ("NextToken", "nextToken", "NextMarker")
_PAGES_MAX = 1000
_TEXT_LENGTH_MAX = 200


@dataclass(frozen=True)
class Unread:
    """What AWS did not tell, with the cause: service, operation, what was answered instead."""

    cause: str


class ClientMaker(Protocol):
    """What is asked: an `Account`, or a double of it in a test."""

    @property
    def endpoint_url(self) -> str | None:
        """None for AWS itself; a sandbox has an address of its own."""

    def client(self, service: str) -> Any:
        """A boto3 client of one service."""


class Asker:
    """Asks one account, read-only, with one client per service. Never raises for what the account answers."""

    def __init__(self, account: ClientMaker) -> None:
        self.account = account
        self._clients: dict[str, Any] = {}

    @property
    def sandbox(self) -> bool:
        """The account is an emulated one."""
        return self.account.endpoint_url is not None

    def one(self, service: str, operation: str, **asked: Any) -> Mapping[str, Any] | Unread | None:
        """One answer; None where the service says that nothing of the kind is configured."""
        try:
            answer: Mapping[str, Any] = getattr(self._client(service), operation)(**asked)
        except ClientError as error:
            return None if _code(error) in _NOTHING_CONFIGURED else _refused(error, service)
        except (BotoCoreError, ResponseParserError) as error:
            return _silent(error, f"{service} {operation}")
        return answer

    def field(self, service: str, operation: str, key: str, **asked: Any) -> Any:
        """One member of one answer; None where it is absent or nothing is configured."""
        answer = self.one(service, operation, **asked)
        return answer if answer is None or isinstance(answer, Unread) else answer.get(key)

    def all(self, service: str, operation: str, key: str, **asked: Any) -> tuple[Any, ...] | Unread:
        """The members `key` of every page. One page that cannot be read makes the whole unread."""
        client = self._client(service)
        try:
            if client.can_paginate(operation):
                pages = client.get_paginator(operation).paginate(**asked)
                return tuple(row for page in pages for row in page.get(key) or ())
        except ClientError as error:
            return _refused(error, service)
        except (BotoCoreError, ResponseParserError) as error:
            return _silent(error, f"{service} {operation}")
        return self._by_token(service, operation, key=key, asked=asked)

    def _by_token(
        self, service: str, operation: str, *, key: str, asked: Mapping[str, Any]
    ) -> tuple[Any, ...] | Unread:
        rows: list[Any] = []
        following: dict[str, Any] = {}
        for _ in range(_PAGES_MAX):
            answer = self.one(service, operation, **{**asked, **following})
            if isinstance(answer, Unread):
                return answer
            if answer is None:
                return tuple(rows)
            rows += answer.get(key) or ()
            following = {name: answer[name] for name in _NEXT if answer.get(name)}
            if not following:
                return tuple(rows)
        return Unread(f"{service} {operation} did not end within {_PAGES_MAX} pages")

    def _client(self, service: str) -> Any:
        if service not in self._clients:
            self._clients[service] = self.account.client(service)
        return self._clients[service]


def _code(error: ClientError) -> str:
    return str(error.response.get("Error", {}).get("Code", ""))


def _refused(error: ClientError, service: str) -> Unread:
    code, status = _code(error), error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    detail = str(error.response.get("Error", {}).get("Message", ""))[:_TEXT_LENGTH_MAX]
    return Unread(f"{service} {error.operation_name} {_manner(code, int(status))} ({code}): {detail}")


def _manner(code: str, status: int) -> str:
    """One word for the kind of refusal; throttling first, because some services answer it with 403 or 400."""
    if "hrottl" in code or status == 429 or code in ("RequestLimitExceeded", "SlowDown", "TooManyRequestsException"):
        return "throttled"
    if status in (401, 403) or any(word in code for word in ("Denied", "Unauthorized", "AuthFailure", "NotAuthorized")):
        return "denied"
    return "unavailable" if status >= 500 else "refused"


def _silent(error: Exception, what: str) -> Unread:
    return Unread(f"{what} gave no answer, {type(error).__name__}: {str(error)[:_TEXT_LENGTH_MAX]}")
