"""Every SQL statement on `items`, by version: what a version asks of the schema stands in one place."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Queries:
    """Statements with positional parameters; `columns` is what they return, in order.

    insert: id, owner, name, quantity, price_cents[, note]; read, delete: id, owner; page: owner, limit;
    page_after: owner, limit, id.
    """

    columns: tuple[str, ...]
    insert: str
    read: str
    page: str
    page_after: str
    delete: str


def of_version(version: str) -> Queries:
    """The statements of `version`; from 1.1.0 on an item may carry a note."""
    noted = tuple(int(part) for part in version.split(".")) >= (1, 1, 0)
    columns = ("id", "name", "quantity", "price_cents", "created_at", *(("note",) if noted else ()))
    shown = ", ".join(columns)
    written = ("id", "owner", "name", "quantity", "price_cents", *(("note",) if noted else ()))
    places = ", ".join(f"${place}" for place in range(1, len(written) + 1))
    of_owner = f"SELECT {shown} FROM items WHERE owner = $1"
    order = "ORDER BY created_at, id LIMIT $2"
    last = "(SELECT created_at, id FROM items WHERE owner = $1 AND id = $3)"
    return Queries(
        columns=columns,
        insert=f"INSERT INTO items ({', '.join(written)}) VALUES ({places}) RETURNING {shown}",
        read=f"SELECT {shown} FROM items WHERE id = $1 AND owner = $2",
        page=f"{of_owner} {order}",
        page_after=f"{of_owner} AND (created_at, id) > {last} {order}",
        delete="DELETE FROM items WHERE id = $1 AND owner = $2 RETURNING id",
    )
