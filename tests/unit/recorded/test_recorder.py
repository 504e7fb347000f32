"""The recorder: it keeps what changes something, in a form that does not depend on the run, and answers as before."""

from __future__ import annotations

import io
import json
import threading
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from moto.moto_api._internal import mock_random

from sandbox.recorded.recorder import Recorder, changes_something
from sandbox.recorded.requests import Request
from sandbox.recorded.seeds import Seeds

STATE = "/state-1/production/terraform.tfstate"
SECRET = "s3cret-value"
TOKENS = ("terraform-20261124132626999900000001", "terraform-20261125080000111100000009")
SHORT_TOKENS = ("tf20261124133949062400000002", "tf20261125133949062400000001")  # where names may be short
TOKEN = TOKENS[0]
UUID, OTHER_UUID = "fe3fc0ab-c44c-43cf-ae1c-2bf32f320f14", "6df235f5-9876-4803-9a6c-05168f82a4ea"


class Account:
    """Answers every call with an id that it draws, or with what it was told to."""

    def __init__(self, status: str = "200 OK", answer: bytes | None = None) -> None:
        self.status, self.answer = status, answer
        self.bodies: list[bytes] = []

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> list[bytes]:
        self.bodies.append(environ["wsgi.input"].read())
        start_response(self.status, [("x-id", "1")])
        return [self.answer if self.answer is not None else mock_random.get_random_hex(12).encode()]


def _recorder(account: Account | None = None) -> Recorder:
    return Recorder(account or Account(), threading.RLock(), state=STATE, values={"header": SECRET})


def _ask(recorder: Recorder, body: dict[str, Any], *, target: str = "Trent.CreateKey", **environ: str) -> bytes:
    scope = "AWS4-HMAC-SHA256 Credential=a/20261124/us-east-1/kms/aws4_request, SignedHeaders=host, Signature=0"
    asked: dict[str, Any] = {
        "REQUEST_METHOD": "POST",
        "RAW_URI": "/",
        "HTTP_AUTHORIZATION": scope,
        "HTTP_X_AMZ_TARGET": target,
        "CONTENT_TYPE": "application/x-amz-json-1.1",
        "wsgi.input": io.BytesIO(json.dumps(body).encode()),
        **environ,
    }
    return b"".join(recorder({name: value for name, value in asked.items() if value}, lambda *_: None))


@pytest.mark.parametrize(
    ("method", "operation", "changes"),
    [
        ("POST", "CreateKey", True),
        ("POST", "DescribeKey", False),
        ("POST", "POST /CreateGroup", True),
        ("POST", "POST /GetSamplingRules", False),
        ("GET", "GET /bucket", False),
        ("HEAD", "HEAD /bucket", False),
        ("PUT", "PUT /bucket", True),
        ("DELETE", "DELETE /bucket/key", True),
    ],
)
def test_what_changes_something(method: str, operation: str, changes: bool) -> None:
    request = Request(service="s", region="r", operation=operation, method=method)

    assert changes_something(request) is changes


def test_questions_and_refusals_are_not_kept() -> None:
    account = Account()
    recorder = _recorder(account)
    _ask(recorder, {"a": 1}, target="Trent.DescribeKey")
    account.status = "400 Bad Request"
    _ask(recorder, {"a": 1})

    assert recorder.requests() == ()


def test_the_account_is_asked_what_was_asked() -> None:
    """Only what is kept is changed; the call itself goes through as it came."""
    account = Account()
    _ask(_recorder(account), {"Value": SECRET, "Token": TOKEN})

    assert [json.loads(body) for body in account.bodies] == [{"Value": SECRET, "Token": TOKEN}]


def test_what_must_not_stand_in_a_file_is_named() -> None:
    recorder = _recorder()
    _ask(recorder, {"Value": f"a {SECRET}"})

    assert [one.body for one in recorder.requests()] == [{"Value": "a ${header}"}]


@pytest.mark.parametrize("tokens", [TOKENS, SHORT_TOKENS], ids=["long", "short"])
def test_made_up_tokens_are_the_same_in_every_run(tokens: tuple[str, str]) -> None:
    """Different in different calls; in a later call what the first one's became."""
    kept = []
    for token, uuid in zip(tokens, (UUID, OTHER_UUID), strict=True):
        recorder = _recorder()
        _ask(recorder, {"Name": "a", "Token": token, "Client": uuid})
        _ask(recorder, {"Name": "b", "Token": token})
        _ask(recorder, {"Name": "c", "Token": f"{token[:-1]}f"})
        kept.append([one.body for one in recorder.requests()])

    assert kept[0] == kept[1]
    assert kept[0][0]["Token"] == kept[0][1]["Token"] != kept[0][2]["Token"]
    assert tokens[0] not in str(kept)
    assert UUID not in str(kept)


def test_ids_of_the_account_are_no_tokens() -> None:
    account = Account(answer=f'{{"KeyId": "{UUID}"}}'.encode())
    recorder = _recorder(account)
    _ask(recorder, {"a": 1})
    _ask(recorder, {"KeyId": UUID}, target="Trent.EnableKeyRotation")

    assert recorder.requests()[1].body == {"KeyId": UUID}


TAGS = [("environment", "production"), ("managed-by", "terraform"), ("Name", "a")]


