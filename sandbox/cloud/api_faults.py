"""Faults of the AWS APIs by name, answered with the error shape each service's protocol has."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass

from moto.core.responses import ActionResult, BaseResponse

from sandbox.cloud.errors import AwsError

API_SERVICES = ("cloudwatch", "dynamodb", "ecs", "elbv2", "route53", "sns")
_API_VALUES = ("ok", "down", "throttled", "denied")
_CLOUDWATCH_VALUES = (*_API_VALUES, "silent", "partial")
PUBLISH_DELAY_SECONDS = 20.0

# The codes each service documents for throttling; the message is the same everywhere.
_THROTTLING_CODES = {
    "dynamodb": "ThrottlingException",
    "ecs": "ThrottlingException",
    "sns": "Throttled",
}
_JSON_SERVICES = ("dynamodb", "ecs")


class FaultError(ValueError):
    """A fault that does not exist, or a value it cannot take."""


@dataclass(frozen=True)
class ApiError:
    """An error answer: HTTP status, AWS error code, message."""

    status: int
    code: str
    message: str


class Faults:
    """The dials: `cloud` ones are checked here, those of other slots (one_zone, never_insync) are only stored."""

    def __init__(self) -> None:
        self._values: dict[tuple[str, str], object] = {}
        self._lock = threading.Lock()

    def set(self, slot: str, name: str, *, value: object) -> None:
        """Raises FaultError for an unknown fault of the slot `cloud` or a value it cannot take."""
        if slot == "cloud":
            _check(name, value)
        with self._lock:
            self._values[(slot, name)] = value

    def get(self, slot: str, name: str) -> object:
        """The value set last, None if never set or cleared."""
        return self._values.get((slot, name))

    def clear(self) -> None:
        """Back to a world without faults."""
        with self._lock:
            self._values.clear()

    def all(self) -> Mapping[str, object]:
        """Set faults as {"slot.name": value}."""
        return {f"{slot}.{name}": value for (slot, name), value in list(self._values.items())}


def _check(name: str, value: object) -> None:
    if name == "publish_delay_seconds":
        if not isinstance(value, int | float) or isinstance(value, bool) or value < 0:
            raise FaultError(f"publish_delay_seconds must be a number of virtual seconds, not {value!r}")
        return
    if name not in API_SERVICES:
        known = ", ".join((*API_SERVICES, "publish_delay_seconds"))
        raise FaultError(f"the slot cloud has no fault {name!r}; it has {known}")
    allowed = _CLOUDWATCH_VALUES if name == "cloudwatch" else _API_VALUES
    if value not in allowed:
        raise FaultError(f"the fault {name} takes {', '.join(allowed)}, not {value!r}")


def error_of(service: str, operation: str, *, value: object) -> ApiError | None:
    """The error that the fault `value` makes of a call, None where the call goes through."""
    if value == "down":
        return ApiError(503, "ServiceUnavailable", "Service is unable to handle request.")
    if value == "throttled":
        return ApiError(400, _THROTTLING_CODES.get(service, "Throttling"), "Rate exceeded")
    if value == "denied":
        code = "AccessDeniedException" if service in _JSON_SERVICES else "AccessDenied"
        who = "arn:aws:iam::123456789012:user/release-gates"
        return ApiError(403, code, f"User: {who} is not authorized to perform: {service}:{operation}")
    return None


def render(response: BaseResponse, error: ApiError) -> tuple[int, dict[str, str], bytes | str]:
    """The HTTP answer (status, headers, body) of `error` in the protocol the caller used.

    moto derives the status from the service's model and answers 400 for codes that are not in it, so it is set here.
    """
    _, headers, body = response.serialized(ActionResult(AwsError(error.code, error.message)))
    return error.status, headers, body
