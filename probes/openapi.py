"""Whether an answer is what an OpenAPI 3.1 document promises (API-01)."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import quote, urlsplit

import httpx
from jsonschema import Draft202012Validator, FormatChecker
from jsonschema.exceptions import SchemaError, UnknownType, ValidationError
from referencing import Registry
from referencing.exceptions import Unresolvable
from referencing.jsonschema import DRAFT202012

from probes.failures import Cause
from probes.http import Answer, ask
from probes.question import Question
from rollout.model import Observation

_DOCUMENT = "urn:openapi"
_MOST_PROBLEMS = 5


class _UnlikeError(Exception):
    """The answer is unlike anything documented; the message is the finding."""


class UndocumentedError(LookupError):
    """The document does not say what this answer should look like; the message says what is missing."""


def matches(
    asker: httpx.Client, document: Mapping[str, Any], *, path: str, method: str = "GET", status: int | None = 200
) -> tuple[Observation, ...]:
    """`api.shape`: the answer at `path` has the shape that `document` (OpenAPI 3.1, parsed) promises for it.

    `status` is what must be answered; None accepts any documented one.
    """
    question = Question(
        name="api.shape",
        rule="the answer matches its OpenAPI schema",
        limit=[],
        source=f"{asker.base_url.host} {method} {path}",
    )
    answer = ask(asker, path, method=method)
    if isinstance(answer, Cause):
        return (question.failed(answer.kind, answer.sentence),)
    if status is not None and answer.status != status:
        return (question.failed(answer.status, f"answered {answer.status} instead of {status}"),)
    try:
        problems = problems_of(document, answer, path=path, method=method)
    except (UndocumentedError, Unresolvable, SchemaError, UnknownType) as error:
        return (question.no_data(f"the document does not decide: {error}", value=answer.status),)
    if problems:
        return (question.failed(list(problems), "; ".join(problems), n=1),)
    return (question.passed([], f"the {answer.status} answer has the documented shape", n=1),)


def problems_of(document: Mapping[str, Any], answer: Answer, *, path: str, method: str = "GET") -> tuple[str, ...]:
    """What is wrong with an answer, at most five sentences.

    Raises UndocumentedError when the document names no schema for it (or an empty one, which any answer meets).
    """
    body = answer.json()
    if body is None and answer.body.strip() != b"null":
        return (f"the body is not JSON (content type {answer.header('content-type')})",)
    registry: Registry[Any] = Registry().with_resource(_DOCUMENT, DRAFT202012.create_resource(dict(document)))
    try:
        pointer = _schema_pointer(document, registry, answer=answer, path=path, method=method.lower())
    except _UnlikeError as error:
        return (str(error),)
    validator = Draft202012Validator(
        {"$ref": f"{_DOCUMENT}#{quote(pointer, safe='/~')}"}, registry=registry, format_checker=FormatChecker()
    )
    errors = sorted(validator.iter_errors(body), key=lambda error: list(map(str, error.absolute_path)))
    return tuple(_sentence(error) for error in errors[:_MOST_PROBLEMS])


def _sentence(error: ValidationError) -> str:
    return f"{error.json_path}: {error.message[:200]}"


def _schema_pointer(
    document: Mapping[str, Any], registry: Registry[Any], *, answer: Answer, path: str, method: str
) -> str:
    template = find_template(tuple(document.get("paths", {})), urlsplit(path).path)
    if template is None or method not in document["paths"][template]:
        raise UndocumentedError(f"{method.upper()} {path} is not documented")
    responses = document["paths"][template][method].get("responses", {})
    code = next((key for key in _status_keys(answer.status) if key in responses), None)
    if code is None:
        raise UndocumentedError(f"a {answer.status} of {method.upper()} {path} is not documented")
    pointer = _pointer("paths", template, method, "responses", code)
    content_type = (answer.header("content-type") or "").partition(";")[0].strip().lower()
    response, pointer = _followed(registry, responses[code], pointer=pointer)
    if content_type not in response.get("content", {}):
        documented = ", ".join(response.get("content", {})) or "no body"
        raise _UnlikeError(f"content type {content_type or '(none)'} is not documented, only {documented}")
    schema = response["content"][content_type].get("schema")
    if not schema:
        raise UndocumentedError(f"the {code} answer of {method.upper()} {path} has no schema")
    return pointer + _pointer("content", content_type, "schema")


def _followed(registry: Registry[Any], response: Mapping[str, Any], *, pointer: str) -> tuple[Mapping[str, Any], str]:
    """A response object behind a reference of its own, and where it stands."""
    reference = response.get("$ref")
    if reference is None:
        return response, pointer
    if not reference.startswith("#/"):
        raise UndocumentedError(f"the reference {reference!r} leads outside the document")
    found = registry.resolver(_DOCUMENT).lookup(reference).contents
    return found, reference[1:]


def find_template(templates: Sequence[str], path: str) -> str | None:
    """The path template that a path belongs to; a literal one wins over one with parameters (OpenAPI 3.1 4.8.8)."""
    if path in templates:
        return path
    for template in templates:
        pattern = "".join(
            "[^/]+" if part.startswith("{") else re.escape(part) for part in re.split(r"({[^}]*})", template)
        )
        if re.fullmatch(pattern, path):
            return template
    return None


def _status_keys(status: int) -> tuple[str, ...]:
    return str(status), f"{status // 100}XX", "default"


def _pointer(*keys: str) -> str:
    return "".join("/" + key.replace("~", "~0").replace("/", "~1") for key in keys)
