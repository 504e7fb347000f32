"""Reading every page of an account, and telling why something could not be read; held to botocore's own models."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from botocore.exceptions import EndpointConnectionError
from botocore.stub import Stubber

from probes.account.asking import Asker, Unread
from probes.account.session import Account

ADDRESS = "http://127.0.0.1:9"


class One:
    """An account with one client, counted."""

    endpoint_url = ADDRESS

    def __init__(self, service: str) -> None:
        self.made = Account(region="us-east-1", endpoint_url=ADDRESS).client(service)
        self.asked = 0

    def client(self, service: str) -> Any:
        self.asked += 1
        return self.made


@contextmanager
def saying(service: str, *answers: tuple[str, dict[str, Any]]) -> Iterator[One]:
    account = One(service)
    with Stubber(account.made) as stub:
        for operation, answer in answers:
            stub.add_response(operation, answer)
        yield account
        stub.assert_no_pending_responses()


@contextmanager
def refusing(
    service: str, *operations: str, code: str, after: tuple[str, dict[str, Any]] | None = None
) -> Iterator[One]:
    account = One(service)
    with Stubber(account.made) as stub:
        if after:
            stub.add_response(*after)
        for operation in operations:
            stub.add_client_error(operation, service_error_code=code, http_status_code=403)
        yield account


def test_all_pages_by_a_paginator() -> None:
    first = ("list_tables", {"TableNames": ["orders"], "LastEvaluatedTableName": "orders"})
    with saying("dynamodb", first, ("list_tables", {"TableNames": ["sessions"]})) as account:
        assert Asker(account).all("dynamodb", "list_tables", "TableNames") == ("orders", "sessions")


def test_all_pages_by_a_token() -> None:
    """wafv2 has no paginator in botocore: the marker is followed by hand."""
    row = {"Name": "x", "Id": "1", "LockToken": "t", "ARN": "arn:aws:wafv2:us-east-1:1:regional/webacl/x/1"}
    first = ("list_web_acls", {"WebACLs": [row], "NextMarker": "m"})
    with saying("wafv2", first, ("list_web_acls", {"WebACLs": [row]})) as account:
        assert Asker(account).all("wafv2", "list_web_acls", "WebACLs", Scope="REGIONAL") == (row, row)


def test_a_page_that_cannot_be_read_makes_the_whole_unread() -> None:
    first = ("list_tables", {"TableNames": ["orders"], "LastEvaluatedTableName": "orders"})
    with refusing("dynamodb", "list_tables", code="AccessDeniedException", after=first) as account:
        found = Asker(account).all("dynamodb", "list_tables", "TableNames")

    assert isinstance(found, Unread)
    assert found.cause.startswith("dynamodb ListTables denied (AccessDeniedException)")


def test_pages_without_an_end() -> None:
    class Endless:
        endpoint_url = None

        def client(self, service: str) -> Any:
            return self

        def can_paginate(self, operation: str) -> bool:
            return False

        def list_web_acls(self, **_: Any) -> dict[str, Any]:
            return {"WebACLs": [1], "NextMarker": "again"}

    found = Asker(Endless()).all("wafv2", "list_web_acls", "WebACLs")
    assert found == Unread("wafv2 list_web_acls did not end within 1000 pages")


def test_nothing_configured_is_an_answer_and_denied_is_none() -> None:
    with refusing("s3", "get_bucket_policy", code="NoSuchBucketPolicy") as account:
        assert Asker(account).field("s3", "get_bucket_policy", "Policy", Bucket="b") is None
    with refusing("s3", "get_bucket_policy", code="AccessDenied") as account:
        found = Asker(account).field("s3", "get_bucket_policy", "Policy", Bucket="b")

    assert isinstance(found, Unread)
    assert "denied (AccessDenied)" in found.cause


def test_a_bucket_that_does_not_exist_is_no_empty_configuration() -> None:
    with refusing("s3", "get_bucket_policy", code="NoSuchBucket") as account:
        assert isinstance(Asker(account).one("s3", "get_bucket_policy", Bucket="b"), Unread)


@pytest.mark.parametrize("how", ["one", "all"])
def test_no_answer_at_all(how: str, monkeypatch: pytest.MonkeyPatch) -> None:
    account = One("dynamodb")

    def unreachable(*_: Any, **__: Any) -> None:
        raise EndpointConnectionError(endpoint_url=ADDRESS)

    monkeypatch.setattr(account.made, "_make_api_call", unreachable)
    asker = Asker(account)
    found = asker.one("dynamodb", "list_tables") if how == "one" else asker.all("dynamodb", "list_tables", "TableNames")

    assert isinstance(found, Unread)
    assert found.cause.startswith("dynamodb list_tables gave no answer, EndpointConnectionError")


def test_a_client_is_made_once() -> None:
    with saying("dynamodb", ("list_tables", {}), ("list_tables", {})) as account:
        asker = Asker(account)
        assert asker.all("dynamodb", "list_tables", "TableNames") == ()
        assert asker.field("dynamodb", "list_tables", "TableNames") is None

        assert account.asked == 1
        assert asker.sandbox
