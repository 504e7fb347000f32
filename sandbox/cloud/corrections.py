"""What is corrected of services that a rollout never asks and that infrastructure is made of.

Their modules are imported when the service is first asked: all of them together would cost a sandbox's start a second.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping

from moto.core.responses import BaseResponse

from sandbox.cloud.api import Corrections, Handlers
from sandbox.cloud.ecs_tasks import Images
from sandbox.cloud.memory import Memory
from sandbox.cloud.world import World


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


def late_handlers(world: World, images: Images, memory: Memory, *, listeners_changed: Callable[[], None]) -> Handlers:
    """Handlers by service; what each remembers is a part of `memory`."""
    makers: Mapping[str, Callable[[], Callable[[], BaseResponse]]] = {
        "ecr": lambda: _ecr(images),
        "elasticache": lambda: _elasticache(memory),
        "guardduty": lambda: _guardduty(world),
        "iam": lambda: _iam(world),
        "kms": _kms,
        "rds": _rds,
        "secretsmanager": _secrets_manager,
        "wafv2": lambda: _firewall(world, listeners_changed),
        "xray": lambda: _xray(memory),
    }
    return {service: _late(make) for service, make in makers.items()}


def _late(make: Callable[[], Callable[[], BaseResponse]]) -> Callable[[], BaseResponse]:
    once = functools.cache(make)
    return lambda: once()()


def _ecr(images: Images) -> Callable[[], BaseResponse]:
    from sandbox.cloud.ecr import EcrApi

    return lambda: EcrApi(images)


def _elasticache(memory: Memory) -> Callable[[], BaseResponse]:
    from sandbox.cloud.elasticache import ElastiCacheApi, UserGroups

    groups = memory.of("elasticache", UserGroups)
    return lambda: ElastiCacheApi(groups)


def _guardduty(world: World) -> Callable[[], BaseResponse]:
    from sandbox.cloud.guardduty import GuardDutyApi

    return lambda: GuardDutyApi(world)


def _iam(world: World) -> Callable[[], BaseResponse]:
    from sandbox.cloud.iam import IamApi

    return lambda: IamApi(world)


def _kms() -> Callable[[], BaseResponse]:
    from sandbox.cloud.kms import KmsApi

    return KmsApi


def _rds() -> Callable[[], BaseResponse]:
    from sandbox.cloud import rds

    rds.install()
    return rds.RdsApi


def _secrets_manager() -> Callable[[], BaseResponse]:
    from sandbox.cloud.secretsmanager import SecretsManagerApi

    return SecretsManagerApi


def _firewall(world: World, changed: Callable[[], None]) -> Callable[[], BaseResponse]:
    from sandbox.cloud.firewall import FirewallApi

    return lambda: FirewallApi(world, changed)


def _xray(memory: Memory) -> Callable[[], BaseResponse]:
    from sandbox.cloud.xray import Sampling, XRayApi

    sampling = memory.of("xray", Sampling)
    return lambda: XRayApi(sampling)