@given(st.permutations(TAGS))
def test_the_order_of_what_has_none_says_nothing(tags: list[tuple[str, str]]) -> None:
    """In JSON (lists and objects), XML and forms, whatever lists and members are called; other lists keep theirs."""
    recorder = _recorder()
    listed = {
        "Tags": [{"Key": key, "Value": value} for key, value in tags],
        "More": [{"TagKey": key, "TagValue": value} for key, value in tags],
        "Map": dict(tags),
        "Ordered": [key for key, _ in TAGS],
    }
    _ask(recorder, listed)
    xml = "".join(f"<Tag><Key>{key}</Key><Value>{value}</Value></Tag>" for key, value in tags)
    _ask(
        recorder,
        {},
        CONTENT_TYPE="application/xml",
        HTTP_X_AMZ_TARGET="",
        **{"wsgi.input": io.BytesIO(f"<TagSet>{xml}</TagSet>".encode())},  # type: ignore[arg-type]
    )
    numbered = list(enumerate(tags, 1))
    form = "Action=CreateVpc&" + "&".join(
        f"{name}.{number}.Key={key}&{name}.{number}.Value={value}"
        for name in ("TagSpecification.1.Tag", "Tags.member", "Tags.Tag")
        for number, (key, value) in numbered
    )
    form += "".join(
        f"&D.member.{number}.Name={key}&D.member.{number}.Value={value}" for number, (key, value) in numbered
    )
    form += "&L.1.Name=z&L.1.Rank=1&L.2.Name=a&L.2.Rank=2"
    _ask(
        recorder,
        {},
        CONTENT_TYPE="application/x-www-form-urlencoded",
        HTTP_X_AMZ_TARGET="",
        **{"wsgi.input": io.BytesIO(form.encode())},  # type: ignore[arg-type]
    )
    in_json, in_xml, in_form = (one.body for one in recorder.requests())

    assert list(in_json["Map"]) == ["Name", "environment", "managed-by"]
    assert [tag["TagKey"] for tag in in_json["More"]] == ["Name", "environment", "managed-by"]
    assert in_json["Ordered"] == ["environment", "managed-by", "Name"]
    assert in_xml.index("<Key>Name<") < in_xml.index("<Key>environment<") < in_xml.index("<Key>managed-by<")
    assert [in_form[f"D.member.{number}.Name"] for number in (1, 2, 3)] == ["Name", "environment", "managed-by"]
    assert (in_form["L.1.Name"], in_form["L.2.Name"]) == ("z", "a")
    assert [tag["Key"] for tag in in_json["Tags"]] == ["Name", "environment", "managed-by"]
    for name in ("TagSpecification.1.Tag", "Tags.member", "Tags.Tag"):
        assert [in_form[f"{name}.{number}.Key"] for number in (1, 2, 3)] == ["Name", "environment", "managed-by"]
        assert in_form[f"{name}.1.Value"] == "a"


def test_presigned_addresses_are_left_out() -> None:
    recorder = _recorder()
    form = b"Action=CreateDBInstanceReadReplica&PreSignedUrl=https%3A%2F%2Fx%2F%3FX-Amz-Signature%3D1&Id=a"
    _ask(
        recorder,
        {},
        CONTENT_TYPE="application/x-www-form-urlencoded",
        HTTP_X_AMZ_TARGET="",
        **{"wsgi.input": io.BytesIO(form)},  # type: ignore[arg-type]
    )

    assert recorder.requests()[0].body == {"Action": "CreateDBInstanceReadReplica", "Id": "a"}


def test_of_the_state_only_that_it_was_written_and_locked() -> None:
    recorder = _recorder()
    for serial in (1, 2):
        for name, method in (("tflock", "PUT"), ("", "PUT"), ("tflock", "DELETE")):
            path = f"{STATE}{'.' if name else ''}{name}?x-id=1"
            _ask(recorder, {"serial": serial, "secret": "x"}, REQUEST_METHOD=method, RAW_URI=path, HTTP_X_AMZ_TARGET="")

    assert [(one.method, one.path.rpartition("/")[2], one.body) for one in recorder.requests()] == [
        ("PUT", "terraform.tfstate.tflock?x-id=1", ""),
        ("PUT", "terraform.tfstate?x-id=1", ""),
        ("DELETE", "terraform.tfstate.tflock?x-id=1", ""),
    ]


# ---------------------------------------------------------------------------------------------- ids


def test_an_id_follows_from_what_was_asked_and_how_often() -> None:
    """Not from the order of calls, from questions in between, or from calls that were refused."""
    account = Account()
    recorder = _recorder(account)
    first, again, other = (_ask(recorder, body) for body in ({"a": 1}, {"a": 1}, {"a": 2}))

    account = Account()
    recorder = _recorder(account)
    other_first = _ask(recorder, {"a": 2})
    _ask(recorder, {"a": 1}, target="Trent.DescribeKey")
    account.status = "500 Internal Server Error"
    _ask(recorder, {"a": 1})
    account.status = "200 OK"

    assert len({first, again, other}) == 3
    assert (other_first, _ask(recorder, {"a": 1}), _ask(recorder, {"a": 1})) == (other, first, again)


def test_afterwards_ids_are_drawn_at_random_again() -> None:
    request = Request(service="kms", region="us-east-1", operation="CreateKey")
    drawn = []
    for _ in (1, 2):
        seeds = Seeds()
        seeds.plant(request)
        seeds.forget()
        drawn.append(mock_random.get_random_hex(32))

    assert drawn[0] != drawn[1]
