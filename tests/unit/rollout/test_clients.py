"""Clients: one attempt, told limits, and every error of botocore as one of ours."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import (
    ClientError,
    CredentialRetrievalError,
    EndpointConnectionError,
    NoCredentialsError,
    ParamValidationError,
)

from rollout.adapters.clients import SANDBOX_TIMEOUTS, Clients, Timeouts, asking, code_of
from rollout.errors import AccessDenied, SourceError

NAMES = ("elbv2", "ecs", "scaling", "cloudwatch", "dynamodb", "sns", "route53")


@pytest.fixture
def silent() -> Iterator[str]:
    """The URL of a server that accepts and never answers."""
    with socket.create_server(("127.31.7.5", 0)) as server:
        yield f"http://127.31.7.5:{server.getsockname()[1]}"


@pytest.mark.parametrize("name", NAMES)
def test_every_client_tries_once_within_its_limits(name: str) -> None:
    clients = Clients(region="eu-west-1", endpoint_url="http://127.31.7.5:9", rollout_id="r1")

    config = getattr(clients, name).meta.config
    assert config.retries["total_max_attempts"] == 1
    assert (config.connect_timeout, config.read_timeout, config.region_name) == (2.0, 5.0, "eu-west-1")
    assert config.user_agent_extra == "release-gates/r1"
    assert getattr(clients, name) is getattr(clients, name)


def test_without_an_endpoint_it_is_aws(monkeypatch: pytest.MonkeyPatch) -> None:
    """An endpoint in the environment is not ours to follow; credentials are looked for as usual."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.31.7.5:9")

    client = Clients(region="eu-west-1").elbv2

    assert client.meta.endpoint_url == "https://elasticloadbalancing.eu-west-1.amazonaws.com"


def test_the_sandbox_never_sees_real_credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIA-REAL")
    monkeypatch.setenv("AWS_SESSION_TOKEN", "real")

    client: Any = Clients(region="us-east-1", endpoint_url="http://127.31.7.5:9").sns

    credentials = client._request_signer._credentials
    assert (credentials.access_key, credentials.token) == ("sandbox", None)


def test_a_server_that_never_answers_costs_one_read_limit(silent: str) -> None:
    clients = Clients(region="us-east-1", endpoint_url=silent, timeouts=Timeouts(connect_seconds=1, read_seconds=0.1))
    done = threading.Event()

    with pytest.raises(SourceError, match="ReadTimeout") as caught, asking("sns", "topic"):
        clients.sns.list_topics()
    done.set()

    assert "next tick" in caught.value.hint


def test_the_sandboxs_limits_are_the_contracts() -> None:
    assert (SANDBOX_TIMEOUTS.connect_seconds, SANDBOX_TIMEOUTS.read_seconds) == (0.3, 0.7)


def answered(code: str, status: int = 400) -> ClientError:
    return ClientError(
        {"Error": {"Code": code, "Message": "why"}, "ResponseMetadata": {"HTTPStatusCode": status}},  # type: ignore[typeddict-item]  # botocore's type asks for fields that nobody reads
        "ModifyRule",
    )


@pytest.mark.parametrize(
    ("error", "kind", "hint"),
    [
        (answered("AccessDenied", 403), AccessDenied, "rollout/policies"),
        (answered("ExpiredTokenException"), AccessDenied, "renew its credentials"),
        (answered("Throttling"), SourceError, "request limit"),
        (answered("TooManyRequestsException"), SourceError, "request limit"),
        (answered("InternalFailure", 500), SourceError, "unavailable"),
        (answered("RuleNotFound"), SourceError, "infrastructure outputs"),
        (NoCredentialsError(), AccessDenied, "credentials"),
        (CredentialRetrievalError(provider="p", error_msg="m"), AccessDenied, "credentials"),
        (EndpointConnectionError(endpoint_url="http://x.example"), SourceError, "next tick"),
        (ParamValidationError(report="bad"), SourceError, "report this as a bug"),
    ],
    ids=lambda value: getattr(value, "__name__", None) or str(value)[:40],
)
def test_each_error_becomes_ours(error: Exception, kind: type[SourceError], hint: str) -> None:
    with pytest.raises(SourceError) as caught, asking("elasticloadbalancing", "arn:rule"):
        raise error

    assert type(caught.value) is kind
    assert hint in caught.value.hint
    assert "arn:rule" in str(caught.value)
    assert "elasticloadbalancing" in str(caught.value)
    assert caught.value.__cause__ is error
    if isinstance(error, ClientError):
        assert "ModifyRule answered" in str(caught.value)
        assert code_of(caught.value) == error.response["Error"]["Code"]


def test_other_errors_are_not_swallowed() -> None:
    with pytest.raises(ZeroDivisionError), asking("sns"):
        raise ZeroDivisionError


def test_only_aws_answers_have_a_code() -> None:
    assert (code_of(None), code_of(ValueError()), code_of(SourceError("x"))) == ("", "", "")
