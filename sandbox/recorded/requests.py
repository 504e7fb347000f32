"""One request of a recording: read off the wire, written as a line, filled in and sent.

A line is a JSON object. The body is kept as what it holds rather than as bytes (`form`, `json` or `text`), so that a
reader of a diff sees which setting changed; what is the same in most requests (POST to /) is left out. Values that must
not stand in a file are named: `${test_header_value}`.
"""

from __future__ import annotations

import io
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import parse_qsl, unquote, urlencode

from sandbox.cloud.server import call
from sandbox.errors import SandboxError

FORM, JSON, TEXT = "form", "json", "text"
_SCOPE = re.compile(r"Credential=[^/]+/\d+/(?P<region>[^/]+)/(?P<service>[^/]+)/")
_FORM_TYPE = "application/x-www-form-urlencoded"
_PLACEHOLDER = re.compile(r"\$\{(?P<name>[a-z_]+)\}")
# How a caller signed, tried again and checked sums says nothing about what was asked.
_KEPT_HEADERS = re.compile(r"^x-amz-(?!date|content-sha256|checksum-|sdk-|security-token|trailer|decoded)|^if-")
_AGENT = "Botocore/0 sandbox-replay"  # as a client of boto3 that names itself; see sandbox.cloud.operations

Application = Callable[[dict[str, Any], Callable[..., Any]], Any]  # WSGI


@dataclass(frozen=True, kw_only=True)
class Request:
    """What was asked of one service (its signing name) in one region. `body` is a dictionary, or text."""

    service: str
    region: str
    operation: str
    method: str = "POST"
    path: str = "/"  # with the query, as sent
    headers: Mapping[str, str] = field(default_factory=dict)
    kind: str = TEXT
    body: Any = ""

    def line(self) -> str:
        """As it is written in a recording, without the end of the line."""
        document: dict[str, Any] = {"service": self.service, "operation": self.operation, "region": self.region}
        for name, usual in (("method", "POST"), ("path", "/"), ("headers", {})):
            value = getattr(self, name)
            if value != usual:
                document[name] = dict(value) if name == "headers" else value
        if self.body:
            document[self.kind] = self.body
        return json.dumps(document, ensure_ascii=False)

    def filled(self, values: Mapping[str, str]) -> Request:
        """The same with every placeholder replaced. Raises SandboxError for one without a value."""
        return replace(self, path=filled(self.path, values), body=filled(self.body, values))

    def with_names(self, values: Mapping[str, str]) -> Request:
        """The same with a placeholder for each of these values. Raises SandboxError where something looks like one."""
        if _PLACEHOLDER.search(self.line()):
            raise SandboxError(f"{self.service} {self.operation} holds what looks like a placeholder of a recording")
        return self.with_values({value: f"${{{name}}}" for name, value in values.items()})

    def with_values(self, changes: Mapping[str, str]) -> Request:
        """The same with these texts replaced, wherever they stand in path or body."""

        def change(text: str) -> str:
            for before, after in changes.items():
                text = text.replace(before, after)
            return text

        return replace(self, path=change(self.path), body=mapped(self.body, change))

    def send(self, application: Application) -> tuple[int, bytes]:
        """Ask a WSGI application; status and body of its answer."""
        line, _, body = call(application, self._environ())
        return int(line.split(" ", 1)[0]), body

    def _environ(self) -> dict[str, Any]:
        path, _, query = self.path.partition("?")
        body = self._encoded()
        headers = {f"HTTP_{name.upper().replace('-', '_')}": value for name, value in self.headers.items()}
        headers["CONTENT_TYPE"] = headers.pop("HTTP_CONTENT_TYPE", _FORM_TYPE if self.kind == FORM else "")
        credential = f"sandbox/20000101/{self.region}/{self.service}/aws4_request"
        return {
            **headers,
            "REQUEST_METHOD": self.method,
            "PATH_INFO": unquote(path, "latin-1"),  # PEP 3333: bytes in a text
            "RAW_URI": self.path,
            "QUERY_STRING": query,
            "SERVER_NAME": "127.0.0.1",
            "SERVER_PORT": "80",
            "SERVER_PROTOCOL": "HTTP/1.1",
            "HTTP_HOST": "127.0.0.1",
            "HTTP_USER_AGENT": _AGENT,
            "HTTP_AUTHORIZATION": f"AWS4-HMAC-SHA256 Credential={credential}, SignedHeaders=host, Signature=0",
            "CONTENT_LENGTH": str(len(body)),
            "wsgi.url_scheme": "http",
            "wsgi.input": io.BytesIO(body),
            "wsgi.input_terminated": True,
            "wsgi.errors": io.StringIO(),
            "wsgi.version": (1, 0),
            "wsgi.multithread": True,
            "wsgi.multiprocess": False,
            "wsgi.run_once": False,
            "SCRIPT_NAME": "",
        }

    def _encoded(self) -> bytes:
        if self.kind == FORM:
            return urlencode(self.body).encode()
        return json.dumps(self.body).encode() if self.kind == JSON else str(self.body).encode()


