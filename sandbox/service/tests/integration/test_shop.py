"""Items and sessions against the real database and cache, odd input included."""

from __future__ import annotations

import uuid
from typing import Any

import pytest

from sandbox.service.plain import document
from sandbox.service.tests.declared import undeclared
from sandbox.service.tests.inside import InProcess
from sandbox.service.tests.support import World

ITEMS = "/api/v1/items"
TEA = {"name": "Tea \U0001f375", "quantity": 3, "price_cents": 499}


def test_a_written_item_is_read_back_listed_and_deleted(inside: InProcess) -> None:
    """The journey at the core of the shop."""
    bearer = inside.bearer()
    created = inside.request("POST", ITEMS, json=TEA, headers=bearer)
    place = created.headers["location"]
    read = inside.get(place, headers=bearer)
    listed = inside.get(ITEMS, params={"limit": 100}, headers=bearer).json()["items"]
    deleted = inside.request("DELETE", place, headers=bearer)

    assert (created.status_code, read.status_code, deleted.status_code) == (201, 200, 204)
    assert TEA.items() <= read.json().items()
    assert read.json() in listed
    assert inside.get(place, headers=bearer).status_code == 404


def test_pages_follow_each_other_without_gap(inside: InProcess) -> None:
    """By the id of the last item."""
    bearer = inside.bearer()
    made = [inside.request("POST", ITEMS, json=TEA, headers=bearer).json()["id"] for _ in range(3)]
    seen: list[str] = []
    after: dict[str, str] = {}
    while True:
        page = inside.get(ITEMS, params={"limit": "2", **after}, headers=bearer).json()
        seen += [item["id"] for item in page["items"]]
        if page["next"] is None:
            break
        after = {"after": page["next"]}

    assert [item for item in seen if item in made] == made
    assert len(seen) == len(set(seen))
    for item in seen:
        inside.request("DELETE", f"{ITEMS}/{item}", headers=bearer)


def test_the_versions_live_with_each_others_rows(inside: InProcess, shop: World) -> None:
    """1.1.0 writes notes; 1.0.0, which has none, still reads, lists and deletes such rows."""
    with InProcess(shop, "green", version="1.1.0") as newer:
        bearer = newer.bearer()
        place = newer.request("POST", ITEMS, json={**TEA, "note": "strong"}, headers=bearer).headers["location"]
        without = newer.request("POST", ITEMS, json=TEA, headers=bearer)

        assert newer.get(place, headers=bearer).json()["note"] == "strong"
        assert without.json()["note"] is None
        assert "note" not in inside.get(place, headers=bearer).json()
        assert inside.request("POST", ITEMS, json={**TEA, "note": "x"}, headers=bearer).status_code == 422
        for item in (place, without.headers["location"]):
            assert inside.request("DELETE", item, headers=bearer).status_code == 204


def test_a_token_opens_only_what_its_scope_names(inside: InProcess) -> None:
    """Reading is not writing, and other people's items do not exist."""
    reader = inside.bearer(scope="items:read")

    assert inside.request("POST", ITEMS, json=TEA, headers=reader).status_code == 403
    assert inside.get(f"{ITEMS}/{uuid.uuid4()}", headers=reader).status_code == 404
    assert inside.get(ITEMS).status_code == 401


JSON = {"content-type": "application/json"}
ODD: dict[str, dict[str, Any]] = {
    "NUL byte": {"json": {**TEA, "name": "a\x00b"}},
    "lone surrogate": {"content": b'{"name":"\\ud800","quantity":1,"price_cents":1}', "headers": JSON},
    "huge number": {"content": b'{"name":"a","quantity":' + b"9" * 6000 + b',"price_cents":1}', "headers": JSON},
    "number too large": {"json": {**TEA, "quantity": 2**63}},
    "infinity": {"content": b'{"name":"a","quantity":Infinity,"price_cents":1}', "headers": JSON},
    "a float": {"json": {**TEA, "quantity": 1.5}},
    "a truth value": {"json": {**TEA, "quantity": True}},
    "negative": {"json": {**TEA, "price_cents": -1}},
    "empty name": {"json": {**TEA, "name": ""}},
    "long name": {"json": {**TEA, "name": "x" * 121}},
    "null name": {"json": {**TEA, "name": None}},
    "unknown member": {"json": {**TEA, "\x00": 1}},
    "a list": {"json": [1]},
    "deep nesting": {"content": b"[" * 60000, "headers": JSON},
    "not UTF-8": {"content": b'{"name":"\xff"}', "headers": JSON},
    "UTF-16": {"content": '{"name":"a"}'.encode("utf-16"), "headers": JSON},
    "no body": {"content": b"", "headers": JSON},
    "cut off": {"content": b'{"name":', "headers": JSON},
    "no content type": {"content": b"{}"},
    "another content type": {"content": b"<a/>", "headers": {"content-type": "text/xml"}},
    "too large": {"content": b" " * 70000, "headers": JSON},
}


