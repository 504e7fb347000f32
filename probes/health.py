"""The five health endpoints (HEALTH-01..05, DUR-02) and the reader that verifies a rollback (RB-03).

Expected bodies (JSON objects): /health {status, slot, version}; /health/detailed {components: {name: {status}}};
/health/<component> {status, checks: {what was tried: "ok" or why not}}.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import httpx

from probes.failures import Cause
from probes.http import Answer, ask
from probes.identity import Identity, named_in_body
from probes.question import Question
from probes.waiting import Tries
from rollout.model import Observation

_UP = ("ok", "up", "pass", "healthy")
# "degraded": served without something that is not essential; the component's own endpoint is red then.
_SERVING = (*_UP, "degraded")


def basic(
    asker: httpx.Client, expected: Identity, *, limit_seconds: float = 1.0, path: str = "/health"
) -> tuple[Observation, ...]:
    """`health.status`, `health.seconds`, `health.identity`: 200, in time, body names who is expected (HEALTH-01)."""
    source = f"{asker.base_url.host} {path}"
    status = Question(
        name="health.status", rule="/health answers 200 and says that it is well", limit=200, source=source
    )
    answer = ask(asker, path)
    if isinstance(answer, Cause):
        return (status.failed(answer.kind, answer.sentence),)
    return (
        _judge_status(status, answer),
        _judge_seconds(answer, source, limit_seconds=limit_seconds),
        _judge_who(answer, expected),
    )


def _judge_status(question: Question, answer: Answer) -> Observation:
    said = answer.mapping().get("status")
    if answer.status != 200:
        return question.failed(answer.status, f"answered {answer.status}, saying {said!r}{_reasons(answer)}")
    if said not in _SERVING:
        return question.failed(answer.status, f"answered 200, but its status is {said!r}")
    return question.passed(answer.status, f"answered 200, saying {said!r}")


def _judge_seconds(answer: Answer, source: str, *, limit_seconds: float, name: str = "health.seconds") -> Observation:
    question = Question(
        name=name, rule="the answer takes less than the limit", limit=limit_seconds, unit="s", source=source
    )
    slow = answer.seconds >= limit_seconds
    message = f"answered in {answer.seconds:.3f} s, limit {limit_seconds:g} s"
    return (question.failed if slow else question.passed)(answer.seconds, f"too slow: {message}" if slow else message)


def _judge_who(answer: Answer, expected: Identity) -> Observation:
    question = Question(
        name="health.identity",
        rule="the body names the expected slot and version",
        limit=str(expected),
        source=answer.url,
    )
    told = named_in_body(answer)
    problem = told.differs_from(expected)
    if problem:
        return question.failed(str(told), f"another one answers: {problem}")
    return question.passed(str(told), f"answered by {told}")


def component(
    asker: httpx.Client, name: str, *, tried: Sequence[str] = (), limit_seconds: float | None = None
) -> tuple[Observation, ...]:
    """`health.<name>`: the component's endpoint answers 200, says up, and has really tried all of `tried`.

    For a database `tried` is ("read", "write"). `limit_seconds` adds `health.<name>.seconds`.
    """
    path = f"/health/{name}"
    question = Question(
        name=f"health.{name}",
        rule=f"{path} answers 200, up" + (f", having tried {' and '.join(tried)}" if tried else ""),
        limit=200,
        source=f"{asker.base_url.host} {path}",
    )
    answer = ask(asker, path)
    if isinstance(answer, Cause):
        return (question.failed(answer.kind, answer.sentence),)
    observation = _judge_component(question, answer, tried=tried)
    if limit_seconds is None:
        return (observation,)
    return observation, _judge_seconds(
        answer, question.source, limit_seconds=limit_seconds, name=f"health.{name}.seconds"
    )


def _judge_component(question: Question, answer: Answer, *, tried: Sequence[str]) -> Observation:
    said, checks = answer.mapping().get("status"), _checks(answer)
    if answer.status != 200:
        return question.failed(answer.status, f"answered {answer.status}, saying {said!r}{_reasons(answer)}")
    if said not in _UP:
        return question.failed(answer.status, f"answered 200 though its status is {said!r}{_reasons(answer)}")
    missing = [what for what in tried if what not in checks]
    if missing:
        return question.failed(answer.status, f"says {said!r} without having tried {' and '.join(missing)}")
    bad = [f"{what}: {outcome}" for what, outcome in checks.items() if outcome != "ok"]
    if bad:
        return question.failed(answer.status, f"says {said!r} though {'; '.join(bad)}")
    return question.passed(answer.status, f"up; tried {', '.join(checks) or 'nothing that it names'}")


def _checks(answer: Answer) -> Mapping[str, str]:
    checks = answer.mapping().get("checks")
    return {str(what): str(outcome) for what, outcome in checks.items()} if isinstance(checks, dict) else {}


def _reasons(answer: Answer) -> str:
    bad = [f"{what}: {outcome}" for what, outcome in _checks(answer).items() if outcome != "ok"]
    down = answer.mapping().get("down")
    named = [f"down: {', '.join(map(str, down))}"] if isinstance(down, list) and down else []
    return f" ({'; '.join(bad + named)})" if bad or named else ""


def answers_in_time(asker: httpx.Client, path: str, *, limit_seconds: float) -> tuple[Observation, ...]:
    """`health.bounded`: whatever it says, the endpoint answers within the limit (a hanging dependency, HEALTH-05)."""
    question = Question(
        name="health.bounded",
        rule=f"{path} answers within its bound whatever its dependencies do",
        limit=limit_seconds,
        unit="s",
        source=f"{asker.base_url.host} {path}",
    )
    answer = ask(asker, path, timeout=limit_seconds + 1.0)
    if isinstance(answer, Cause):
        return (question.failed(answer.kind, f"hangs or fails: {answer.sentence}"),)
    message = f"answered {answer.status} in {answer.seconds:.3f} s{_reasons(answer)}"
    return ((question.failed if answer.seconds >= limit_seconds else question.passed)(answer.seconds, message),)


def detailed(asker: httpx.Client, declared: Sequence[str]) -> tuple[Observation, ...]:
    """`health.detailed.<component>` for each declared one and each extra one: reported, up, and its endpoint agrees.

    A disagreement counts only if it is there again on a second look: a component may change in between.
    """
    first = _detailed_once(asker, declared)
    if not any(observation.value == _DISAGREES for observation in first):
        return first
    return _detailed_once(asker, declared)


_DISAGREES = "disagrees"


def _detailed_once(asker: httpx.Client, declared: Sequence[str]) -> tuple[Observation, ...]:
    path = "/health/detailed"
    source = f"{asker.base_url.host} {path}"
    answer = ask(asker, path)
    overall = Question(name="health.detailed", rule="each declared component is reported and up", source=source)
    if isinstance(answer, Cause):
        return (overall.failed(answer.kind, answer.sentence),)
    reported = answer.mapping().get("components")
    if not isinstance(reported, dict):
        return (overall.failed(answer.status, f"answered {answer.status} without an object of components"),)
    names = [*declared, *(name for name in reported if name not in declared)]
    if not names:
        return (overall.no_data("no component is declared and none is reported"),)
    return tuple(
        _judge_reported(
            overall.named(f"health.detailed.{name}"), _status_in(reported, name), single=_single_says(asker, name)
        )
        for name in names
    )


def _status_in(reported: Mapping[str, object], name: str) -> object:
    entry = reported.get(name)
    return entry.get("status") if isinstance(entry, dict) else entry


def _single_says(asker: httpx.Client, name: str) -> str:
    """ "up", "down", or "" when there is no such endpoint."""
    answer = ask(asker, f"/health/{name}")
    if isinstance(answer, Cause):
        return "down"
    if answer.status == 404:
        return ""
    return "up" if answer.status == 200 and answer.mapping().get("status") in _UP else "down"


def _judge_reported(question: Question, said: object, *, single: str) -> Observation:
    name = question.name.rpartition(".")[2]
    if said is None:
        return question.failed(None, f"component {name} is left out")
    if said in _UP and single == "down":
        return question.failed(_DISAGREES, f"says {name} is {said} while /health/{name} says down")
    if said not in _UP and single == "up":
        return question.failed(_DISAGREES, f"says {name} is {said} while /health/{name} says up")
    if said not in _UP:
        return question.failed(said, f"component {name} is {said}")
    return question.passed(said, f"{name} is {said}{', and its own endpoint agrees' if single else ''}")


def honest(asker: httpx.Client, required: Sequence[str]) -> tuple[Observation, ...]:
    """`health.honest`: /health is not 200 while a required component's own endpoint says down (DUR-02)."""
    question = Question(
        name="health.honest",
        rule="/health does not answer 200 while a required component is down",
        source=f"{asker.base_url.host} /health",
    )
    answer = ask(asker, "/health")
    if isinstance(answer, Cause):
        return (question.no_data(answer.sentence),)
    down = [name for name in required if _single_says(asker, name) == "down"]
    if down and answer.status == 200:
        return (question.failed(down, f"/health answers 200 while down: {', '.join(down)}"),)
    return (question.passed(down, f"/health answers {answer.status}; required components down: {len(down)}"),)


