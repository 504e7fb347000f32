"""Clients of AWS, and the one place where its errors become ours.

A client tries once: the engine's next tick is the retry, and a call whose outcome is unclear must be looked at, not
repeated (botocore re-sent a conditional write by itself and reported a conflict with its own success).
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from threading import Lock
from typing import TYPE_CHECKING, Any

from rollout.errors import AccessDenied, SourceError

if TYPE_CHECKING:
    from boto3.session import Session
    from botocore.config import Config
    from botocore.exceptions import ClientError
    from mypy_boto3_cloudwatch import CloudWatchClient
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_ecs import ECSClient
    from mypy_boto3_elbv2 import ElasticLoadBalancingv2Client
    from mypy_boto3_route53 import Route53Client
    from mypy_boto3_sns import SNSClient

# What a sandbox is signed with: real credentials never leave for an address that is not AWS.
_SANDBOX_IDENTITY = "sandbox"
_CONNECTIONS_MAX = 8
_TEXT_LENGTH_MAX = 300

_DENIED = frozenset(
    {
        "AccessDenied",
        "AccessDeniedException",
        "AuthFailure",
        "AuthorizationError",
        "AuthorizationErrorException",
        "ExpiredToken",
        "ExpiredTokenException",
        "IncompleteSignature",
        "InvalidClientTokenId",
        "MissingAuthenticationToken",
        "NotAuthorized",
        "OptInRequired",
        "SignatureDoesNotMatch",
        "UnauthorizedOperation",
        "UnrecognizedClientException",
    }
)
_THROTTLED = frozenset(
    {
        "LimitExceeded",
        "PriorRequestNotComplete",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "RequestThrottled",
        "SlowDown",
        "Throttled",
        "ThrottledException",
        "Throttling",
        "ThrottlingException",
        "TooManyRequestsException",
    }
)
_UNAVAILABLE_STATUS = 500


@dataclass(frozen=True, kw_only=True)
class Timeouts:
    """How long one call may take, real seconds. A write needs at least their sum left of the lease."""

    connect_seconds: float = 2.0
    read_seconds: float = 5.0


SANDBOX_TIMEOUTS = Timeouts(connect_seconds=0.3, read_seconds=0.7)


@dataclass(frozen=True, kw_only=True)
class Clients:
    """One client per service, made when it is first asked for and then kept; safe to share between threads.

    (boto3 sessions are not safe for making clients in two threads at once, hence the lock.)

    `endpoint_url` None means AWS itself. `rollout_id` is written into the user agent, so that CloudTrail and the
    sandbox's operation log tell whose call it was.
    """

    region: str
    endpoint_url: str | None = None
    rollout_id: str = ""
    timeouts: Timeouts = field(default_factory=Timeouts)

    _making: Lock = field(default_factory=Lock, init=False, repr=False, compare=False)

    @cached_property
    def elbv2(self) -> ElasticLoadBalancingv2Client:
        with self._making:
            return self._session.client("elbv2", endpoint_url=self.endpoint_url, config=self._config)

    @cached_property
    def ecs(self) -> ECSClient:
        with self._making:
            return self._session.client("ecs", endpoint_url=self.endpoint_url, config=self._config)

    @cached_property
    def scaling(self) -> Any:
        """Application Auto Scaling, whose types are not installed."""
        name: Any = "application-autoscaling"
        with self._making:
            return self._session.client(name, endpoint_url=self.endpoint_url, config=self._config)

    @cached_property
    def cloudwatch(self) -> CloudWatchClient:
        with self._making:
            return self._session.client("cloudwatch", endpoint_url=self.endpoint_url, config=self._config)

    @cached_property
    def dynamodb(self) -> DynamoDBClient:
        with self._making:
            return self._session.client("dynamodb", endpoint_url=self.endpoint_url, config=self._config)

    @cached_property
    def sns(self) -> SNSClient:
        with self._making:
            return self._session.client("sns", endpoint_url=self.endpoint_url, config=self._config)

    @cached_property
    def route53(self) -> Route53Client:
        with self._making:
            return self._session.client("route53", endpoint_url=self.endpoint_url, config=self._config)

    @cached_property
    def _session(self) -> Session:
        from boto3.session import Session

        if self.endpoint_url is None:
            return Session(region_name=self.region)
        return Session(
            region_name=self.region,
            aws_access_key_id=_SANDBOX_IDENTITY,
            aws_secret_access_key=_SANDBOX_IDENTITY,
        )

    @cached_property
    def _config(self) -> Config:
        from botocore.config import Config

        return Config(
            region_name=self.region,
            connect_timeout=self.timeouts.connect_seconds,
            read_timeout=self.timeouts.read_seconds,
            retries={"total_max_attempts": 1, "mode": "standard"},
            max_pool_connections=_CONNECTIONS_MAX,
            tcp_keepalive=True,
            user_agent_extra=f"release-gates/{self.rollout_id or '-'}",
            ignore_configured_endpoint_urls=True,  # type: ignore[call-arg]  # botocore has it, its stubs do not
            proxies=None if self.endpoint_url is None else {},
        )


@contextmanager
def asking(service: str, target: str = "") -> Iterator[None]:
    """Turn botocore's errors into `AccessDenied` or `SourceError` with service, operation and code in the text."""
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        yield
    except ClientError as error:
        raise _of_answer(error, service=service, target=target) from error
    except BotoCoreError as error:
        raise _of_silence(error, service=service, target=target) from error


def code_of(error: BaseException | None) -> str:
    """The AWS error code behind an error of ours; empty if AWS did not answer."""
    from botocore.exceptions import ClientError

    cause = error.__cause__ if isinstance(error, SourceError) else error
    return str(cause.response.get("Error", {}).get("Code", "")) if isinstance(cause, ClientError) else ""


def _of_answer(error: ClientError, *, service: str, target: str) -> SourceError:
    code = code_of(error)
    detail = str(error.response.get("Error", {}).get("Message", ""))[:_TEXT_LENGTH_MAX]
    what = f"{service} {error.operation_name} answered {code}: {detail}"
    if code in _DENIED:
        hint = f"Grant {service}:{error.operation_name} to this role (rollout/policies), or renew its credentials."
        return AccessDenied(what, target=target, hint=hint)
    status = int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
    if code in _THROTTLED:
        return SourceError(what, target=target, hint="The request limit is used up; the next tick asks again.")
    if status >= _UNAVAILABLE_STATUS:
        return SourceError(what, target=target, hint="The service is unavailable; the next tick asks again.")
    return SourceError(what, target=target, hint="Check that the names in the infrastructure outputs exist.")


def _of_silence(error: BaseException, *, service: str, target: str) -> SourceError:
    from botocore.exceptions import (
        CredentialRetrievalError,
        NoCredentialsError,
        ParamValidationError,
        TokenRetrievalError,
    )

    what = f"{service} could not be asked, {type(error).__name__}: {str(error)[:_TEXT_LENGTH_MAX]}"
    if isinstance(error, NoCredentialsError | CredentialRetrievalError | TokenRetrievalError):
        return AccessDenied(what, target=target, hint="Give this process AWS credentials (role or profile).")
    if isinstance(error, ParamValidationError):
        return SourceError(what, target=target, hint="The request does not fit the service: report this as a bug.")
    return SourceError(what, target=target, hint="No answer within the time limit; the next tick asks again.")
