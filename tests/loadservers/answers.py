"""What a known server answers: the paths of the service under release that visits use, with nothing behind them."""

from __future__ import annotations

import json
from itertools import count

TOKEN_PATH = "/oauth2/token"
ITEMS_PATH = "/api/v1/items"
_SUBJECT = {"slot": "blue", "version": "1.0.0", "digest": "sha256:" + "0" * 64}


class Answers:
    """Whole HTTP/1.1 answers by method and path."""

    def __init__(self, *, login_fails: bool) -> None:
        self._login_fails = login_fails
        self._numbers = count(1)
        self._items: dict[str, bytes] = {}
        self._pages = {
            "/": answer(200, {"status": "ok"}),
            "/health": answer(200, {"status": "ok", **_SUBJECT, "release": "0", "down": []}),
            "/api/v1/status": answer(200, {"status": "ok", **_SUBJECT, "time": "2026-01-01T00:00:00Z"}),
            "/api/v1/limited": answer(200, {"status": "ok", "slot": "blue"}),
            "/api/v1/auth/verify": answer(
                200, {"active": True, "subject": "shop", "client_id": "shop", "scope": "items:read items:write"}
            ),
        }

    def to(self, method: str, path: str, body: bytes) -> bytes:
        """The answer to a request; 404 for a path that the service does not have."""
        path = path.partition("?")[0]
        if method == "GET" and path in self._pages:
            return self._pages[path]
        if method == "POST" and path == TOKEN_PATH:
            return self._token()
        if path.startswith(ITEMS_PATH):
            return self._item(method, path, body)
        return answer(404, {"detail": f"no {path} here"})

    def _token(self) -> bytes:
        if self._login_fails:
            return answer(401, {"error": "invalid_client", "error_description": "planted: the login fails"})
        number = next(self._numbers)
        return answer(
            200,
            {
                "access_token": f"access-{number}",
                "token_type": "Bearer",
                "expires_in": 900,
                "scope": "items:read items:write offline_access",
                "refresh_token": f"refresh-{number}",
            },
        )

    def _item(self, method: str, path: str, body: bytes) -> bytes:
        if method == "POST" and path == ITEMS_PATH:
            place = f"00000000-0000-4000-8000-{next(self._numbers):012d}"
            item = {**json.loads(body), "id": place, "created_at": "2026-01-01T00:00:00+00:00"}
            self._items[place] = answer(200, item)
            return answer(201, item, f"location: {ITEMS_PATH}/{place}\r\n")
        place = path.rpartition("/")[2]
        found = self._items.pop(place, None) if method == "DELETE" else self._items.get(place)
        if found is None:
            return answer(404, {"detail": "there is no such item of yours"})
        return found if method == "GET" else b"HTTP/1.1 204 No Content\r\n\r\n"


_REASONS = {200: "OK", 201: "Created", 401: "Unauthorized", 404: "Not Found", 500: "Internal Server Error"}


def answer(status: int, document: object, headers: str = "") -> bytes:
    """A JSON answer on a connection that stays open; every header line of `headers` ends with CRLF."""
    body = json.dumps(document, separators=(",", ":")).encode()
    head = f"HTTP/1.1 {status} {_REASONS[status]}\r\ncontent-type: application/json\r\ncontent-length: {len(body)}\r\n"
    return f"{head}{headers}\r\n".encode() + body
