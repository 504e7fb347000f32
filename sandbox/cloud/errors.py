"""Errors as the emulated APIs answer them."""

from __future__ import annotations

from moto.core import errors
from moto.core.exceptions import ServiceException

# Codes that every AWS service may answer but whose models do not list; moto warns of each it does not know.
errors.COMMON_ERROR_CODES.extend(
    ["AccessDenied", "InternalFailure", "ServiceUnavailable", "Throttled", "Throttling", "ThrottlingException"]
)


class AwsError(ServiceException):
    """An error code with its message, put into the caller's protocol by moto's serializers.

    moto's own ServiceException cannot be raised as it is: moto derives the service from the class's module.
    """