def read_line(line: str) -> Request:
    """The other way round of `Request.line`. Raises SandboxError for what is no request."""
    try:
        document = json.loads(line)
        kind = next((one for one in (FORM, JSON) if one in document), TEXT)
        body = document.pop(kind, "")
        return Request(**document, kind=kind, body=body)
    except (ValueError, TypeError, AttributeError) as error:
        raise SandboxError(f"a line of the recording is no request: {error}", "Record anew: make record") from error


def read_environ(environ: Mapping[str, Any], body: bytes) -> Request:
    """The request that a WSGI server received. Raises SandboxError for one that nobody signed."""
    scope = _SCOPE.search(environ.get("HTTP_AUTHORIZATION", ""))
    if scope is None:
        raise SandboxError("a request without a signature cannot be recorded: it names no service")
    kind, content = _content(environ.get("CONTENT_TYPE", ""), body)
    headers = {name[5:].lower().replace("_", "-"): str(value) for name, value in environ.items() if name[:5] == "HTTP_"}
    kept = {name: value for name, value in sorted(headers.items()) if _KEPT_HEADERS.match(name)}
    if kind != FORM and body and environ.get("CONTENT_TYPE"):
        kept["content-type"] = str(environ["CONTENT_TYPE"])
    path = str(environ.get("RAW_URI") or environ.get("REQUEST_URI") or "/")
    return Request(
        service=scope["service"],
        region=scope["region"],
        operation=_operation(environ, content if kind == FORM else {}, path=path),
        method=str(environ["REQUEST_METHOD"]),
        path=path,
        headers=kept,
        kind=kind,
        body=content,
    )


def _content(content_type: str, body: bytes) -> tuple[str, Any]:
    text = body.decode()
    if content_type.startswith(_FORM_TYPE):
        return FORM, dict(parse_qsl(text, keep_blank_values=True, strict_parsing=True))
    if text.startswith("{"):
        return JSON, json.loads(text)
    return TEXT, text


def _operation(environ: Mapping[str, Any], form: Mapping[str, str], *, path: str) -> str:
    target = str(environ.get("HTTP_X_AMZ_TARGET", ""))
    return target.rsplit(".", 1)[-1] or form.get("Action") or f"{environ['REQUEST_METHOD']} {path.partition('?')[0]}"


def filled(value: Any, values: Mapping[str, str]) -> Any:
    """A document with every placeholder replaced. Raises SandboxError for one without a value."""

    def value_of(found: re.Match[str]) -> str:
        if found["name"] not in values:
            raise SandboxError(f"the recording asks for {found['name']}, and nobody gave a value")
        return values[found["name"]]

    return mapped(value, lambda text: _PLACEHOLDER.sub(value_of, text))


def mapped(value: Any, change: Callable[[str], str]) -> Any:
    """A document with every text in it changed; names of members stay."""
    if isinstance(value, str):
        return change(value)
    if isinstance(value, Mapping):
        return {key: mapped(item, change) for key, item in value.items()}
    return [mapped(item, change) for item in value] if isinstance(value, list) else value
