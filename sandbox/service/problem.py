"""Refusals as RFC 9457 problem documents; the one shape of all error answers."""

from __future__ import annotations

import json
from collections.abc import Mapping
from http import HTTPStatus

from starlette.responses import Response

PROBLEM_TYPE = "application/problem+json"


class RefusedError(Exception):
    """A request is refused: HTTP status, a sentence for the client, extra headers, extra members of the document."""

    def __init__(
        self,
        status: int,
        detail: str,
        *,
        headers: Mapping[str, str] | None = None,
        members: Mapping[str, object] | None = None,
        media_type: str = PROBLEM_TYPE,
    ) -> None:
        super().__init__(f"{status}: {detail}")
        self.status = status
        self.detail = detail
        self.headers = dict(headers or {})
        self.members = dict(members or {})
        self.media_type = media_type

    def response(self) -> Response:
        """The answer to send."""
        return Response(
            problem_body(self.status, self.detail, members=self.members),
            status_code=self.status,
            headers=self.headers,
            media_type=self.media_type,
        )


def problem_body(status: int, detail: str, *, members: Mapping[str, object] | None = None) -> bytes:
    """The document: type, title, status, detail, and the extra members."""
    document = {"type": "about:blank", "title": HTTPStatus(status).phrase, "status": status, "detail": detail}
    return json.dumps({**document, **(members or {})}).encode()


def unavailable(component: str, detail: str) -> RefusedError:
    """503 because a component that the answer needs is down."""
    return RefusedError(503, f"{component}: {detail}", headers={"retry-after": "1"}, members={"component": component})
