"""Who answers where before customers come: the candidate on its own address, and nowhere else (PROC-07, DUR-02)."""

from __future__ import annotations

from collections.abc import Sequence

import httpx

from probes.failures import Cause
from probes.http import ask
from probes.identity import Identity, identity_of, same_digest
from probes.question import Question
from rollout.model import Observation

DEFAULT_PATHS = ("/health", "/api/v1/status")


def leads_to(
    asker: httpx.Client, expected: Identity, *, tries: int = 10, paths: Sequence[str] = DEFAULT_PATHS
) -> tuple[Observation, ...]:
    """`route.leads`: every one of `tries` answers per path names the expected slot, version and digest.

    Raises ValueError without tries or paths.
    """
    _need_some(tries, paths)
    question = Question(
        name="route.leads",
        rule="every answer of the test route names the candidate's slot, version and digest",
        limit=str(expected),
        source=f"{asker.base_url.host} {', '.join(paths)}",
    )
    for asked, path in enumerate(path for _ in range(tries) for path in paths):
        answer = ask(asker, path)
        if isinstance(answer, Cause):
            return (question.failed(answer.kind, answer.sentence, n=asked + 1),)
        told = identity_of(answer)
        problem = told.differs_from(expected)
        if problem:
            message = f"answer {asked + 1} at {path} ({answer.status}) came from elsewhere: {problem}"
            return (question.failed(str(told), message, n=asked + 1),)
    total = tries * len(paths)
    return (question.passed(str(expected), f"all {total} answers came from {expected}", n=total),)


def never_answered_by(
    asker: httpx.Client, candidate: Identity, *, tries: int = 50, paths: Sequence[str] = DEFAULT_PATHS
) -> tuple[Observation, ...]:
    """`route.public`: none of `tries` answers per path on the public name comes from the candidate.

    An answer that names nobody is NO_DATA: it could be anybody's. Raises ValueError without tries or paths, or
    for a candidate without a slot.
    """
    _need_some(tries, paths)
    question = Question(
        name="route.public",
        rule="the public name never answers from the candidate before the first shift",
        limit=0,
        unit="answers",
        source=f"{asker.base_url.host} {', '.join(paths)}",
    )
    unnamed = 0
    for asked, path in enumerate(path for _ in range(tries) for path in paths):
        answer = ask(asker, path)
        if isinstance(answer, Cause):
            return (question.no_data(f"answer {asked + 1}: {answer.sentence}"),)
        told = identity_of(answer)
        if _is(told, candidate):
            return (question.failed(1, f"answer {asked + 1} at {path} came from the candidate: {told}", n=asked + 1),)
        unnamed += told.slot is None
    total = tries * len(paths)
    if unnamed:
        return (question.no_data(f"{unnamed} of {total} answers do not say who gave them"),)
    return (question.passed(0, f"none of {total} answers came from the candidate", n=total),)


def closed_to_the_public(
    askers: Sequence[httpx.Client], candidate: Identity, *, paths: Sequence[str] = DEFAULT_PATHS
) -> tuple[Observation, ...]:
    """`route.closed`: the test host, asked without the secret header or with a wrong one, never reaches the candidate.

    One asker per way to try. Whatever else answers is fine, an error answer of the load balancer above all; no
    answer at all is NO_DATA. Raises ValueError without askers or paths.
    """
    _need_some(len(askers), paths)
    observations = []
    for asker in askers:
        question = Question(
            name="route.closed",
            rule="the test route is not open to the public",
            limit=0,
            unit="answers",
            source=f"{asker.base_url.host} without the secret",
        )
        observations.append(_closed(asker, question, candidate=candidate, paths=paths))
    return tuple(observations)


def _closed(asker: httpx.Client, question: Question, *, candidate: Identity, paths: Sequence[str]) -> Observation:
    statuses = []
    for path in paths:
        answer = ask(asker, path)
        if isinstance(answer, Cause):
            return question.no_data(answer.sentence)
        told = identity_of(answer)
        if _is(told, candidate):
            return question.failed(1, f"{path} is open to the world: {told} answered {answer.status}")
        statuses.append(answer.status)
    return question.passed(0, f"answered {', '.join(map(str, statuses))} by others than the candidate", n=len(paths))


def _is(told: Identity, candidate: Identity) -> bool:
    """By slot, or by digest: a candidate under the wrong slot's name is still the candidate."""
    if candidate.slot is None:
        raise ValueError("the candidate must be named by its slot")
    by_digest = candidate.digest is not None and same_digest(told.digest, candidate.digest)
    return told.slot == candidate.slot or by_digest


def _need_some(count: int, paths: Sequence[str]) -> None:
    if count < 1 or not paths:
        raise ValueError("at least one try and one path are needed: nothing asked proves nothing")
