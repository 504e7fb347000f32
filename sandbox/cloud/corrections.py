"""What is corrected of services that a rollout never asks and that infrastructure is made of.

Their modules are imported when the service is first asked: all of them together would cost a sandbox's start a second.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping

from moto.core.responses import BaseResponse

from sandbox.cloud.api import Corrections, Handlers
from sandbox.cloud.memory import Memory


def _s3() -> None:
    from sandbox.cloud import s3

    s3.install()


def _ec2() -> None:
    from sandbox.cloud import ec2

    ec2.install()


def _functions() -> None:
    from sandbox.cloud import functions

    functions.install()


def _keys() -> None:
    from sandbox.cloud import symmetric_keys

    symmetric_keys.install()


def _gateway() -> None:
    from sandbox.cloud import gateway

    gateway.install()


# Of moto itself, by the service's signing name.
CORRECTIONS: Corrections = {"apigateway": _gateway, "ec2": _ec2, "kms": _keys, "lambda": _functions, "s3": _s3}


def late_handlers(memory: Memory) -> Handlers:
    """Handlers by service; what each remembers is a part of `memory`."""
    makers: Mapping[str, Callable[[], Callable[[], BaseResponse]]] = {
        "elasticache": lambda: _elasticache(memory),
        "rds": _rds,
        "secretsmanager": _secrets_manager,
        "xray": lambda: _xray(memory),
    }
    return {service: _late(make) for service, make in makers.items()}


def _late(make: Callable[[], Callable[[], BaseResponse]]) -> Callable[[], BaseResponse]:
    once = functools.cache(make)
    return lambda: once()()


def _elasticache(memory: Memory) -> Callable[[], BaseResponse]:
    from sandbox.cloud.elasticache import ElastiCacheApi, UserGroups

    groups = memory.of("elasticache", UserGroups)
    return lambda: ElastiCacheApi(groups)


def _rds() -> Callable[[], BaseResponse]:
    from sandbox.cloud import rds

    rds.install()
    return rds.RdsApi


def _secrets_manager() -> Callable[[], BaseResponse]:
    from sandbox.cloud.secretsmanager import SecretsManagerApi

    return SecretsManagerApi


def _xray(memory: Memory) -> Callable[[], BaseResponse]:
    from sandbox.cloud.xray import Sampling, XRayApi

    sampling = memory.of("xray", Sampling)
    return lambda: XRayApi(sampling)
