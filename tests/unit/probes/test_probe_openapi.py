"""API-01, the pure part: an answer against an OpenAPI document."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from probes.http import Answer
from probes.openapi import UndocumentedError, find_template, problems_of

STATUS = {"description": "ok", "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Status"}}}}
DOCUMENT: dict[str, Any] = {
    "openapi": "3.1.0",
    "paths": {
        "/api/v1/status": {"get": {"responses": {"200": STATUS, "5XX": {"$ref": "#/components/responses/Failed"}}}},
        "/items/{id}": {"get": {"responses": {"default": STATUS}}},
    },
    "components": {
        "schemas": {
            "Slot": {"enum": ["blue", "green"]},
            "Status": {
                "type": "object",
                "required": ["slot", "version", "time"],
                "properties": {
                    "slot": {"$ref": "#/components/schemas/Slot"},
                    "version": {"type": "string", "pattern": "^[0-9]+\\.[0-9]+\\.[0-9]+$"},
                    "time": {"type": "string", "format": "date-time"},
                    "note": {"type": ["string", "null"]},
                },
            },
        },
        "responses": {
            "Failed": {"description": "bad", "content": {"application/json": {"schema": {"type": "object"}}}}
        },
    },
}
GOOD = b'{"slot": "blue", "version": "1.0.0", "time": "2026-11-24T06:00:00Z", "note": null}'


def answer(body: bytes, status: int = 200, content_type: str = "application/json; charset=utf-8") -> Answer:
    """An answer with a body."""
    return Answer(url="u", status=status, headers=(("content-type", content_type),), body=body, seconds=0.0)


def test_a_good_answer_has_no_problems() -> None:
    """References are followed inside the document."""
    assert problems_of(DOCUMENT, answer(GOOD), path="/api/v1/status") == ()
    assert problems_of(DOCUMENT, answer(GOOD), path="/api/v1/status?x=1") == ()
    assert problems_of(DOCUMENT, answer(GOOD), path="/items/5") == ()
    assert problems_of(DOCUMENT, answer(b"{}", 503), path="/api/v1/status") == ()


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b'{"slot": "blue", "version": "1.0.0"}', "'time' is a required property"),
        (GOOD.replace(b"blue", b"red"), "$.slot: 'red' is not one of"),
        (GOOD.replace(b'"1.0.0"', b"1"), "$.version: 1 is not of type 'string'"),
        (GOOD.replace(b"2026-11-24T06:00:00Z", b"yesterday"), "is not a 'date-time'"),
        (b"null", "None is not of type 'object'"),
        (b"<html>", "not JSON"),
    ],
)
def test_what_is_wrong_is_said(body: bytes, says: str) -> None:
    """With the place in the body."""
    problems = problems_of(DOCUMENT, answer(body), path="/api/v1/status")

    assert says in problems[0]


def test_another_content_type_than_documented_is_a_problem() -> None:
    """Though the body would do."""
    (problem,) = problems_of(DOCUMENT, answer(GOOD, content_type="text/plain"), path="/api/v1/status")

    assert problem == "content type text/plain is not documented, only application/json"


@pytest.mark.parametrize(
    ("path", "method", "status", "says"),
    [
        ("/nowhere", "GET", 200, "GET /nowhere is not documented"),
        ("/api/v1/status", "POST", 200, "POST /api/v1/status is not documented"),
        ("/api/v1/status", "GET", 302, "a 302 of GET /api/v1/status is not documented"),
    ],
)
def test_what_the_document_leaves_open_is_not_decided(path: str, method: str, status: int, says: str) -> None:
    """An undocumented answer proves nothing either way."""
    with pytest.raises(UndocumentedError, match=says):
        problems_of(DOCUMENT, answer(GOOD, status), path=path, method=method)


def test_an_empty_schema_decides_nothing() -> None:
    """Any answer meets it, so it is no promise."""
    document = copy.deepcopy(DOCUMENT)
    document["paths"]["/api/v1/status"]["get"]["responses"]["200"] = {"content": {"application/json": {"schema": {}}}}

    with pytest.raises(UndocumentedError, match="no schema"):
        problems_of(document, answer(GOOD), path="/api/v1/status")


def test_a_reference_that_leads_outside_is_not_followed() -> None:
    """Nothing is fetched."""
    document = copy.deepcopy(DOCUMENT)
    document["paths"]["/api/v1/status"]["get"]["responses"]["200"] = {"$ref": "https://a.example/x.json"}

    with pytest.raises(UndocumentedError, match="outside"):
        problems_of(document, answer(GOOD), path="/api/v1/status")


@pytest.mark.parametrize(
    ("path", "template"),
    [
        ("/items/5", "/items/{id}"),
        ("/items/mine", "/items/mine"),
        ("/items/5/notes", None),
        ("/items/", None),
        ("/v1.0/x", "/v1.0/x"),
        ("/v1a0/x", None),
    ],
)
def test_templates(path: str, template: str | None) -> None:
    """Literal ones win; a parameter is one segment."""
    assert find_template(("/items/{id}", "/items/mine", "/v1.0/x"), path) == template
