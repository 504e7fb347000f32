"""What a known server answers: the paths of the service under release that visits use, with nothing behind them."""

from __future__ import annotations

import json
from itertools import count
from urllib.parse import parse_qs

TOKEN_PATH = "/oauth2/token"
ITEMS_PATH = "/api/v1/items"
CLIENT_ID = "known"
_SUBJECT = {"slot": "blue", "version": "1.0.0", "digest": "sha256:" + "0" * 64}


# Of a client that stays within its limit, whatever it does (draft-ietf-httpapi-ratelimit-headers-02).
_WITHIN_LIMIT = "x-rate-limit: ok\r\nratelimit-limit: 100\r\nratelimit-remaining: 99\r\nratelimit-reset: 1\r\n"


class Answers:
    """Whole HTTP/1.1 answers by method and path."""

    def __init__(self, *, login_fails: bool) -> None:
        self._login_fails = login_fails
        self._numbers = count(1)
        self._items: dict[str, bytes] = {}
        self._used: set[str] = set()
        self._pages = {
            "/": answer(200, {"status": "ok"}),
            "/health": answer(200, {"status": "ok", **_SUBJECT, "release": "0", "down": []}),
            "/api/v1/status": answer(200, {"status": "ok", **_SUBJECT, "time": "2026-01-01T00:00:00Z"}),
            "/api/v1/limited": answer(200, {"status": "ok", "slot": "blue"}, _WITHIN_LIMIT),
            "/api/v1/auth/verify": answer(200, {"active": True, "subject": CLIENT_ID, "client_id": CLIENT_ID}),
        }

    def to(self, method: str, path: str, body: bytes) -> bytes:
        """The answer to a request; 404 for a path that the service does not have."""
        path = path.partition("?")[0]
        if method == "GET" and path in self._pages:
            return self._pages[path]
        if method == "POST" and path == TOKEN_PATH:
            return self._token(body)
        if path.startswith(ITEMS_PATH):
            return self._item(method, path, body)
        return answer(404, {"detail": f"no {path} here"})

    def _token(self, body: bytes) -> bytes:
        if self._login_fails:
            return answer(401, {"error": "invalid_client", "error_description": "planted: the login fails"})
        for given in parse_qs(body.decode("latin-1")).get("refresh_token", []):
            if given in self._used:
                return answer(400, {"error": "invalid_grant", "error_description": "the refresh token is used"})
            self._used.add(given)
        number = next(self._numbers)
        document = {
            "access_token": f"known.access.{number}",
            "token_type": "Bearer",
            "expires_in": 900,
            "scope": "items:read items:write offline_access",
            "refresh_token": f"refresh-{number}",
        }
        return answer(200, document, "cache-control: no-store\r\n")

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


_REASONS = {200: "OK", 201: "Created", 400: "Bad Request", 401: "Unauthorized", 404: "Not Found", 500: "Server Error"}


def answer(status: int, document: object, headers: str = "") -> bytes:
    """A JSON answer on a connection that stays open; every header line of `headers` ends with CRLF."""
    body = json.dumps(document, separators=(",", ":")).encode()
    head = f"HTTP/1.1 {status} {_REASONS[status]}\r\ncontent-type: application/json\r\ncontent-length: {len(body)}\r\n"
    return f"{head}{headers}\r\n".encode() + body
