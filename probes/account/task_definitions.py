"""ECS task definitions that the environment's services run: what a container may do, has, and is given."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from probes.account.asking import Asker, ClientMaker, Unread
from probes.account.declared import Declared
from probes.account.population import Resource, Seen, Unknown, View, check, known, population, view_of

_DIGEST = re.compile(r"@sha256:[0-9a-f]{64}$")
_ROOT = frozenset({"", "root", "0"})
# A variable whose name promises a secret, and values that are one whatever their name.
_SECRET_NAME = re.compile(r"(?i)passw|secret|token|api_?key|private_?key|credential|dsn$")
_SECRET_VALUE = re.compile(r"-----BEGIN|\b(?:AKIA|ASIA)[0-9A-Z]{16}\b|\beyJ[\w-]{8,}\.|://[^/\s:@]+:[^/\s@]+@")
# Names that only say where a secret is, not what it is.
_REFERENCE_NAME = re.compile(r"(?i)_(?:arn|name|id|file|path|url|uri|seconds|header|issuer|ttl)$")


def view(account: ClientMaker, declared: Declared) -> View:
    """Every definition that a service of the environment runs or is moving to."""
    asker = Asker(account)
    return view_of(
        declared,
        population(
            "task definition",
            "ecs DescribeTaskDefinition",
            lambda: tuple(_definition(asker, arn) for arn in sorted(known(in_use(asker, declared)))),
        ),
    )


def in_use(asker: Asker, declared: Declared) -> frozenset[str] | Unread:
    """ARNs of the definitions of all deployments of both services."""
    if not declared.service_names:
        return Unread("the outputs name no service")
    names = sorted(declared.service_names.values())
    answer = asker.one("ecs", "describe_services", cluster=declared.cluster_name, services=names)
    if isinstance(answer, Unread):
        return answer
    services = (answer or {}).get("services", ())
    return frozenset(
        str(one["taskDefinition"]) for service in services for one in (service, *service.get("deployments", ()))
    )


def _definition(asker: Asker, arn: str) -> Resource:
    """A definition that cannot be read has its containers unread: no judgement of it can pass."""
    answer = asker.field("ecs", "describe_task_definition", "taskDefinition", taskDefinition=arn)
    name = arn.rsplit("/", 1)[-1]
    if isinstance(answer, Unread):
        return Resource(name=name, facts={"containerDefinitions": answer})
    return Resource(name=name, facts=answer or {})


def containers(one: Resource) -> tuple[Mapping[str, Any], ...]:
    """The containers of a definition. Raises NotRead, or Unknown when there are none."""
    found = tuple(one["containerDefinitions"])
    if not found:
        raise Unknown("AWS gave no container of it")
    return found


def _wrong(one: Resource, says: str, wrong: list[str]) -> Seen:
    names = [str(container["name"]) for container in containers(one)]
    return Seen(names, f"{says} {', '.join(wrong)}" if wrong else "")


@check("task definition", rule="every container has a read-only root file system")
def read_only_root(one: Resource, _: Declared) -> Seen:
    """CMP-01: what cannot be written cannot be planted."""
    wrong = [c["name"] for c in containers(one) if c.get("readonlyRootFilesystem") is not True]
    return _wrong(one, "writable root in", wrong)


@check("task definition", rule="no container runs as root")
def not_root(one: Resource, _: Declared) -> Seen:
    """CMP-01. Without a user in the definition the image decides, and nobody can see what."""
    wrong = [c["name"] for c in containers(one) if str(c.get("user", "")).split(":")[0] in _ROOT]
    return _wrong(one, "root, or no user named, in", wrong)


@check("task definition", rule="no container is privileged or given capabilities")
def not_privileged(one: Resource, _: Declared) -> Seen:
    """CMP-01."""
    wrong = [c["name"] for c in containers(one) if c.get("privileged") or _added_capabilities(c)]
    return _wrong(one, "privileged:", wrong)


def _added_capabilities(container: Mapping[str, Any]) -> list[str]:
    linux: Mapping[str, Any] = container.get("linuxParameters") or {}
    return list((linux.get("capabilities") or {}).get("add") or ())


@check("task definition", rule="CPU and memory of the task and memory of every container are limited")
def limits(one: Resource, _: Declared) -> Seen:
    """CMP-04: `memory` is the hard limit; `memoryReservation` alone limits nothing."""
    wrong = [f"{c['name']} has no memory limit" for c in containers(one) if not c.get("memory")]
    wrong += [f"the task has no {name} limit" for name in ("cpu", "memory") if not one.get(name)]
    return Seen([one.get("cpu"), one.get("memory")], ", ".join(wrong))


@check("task definition", rule="every essential container has a health check")
def health_check(one: Resource, _: Declared) -> Seen:
    """CMP-04. `essential` is true where AWS says nothing."""
    wrong = [
        c["name"]
        for c in containers(one)
        if c.get("essential", True) and not (c.get("healthCheck") or {}).get("command")
    ]
    return _wrong(one, "no health check in", wrong)


@check("task definition", rule="every container writes its log somewhere")
def logs(one: Resource, _: Declared) -> Seen:
    """CMP-04."""
    wrong = [c["name"] for c in containers(one) if not (c.get("logConfiguration") or {}).get("logDriver")]
    return _wrong(one, "no log configuration in", wrong)


@check("task definition", rule="every image is named by its digest")
def image_by_digest(one: Resource, _: Declared) -> Seen:
    """CMP-04, design.md 14.10: a tag may name another image tomorrow."""
    images = [str(container["image"]) for container in containers(one)]
    wrong = [image for image in images if not _DIGEST.search(image)]
    return Seen(images, f"by tag: {', '.join(wrong)}" if wrong else "")


@check("task definition", rule="no secret stands in an environment variable")
def no_secret_in_environment(one: Resource, _: Declared) -> Seen:
    """SEC-02. Only names are told: evidence must not carry what it warns of."""
    found = [name for container in containers(one) for name in secret_variables(container)]
    count = sum(len(container.get("environment", ())) for container in containers(one))
    return Seen(count, f"looks like a secret: {', '.join(found)}" if found else "")


def secret_variables(container: Mapping[str, Any]) -> Iterator[str]:
    """Names of plain variables that are secrets by their name or their value."""
    for variable in container.get("environment", ()):
        name, value = str(variable["name"]), str(variable.get("value", ""))
        by_name = _SECRET_NAME.search(name) and not _REFERENCE_NAME.search(name)
        if value and (by_name or _SECRET_VALUE.search(value)):
            yield name


@check("task definition", rule="its execution role and its task role are two roles")
def roles_apart(one: Resource, _: Declared) -> Seen:
    """SEC-03: what pulls images and reads secrets at the start is more than the running code should be."""
    execution, task = one["executionRoleArn"], one["taskRoleArn"]
    names = [str(arn).rsplit("/", 1)[-1] for arn in (execution, task)]
    return Seen(names, "one role for both" if execution == task else "")
