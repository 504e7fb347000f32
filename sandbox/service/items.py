"""The core of the shop: items that a client creates, reads back, lists and deletes."""

from __future__ import annotations

import uuid
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from sandbox.service.body import check_fields, read_json, text, whole_number
from sandbox.service.database import Database
from sandbox.service.limits import RateLimits
from sandbox.service.live import Live
from sandbox.service.problem import RefusedError
from sandbox.service.queries import of_version
from sandbox.service.tokens import Tokens

PATH = "/api/v1/items"
NAME_LENGTH_MAX = 120
NOTE_LENGTH_MAX = 500
QUANTITY_MAX = 1_000_000
PRICE_CENTS_MAX = 1_000_000_000
PAGE_MAX = 100
PAGE_DEFAULT = 20

Work = Callable[[Request, str], Awaitable[Response]]


class Items:
    """The operations; every one needs a token and sees only what its subject owns."""

    def __init__(self, live: Live, store: Database, *, tokens: Tokens, limits: RateLimits) -> None:
        self._live = live
        self._store = store
        self._tokens = tokens
        self._limits = limits
        self._queries = of_version(live.settings.version)

    def routes(self) -> list[Route]:
        """Collection and single item."""
        one = PATH + "/{item_id}"
        return [
            Route(PATH, self._guarded("items:write", self._create), methods=["POST"]),
            Route(PATH, self._guarded("items:read", self._list), methods=["GET"]),
            Route(one, self._guarded("items:read", self._read), methods=["GET"]),
            Route(one, self._guarded("items:write", self._delete), methods=["DELETE"]),
        ]

    def _guarded(self, scope: str, work: Work) -> Callable[[Request], Awaitable[Response]]:
        async def page(request: Request) -> Response:
            claims = await self._tokens.of_request(request, scope=scope)
            headers = await self._limits.charge("items", f"id:{claims['client_id']}")
            response = await work(request, str(claims["sub"]))
            response.headers.update(headers)
            return response

        return page

    async def _create(self, request: Request, owner: str) -> Response:
        values = self._checked(await read_json(request))
        item_id = uuid.uuid4()
        arguments = (item_id, owner, *values)

        async def work(connection: Any) -> Mapping[str, Any]:
            if self._live.dials.items != "not_stored":
                row: Mapping[str, Any] = await connection.fetchrow(self._queries.insert, *arguments)
                return row
            transaction = connection.transaction()
            await transaction.start()
            row = await connection.fetchrow(self._queries.insert, *arguments)
            await transaction.rollback()
            return row

        row = await self._store.need(work)
        return JSONResponse(self._shown(row), status_code=201, headers={"location": f"{PATH}/{item_id}"})

    async def _read(self, request: Request, owner: str) -> Response:
        row = await self._store.need(lambda connection: connection.fetchrow(self._queries.read, _id(request), owner))
        return JSONResponse(self._shown(_found(row)))

    async def _delete(self, request: Request, owner: str) -> Response:
        item_id = _id(request)
        row = await self._store.need(lambda connection: connection.fetchrow(self._queries.delete, item_id, owner))
        _found(row)
        return Response(status_code=204)

    async def _list(self, request: Request, owner: str) -> Response:
        limit = _limit(request.query_params.get("limit"))
        after = request.query_params.get("after")
        if after is None:
            query: str = self._queries.page
            arguments: tuple[object, ...] = (owner, limit)
        else:
            query, arguments = self._queries.page_after, (owner, limit, _uuid(after, status=422))
        rows = await self._store.need(lambda connection: connection.fetch(query, *arguments))
        following = str(rows[-1]["id"]) if len(rows) == limit else None
        return JSONResponse({"items": [self._shown(row) for row in rows], "next": following})

    def _checked(self, document: Mapping[str, Any]) -> list[Any]:
        noted = "note" in self._queries.columns
        names = {"name", "quantity", "price_cents", *(("note",) if noted else ())}
        if self._live.dials.validation == "fails_on_odd_input" and not set(document) <= names:
            raise KeyError("planted by the dial validation")
        check_fields(document, frozenset(names))
        values: list[Any] = [
            text(document, "name", length_max=NAME_LENGTH_MAX),
            whole_number(document, "quantity", highest=QUANTITY_MAX),
            whole_number(document, "price_cents", highest=PRICE_CENTS_MAX),
        ]
        if noted:
            absent = document.get("note") is None
            values.append(None if absent else text(document, "note", length_max=NOTE_LENGTH_MAX))
        return values

    def _shown(self, row: Mapping[str, Any]) -> dict[str, Any]:
        values = {name: row[name] for name in self._queries.columns}
        return {**values, "id": str(row["id"]), "created_at": row["created_at"].isoformat()}


def _found(row: Mapping[str, Any] | None) -> Mapping[str, Any]:
    if row is None:
        raise RefusedError(404, "there is no such item of yours")
    return row


def _id(request: Request) -> uuid.UUID:
    return _uuid(request.path_params["item_id"], status=404)


def _uuid(value: str, *, status: int) -> uuid.UUID:
    try:
        return uuid.UUID(value)
    except ValueError as error:
        detail = "there is no such item of yours" if status == 404 else "after must be the id of an item"
        raise RefusedError(status, detail) from error


def _limit(value: str | None) -> int:
    if value is None:
        return PAGE_DEFAULT
    if not (value.isascii() and value.isdigit() and len(value) <= 3 and 1 <= int(value) <= PAGE_MAX):
        raise RefusedError(422, f"limit must be a whole number from 1 to {PAGE_MAX}")
    return int(value)