def several_in_a_row(
    asker: httpx.Client, expected: Identity, *, times: int = 3, tries: Tries | None = None, path: str = "/health"
) -> tuple[Observation, ...]:
    """`health.verified`: the expected slot and version answer 200 and well, `times` times without a break (RB-03).

    `tries` bounds it (every 2 s for 60 s by default); the client's timeout bounds each. Raises ValueError for
    times < 1.
    """
    if times < 1:
        raise ValueError("several_in_a_row needs at least one time")
    polls = tries or Tries(deadline_seconds=60.0, interval_seconds=2.0)
    question = Question(
        name="health.verified",
        rule=f"{expected} answers well {times} times in a row",
        limit=times,
        unit="answers",
        source=f"{asker.base_url.host} {path}",
        window_seconds=polls.deadline_seconds,
    )
    streak, best, asked, problem = 0, 0, 0, ""
    for number in polls:
        asked = number + 1
        seen = _not_verified(ask(asker, path), expected)
        streak, problem = (0, seen) if seen else (streak + 1, problem)
        best = max(best, streak)
        if streak == times:
            return (
                question.passed(streak, f"verified after {polls.elapsed_seconds:.1f} s and {asked} tries", n=asked),
            )
    message = f"NOT verified: at best {best} in a row in {asked} tries; the last trouble: {problem or 'time was up'}"
    return (question.failed(best, message, n=asked),)


def _not_verified(answer: Answer | Cause, expected: Identity) -> str:
    if isinstance(answer, Cause):
        return answer.sentence
    said = answer.mapping().get("status")
    if answer.status != 200 or said not in _SERVING:
        return f"answered {answer.status}, saying {said!r}{_reasons(answer)}"
    return named_in_body(answer).differs_from(expected)
