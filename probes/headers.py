"""Security headers as customers receive them, on good answers and on error answers alike (VAL-08)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import httpx

from probes.failures import Cause
from probes.header_rules import COOKIE_RULE, RULES, judge_cookies, values_of
from probes.http import Answer, ask, client
from probes.question import Question
from probes.target import Endpoint
from rollout.model import Observation

_REDIRECTS = (301, 302, 303, 307, 308)


@dataclass(frozen=True, kw_only=True)
class Page:
    """An answer to look at: how to get it, the status it must have, whether it must set a cookie.

    `options` are passed to the HTTP client (json, headers, ...).
    """

    path: str
    status: int = 200
    method: str = "GET"
    sets_cookie: bool = False
    options: dict[str, Any] = field(default_factory=dict)

    @property
    def label(self) -> str:
        """For a sentence: "GET /nowhere (404)"."""
        return f"{self.method} {self.path} ({self.status})"


def security_headers(asker: httpx.Client, pages: Sequence[Page]) -> tuple[Observation, ...]:
    """One observation per page and rule (`headers.hsts`, ...; `headers.cookies` where cookies are set).

    A page that answers with another status than declared is NO_DATA: the answers that should have been judged were
    not seen. Raises ValueError without pages.
    """
    if not pages:
        raise ValueError("security_headers needs at least one page: nothing looked at proves nothing")
    observations: list[Observation] = []
    for page in pages:
        answer = ask(asker, page.path, method=page.method, **page.options)
        observations.extend(_judge_page(page, answer, host=str(asker.base_url.host)))
    return tuple(observations)


def _judge_page(page: Page, answer: Answer | Cause, *, host: str) -> list[Observation]:
    source = f"{host} {page.label}"
    if isinstance(answer, Cause):
        question = Question(name="headers.answer", rule="the page answers", limit=page.status, source=source)
        return [question.failed(answer.kind, answer.sentence)]
    if answer.status != page.status:
        question = Question(
            name="headers.answer", rule="the page answers as declared", limit=page.status, source=source
        )
        message = f"answered {answer.status}, so the headers of a {page.status} were not seen"
        return [question.no_data(message, value=answer.status)]
    observations = []
    for rule in RULES:
        question = Question(name=rule.name, rule=rule.sentence, limit=rule.limit, source=source)
        finding = rule.judge(answer.headers)
        observations.append((question.passed if finding.holds else question.failed)(finding.value, finding.message))
    return [*observations, *_judge_cookies(page, answer, source=source)]


def _judge_cookies(page: Page, answer: Answer, *, source: str) -> list[Observation]:
    question = Question(name="headers.cookies", rule=COOKIE_RULE, source=source)
    finding = judge_cookies(answer.headers)
    if finding is not None:
        return [(question.passed if finding.holds else question.failed)(finding.value, finding.message)]
    return [question.no_data("no cookie was set though one is declared")] if page.sets_cookie else []


def redirects_to_https(endpoint: Endpoint, path: str = "/") -> tuple[Observation, ...]:
    """Plain HTTP on port 80 redirects to the same host on HTTPS (`headers.redirect`)."""
    question = Question(
        name="headers.redirect",
        rule="plain HTTP redirects to HTTPS on the same host",
        limit=f"https://{endpoint.host}",
        source=endpoint.url(path, scheme="http"),
    )
    with client(endpoint) as asker:
        answer = ask(asker, endpoint.url(path, scheme="http"))
    if isinstance(answer, Cause):
        return (question.failed(answer.kind, answer.sentence),)
    location = answer.header("location") or ""
    if answer.status not in _REDIRECTS or not location:
        served = "the page itself" if answer.status < 300 else f"a {answer.status}"
        hsts = "; HSTS on plain HTTP is ignored" if values_of(answer.headers, "strict-transport-security") else ""
        return (question.failed(answer.status, f"plain HTTP is answered with {served}, not with a redirect{hsts}"),)
    problem = _location_problem(location, endpoint.host)
    if problem:
        return (question.failed(location, f"the redirect to {location} {problem}"),)
    return (question.passed(location, f"answered {answer.status} to {location}"),)


def _location_problem(location: str, host: str) -> str:
    try:
        target = urlsplit(location)
        port = target.port
    except ValueError:
        return "cannot be read"
    if target.scheme != "https":
        return "is not HTTPS"
    if (target.hostname or "").lower() != host.lower():
        return "leads to another host"
    return "" if port in (None, 443) else "leads to another port"
