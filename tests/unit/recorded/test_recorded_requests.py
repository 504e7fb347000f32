"""A request of a recording: what is read off the wire is what is written, and what is sent again."""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import parse_qsl, urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.errors import SandboxError
from sandbox.recorded.requests import FORM, JSON, TEXT, Request, read_environ, read_line

TEXTS = st.text(st.characters(codec="utf-8", exclude_characters="$"), max_size=12)
DOCUMENTS = st.recursive(
    TEXTS | st.integers() | st.booleans() | st.none(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=6,
)
BODIES = st.one_of(
    st.tuples(st.just(FORM), st.dictionaries(TEXTS, TEXTS, min_size=1, max_size=4)),
    st.tuples(st.just(JSON), st.dictionaries(TEXTS, DOCUMENTS, min_size=1, max_size=4)),
    st.tuples(st.just(TEXT), TEXTS.filter(lambda text: not text.startswith("{"))),
)


class Wire:
    """A WSGI application that keeps what it is asked."""

    def __init__(self) -> None:
        self.environ: Mapping[str, Any] = {}
        self.body = b""

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> list[bytes]:
        self.environ, self.body = environ, environ["wsgi.input"].read()
        start_response("200 OK", [])
        return [b"done"]


def _request(kind: str, body: Any, **more: Any) -> Request:
    return Request(service="kms", region="us-west-2", operation="CreateKey", kind=kind, body=body, **more)


@given(BODIES, st.sampled_from(["/", "/bucket/a%20key?versioning=", "/2013-04-01/hostedzone"]))
def test_a_line_says_it_all(given_body: tuple[str, Any], path: str) -> None:
    request = _request(*given_body, path=path, method="PUT", headers={"x-amz-target": "TrentService.CreateKey"})

    assert read_line(request.line()) == request or (not request.body and read_line(request.line()).body == "")
    assert "\n" not in request.line()


@given(BODIES)
def test_what_is_sent_reads_as_what_was_read(given_body: tuple[str, Any]) -> None:
    """Sent to a server that reads it as a recorder does, a request is the same: so is what follows from it."""
    kind, body = given_body
    wire = Wire()
    request = _request(kind, body, headers={"x-amz-target": "TrentService.CreateKey"})

    assert request.send(wire) == (200, b"done")
    again = read_environ(wire.environ, wire.body)
    assert (again.service, again.region, again.operation, again.kind, again.body) == (
        "kms",
        "us-west-2",
        "CreateKey",
        kind,
        body,
    )


@pytest.mark.parametrize(
    ("environ", "body", "operation", "headers"),
    [
        ({"CONTENT_TYPE": "application/x-www-form-urlencoded; charset=utf-8"}, b"Action=CreateVpc", "CreateVpc", {}),
        (
            {"HTTP_X_AMZ_TARGET": "Logs_20140328.CreateLogGroup", "CONTENT_TYPE": "application/x-amz-json-1.1"},
            b"{}",
            "CreateLogGroup",
            {"x-amz-target": "Logs_20140328.CreateLogGroup", "content-type": "application/x-amz-json-1.1"},
        ),
        (
            {"REQUEST_METHOD": "PUT", "RAW_URI": "/logs?acl=", "HTTP_X_AMZ_ACL": "private", "HTTP_X_AMZ_DATE": "now"},
            b"",
            "PUT /logs",
            {"x-amz-acl": "private"},
        ),
        (
            {"REQUEST_METHOD": "PUT", "RAW_URI": "/logs", "HTTP_X_AMZ_CHECKSUM_CRC32": "1", "HTTP_IF_NONE_MATCH": "*"},
            b"",
            "PUT /logs",
            {"if-none-match": "*"},
        ),
    ],
    ids=["form", "json", "what was signed when is left out", "sums are left out, conditions are not"],
)
def test_what_is_kept_of_a_call(environ: dict[str, str], body: bytes, operation: str, headers: dict[str, str]) -> None:
    scope = "AWS4-HMAC-SHA256 Credential=a/20261124/us-east-1/logs/aws4_request, SignedHeaders=host, Signature=0"
    found = read_environ({"REQUEST_METHOD": "POST", "HTTP_AUTHORIZATION": scope, **environ}, body)

    assert (found.operation, dict(found.headers)) == (operation, headers)
    assert (found.service, found.region) == ("logs", "us-east-1")


def test_an_unsigned_call_is_refused() -> None:
    with pytest.raises(SandboxError, match="names no service"):
        read_environ({"REQUEST_METHOD": "GET", "wsgi.input": io.BytesIO()}, b"")


def test_values_and_placeholders_change_places() -> None:
    """Nested, in path and body, and back."""
    secret = {"header": "s3cret"}
    request = _request(JSON, {"Rules": [{"Value": "x s3cret y"}], "Count": 2}, path="/s3cret")
    named = request.with_names(secret)

    assert (named.path, named.body) == ("/${header}", {"Rules": [{"Value": "x ${header} y"}], "Count": 2})
    assert named.filled(secret) == request
    with pytest.raises(SandboxError, match="header, and nobody gave a value"):
        named.filled({"other": "1"})


def test_what_looks_like_a_placeholder_is_not_recorded() -> None:
    """It would be filled, or asked for, at every replay."""
    with pytest.raises(SandboxError, match="looks like a placeholder"):
        _request(TEXT, "${mine}").with_names({})


def test_variables_of_policies_are_no_placeholders() -> None:
    request = _request(TEXT, "arn:aws:s3:::home/${aws:username}")

    assert request.with_names({}).filled({}) == request


@pytest.mark.parametrize("line", ["", "[]", "{}", '{"service": 1, "unknown": 2}', "{"])
def test_what_is_no_request_is_refused(line: str) -> None:
    with pytest.raises(SandboxError, match="no request"):
        read_line(line)


def test_a_form_is_sent_as_forms_are() -> None:
    wire = Wire()
    _request(FORM, {"Action": "CreateVpc", "Tag.1.Value": "a b&c"}).send(wire)

    assert dict(parse_qsl(wire.body.decode())) == {"Action": "CreateVpc", "Tag.1.Value": "a b&c"}
    assert urlencode({"Tag.1.Value": "a b&c"}).encode() in wire.body
    assert json.loads(json.dumps(wire.environ["CONTENT_TYPE"])) == "application/x-www-form-urlencoded"