@pytest.mark.parametrize("kind", sorted(ODD))
def test_odd_input_is_refused_in_a_declared_shape(inside: InProcess, kind: str) -> None:
    """Never accepted, never a 500."""
    options = {**ODD[kind], "headers": {**ODD[kind].get("headers", {}), **inside.bearer()}}
    answer = inside.request("POST", ITEMS, **options)

    assert answer.status_code in (400, 413, 415, 422)
    assert undeclared(document("1.0.0"), ITEMS, answer=answer) == ""


@pytest.mark.parametrize("query", ["limit=0", "limit=101", "limit=a", "limit=%00", "limit=%D9%A3", "after=x"])
def test_an_odd_query_is_refused_in_a_declared_shape(inside: InProcess, query: str) -> None:
    """Arabic digits are digits to Python, but not to the document."""
    answer = inside.get(f"{ITEMS}?{query}", headers=inside.bearer())

    assert answer.status_code == 422
    assert undeclared(document("1.0.0"), ITEMS, answer=answer) == ""


@pytest.mark.parametrize("seconds", ["-1", "5.1", "nan", "inf", "1e999", "soon", ""])
def test_waiting_is_bounded(inside: InProcess, seconds: str) -> None:
    """Nobody may hold a request for long."""
    assert inside.get("/api/v1/slow", params={"seconds": seconds}).status_code == 422


def test_planted_defects_of_the_core_show(inside: InProcess) -> None:
    """A write that is not stored; a 500 on odd input, logged as not planted by chance but by code."""
    bearer = inside.bearer()
    inside.turn(items="not_stored")
    created = inside.request("POST", ITEMS, json=TEA, headers=bearer)
    assert (created.status_code, inside.get(created.headers["location"], headers=bearer).status_code) == (201, 404)
    inside.turn(validation="fails_on_odd_input")
    failed = inside.request("POST", ITEMS, json={**TEA, "x": 1}, headers={**bearer, "x-request-id": "odd-1"})
    assert failed.status_code == 500
    assert undeclared(document("1.0.0"), ITEMS, answer=failed) == ""
    assert '"odd-1"' in inside.settings.log_file.read_text()


def test_a_session_goes_on_on_the_other_slot(inside: InProcess, shop: World) -> None:
    """Both ways, basket included, until it is signed out."""
    cookie = inside.sign_in("Ann")
    with InProcess(shop, "green", version="1.1.0") as green:
        filled = green.request("PUT", "/api/v1/session", json={"basket": ["i-1"]}, headers=cookie)
        seen = inside.get("/api/v1/session", headers=cookie)
        inside.request("DELETE", "/api/v1/session", headers=cookie)

        assert (filled.status_code, seen.status_code) == (200, 200)
        assert tuple(seen.json()[name] for name in ("customer", "basket", "signed_in_slot")) == ("Ann", ["i-1"], "blue")
        assert green.get("/api/v1/session", headers=cookie).status_code == 401


def test_a_changed_session_format_signs_customers_out(inside: InProcess, shop: World) -> None:
    """The planted defect, both ways."""
    with InProcess(shop, "green") as green:
        green.turn(session_format="changed")
        theirs, ours = green.sign_in(), inside.sign_in()

        assert green.get("/api/v1/session", headers=theirs).status_code == 200
        assert inside.get("/api/v1/session", headers=theirs).status_code == 401
        assert green.get("/api/v1/session", headers=ours).status_code == 401


def test_the_cookie_is_kept_from_scripts_strangers_and_plain_http(inside: InProcess) -> None:
    """And the planted defect drops one of the three."""
    made = inside.request("POST", "/api/v1/session", json={"customer": "Ann"}).headers["set-cookie"]
    inside.turn(headers="cookie_insecure")
    planted = inside.request("POST", "/api/v1/session", json={"customer": "Ann"}).headers["set-cookie"]

    assert all(word in made for word in ("Secure", "HttpOnly", "SameSite=Strict", "Path=/"))
    assert "Secure" not in planted
    assert "HttpOnly" in planted


@pytest.mark.parametrize("basket", [None, "x", [1], ["x"] * 21, ["\x00"]])
def test_an_odd_basket_is_refused(inside: InProcess, basket: object) -> None:
    """In a declared shape."""
    answer = inside.request("PUT", "/api/v1/session", json={"basket": basket}, headers=inside.sign_in())

    assert answer.status_code == 422
    assert undeclared(document("1.0.0"), "/api/v1/session", answer=answer) == ""
