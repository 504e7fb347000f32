"""The request stream, the pure parts: what it writes down and what that shows."""

from __future__ import annotations

import asyncio
import io
import itertools
import math
import ssl
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from probes import stream
from probes.stream_connection import Connection, Exchange
from probes.stream_dispatch import Payloads, Traffic, outcome_of_opening
from probes.stream_record import HEADER, Kind, Outcome, Record, Recorder, Tally, outcome_of, parse_line
from probes.target import Endpoint

TRAFFIC = Traffic(endpoint=Endpoint(host="api.shop.example"), path="/api/v1/status", rate=100, run="r")


def record(sequence: int, slot: str = "green", outcome: str = "ok", *, at: float | None = None) -> Record:
    """The n-th request of a stream of one per second that began at 1000."""
    when = 1000.0 + sequence if at is None else at
    status = {"ok": 200, "target_error": 500, "lb_error": 502}.get(outcome, 0)
    return Record(sequence, when, when + 1e9, "get", outcome, status, slot if status else "", "1.0.0", 5.0)


# ------------------------------------------------------------------------------------------------ records


@given(
    st.integers(0, 10**9),
    st.floats(0, 1e9),
    st.sampled_from(list(Kind)),
    st.sampled_from(list(Outcome)),
    st.integers(0, 599),
    st.floats(0, 1e5),
    st.floats(0, 1e5),
)
def test_a_line_is_read_back_as_written(
    sequence: int, when: float, kind: Kind, outcome: Outcome, status: int, latency: float, lag: float
) -> None:
    """To a microsecond, latency to one too."""
    file = io.StringIO()
    recorder = Recorder(file)
    recorder.add(Record(sequence, when, when, kind, outcome, status, "blue", "1.0.0", latency, lag))
    header, line, _ = file.getvalue().split("\n")

    back = parse_line(line)

    assert header == HEADER
    assert (back.sequence, back.kind, back.outcome, back.status) == (sequence, kind, outcome, status)
    assert math.isclose(back.monotonic, when, abs_tol=1e-6)
    assert math.isclose(back.latency, latency, abs_tol=1e-3)
    assert math.isclose(back.left, when + lag / 1000, abs_tol=1e-5)


@pytest.mark.parametrize(
    ("status", "slot", "outcome"),
    [
        (200, "blue", Outcome.OK),
        (302, "", Outcome.OK),
        (500, "blue", Outcome.TARGET_ERROR),
        (404, "blue", Outcome.TARGET_ERROR),
        (503, "", Outcome.LB_ERROR),
        (429, "", Outcome.LB_ERROR),
    ],
)
def test_an_error_is_the_targets_if_the_target_signed_it(status: int, slot: str, outcome: Outcome) -> None:
    """Else the load balancer gave it."""
    assert outcome_of(status, slot) is outcome


def test_the_summary_counts_everything_once() -> None:
    """Sent, failed, by slot, by second; what was not sent is nobody's failure."""
    tally = Tally()
    for each in [record(0), record(1, "blue"), record(1, "blue", "target_error"), record(2, "", "refused")]:
        tally.add(each)
    tally.add(record(3, "", "not_sent"))

    summary = tally.summary()

    assert summary["sent"] == 4
    assert summary["not_sent_in_time"] == 1
    assert summary["ok"] == 2
    assert summary["failed_total"] == 2
    assert summary["failed"] == {"refused": 1, "target_error": 1}
    assert summary["by_slot"] == {
        "": {"not_sent": 1, "refused": 1},
        "blue": {"ok": 1, "target_error": 1},
        "green": {"ok": 1},
    }
    assert summary["by_second"] == [[1000001000, 1, 0], [1000001001, 2, 1], [1000001002, 1, 1], [1000001003, 0, 0]]


def test_percentiles_are_one_percent_coarse() -> None:
    """Upper edges, so never better than the truth."""
    tally = Tally()
    for milliseconds in range(1, 1001):
        tally.add(record(0)._replace(latency=float(milliseconds)))

    for share in (0.5, 0.95, 0.99, 1.0):
        seen = tally.percentile(share)
        assert seen is not None
        assert 1000 * share <= seen <= 1000 * share * 1.011


def test_without_answers_there_is_no_percentile() -> None:
    """Nothing is not zero."""
    assert Tally().percentile(0.5) is None


# ------------------------------------------------------------------------------------------------ the mixture


def test_the_mixture_is_fixed_by_number() -> None:
    """Every second carries the same kinds, and none hides another."""
    traffic = Traffic(
        **{**vars(TRAFFIC), "slow_path": "/slow", "slow_every": 50, "post_path": "/post", "post_every": 50}
    )
    kinds = [traffic.kind_of(number) for number in range(1000)]

    assert {kind: kinds.count(kind) for kind in Kind} == {"get": 940, "new": 20, "slow": 20, "post": 20}


def test_kinds_may_be_left_out() -> None:
    """By zero."""
    traffic = Traffic(**{**vars(TRAFFIC), "new_connection_every": 0})

    assert {traffic.kind_of(number) for number in range(200)} == {Kind.STEADY}


def test_each_request_has_its_own_id_and_the_token() -> None:
    """And a POST says how long its body is."""
    endpoint = Endpoint(host="api.shop.example", port=8443)
    traffic = Traffic(**{**vars(TRAFFIC), "endpoint": endpoint, "token": "t", "post_path": "/items"})
    steady, posted = (Payloads(traffic).of(kind, 7).decode() for kind in (Kind.STEADY, Kind.POST))

    assert steady.startswith("GET /api/v1/status HTTP/1.1\r\nhost: api.shop.example:8443\r\n")
    assert "authorization: Bearer t\r\n" in steady
    assert steady.endswith("x-request-id: r-7\r\n\r\n")
    head, body = posted.split("\r\n\r\n")
    assert f"content-length: {len(body)}\r\n" in head
    assert head.endswith("x-request-id: r-7")


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--url", "http://a.example/"], "must be https"),
        (["--url", "https:///x"], "must be https"),
        (["--url", "https://a.example/", "--rate", "0"], "must be positive"),
        (["--url", "https://a.example/", "--connect-to", "nonsense"], "connect_to entry"),
        (["--url", "https://a.example/", "--token-file", "/nowhere/token"], "No such file"),
        (["--url", "https://a.example/", "--ca-file", "/nowhere/ca.pem"], "No such file"),
    ],
)
def test_bad_input_is_refused_with_the_reason(
    arguments: list[str], says: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit code 2, before anything is sent."""
    with pytest.raises(SystemExit) as ended:
        stream.main(["--rate", "1", "--max-seconds", "1", "--output", str(tmp_path), *arguments])

    assert ended.value.code == 2
    assert says in capsys.readouterr().err


def test_url_and_defaults_become_traffic() -> None:
    """Kinds without a path are off."""
    options = stream._parser().parse_args(
        ["--url", "https://a.example?x=1", "--rate", "5", "--max-seconds", "1", "--output", "o", "--run", "r"]
    )
    traffic = stream.traffic_from(options)

    assert (traffic.path, traffic.endpoint.port, traffic.run) == ("/?x=1", 443, "r")
    assert (traffic.slow_every, traffic.post_every) == (0, 0)


@pytest.mark.parametrize(
    ("error", "outcome"),
    [
        (TimeoutError(), Outcome.TIMEOUT),
        (ConnectionRefusedError(), Outcome.REFUSED),
        (ConnectionResetError(), Outcome.RESET),
        (ssl.SSLEOFError(8, "EOF"), Outcome.RESET),
        (ssl.SSLCertVerificationError("bad"), Outcome.TLS),
        (OSError(113, "No route to host"), Outcome.REFUSED),
    ],
)
def test_connections_that_cannot_be_opened(error: OSError, outcome: Outcome) -> None:
    """Each has its class."""
    assert outcome_of_opening(error) is outcome


# ------------------------------------------------------------------------------------------------ the connection


class Wire(asyncio.Transport):
    """A transport that remembers."""

    def __init__(self) -> None:
        super().__init__()
        self.written, self.calls = b"", list[str]()

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.written += bytes(data)

    def close(self) -> None:
        self.calls.append("close")

    def abort(self) -> None:
        self.calls.append("abort")


def open_connection(kind: Kind = Kind.STEADY) -> tuple[Connection, Wire, list[Exchange]]:
    """A connection with a request in flight; the list fills when it ends."""
    ended: list[Exchange] = []
    connection = Connection(
        slot_header=b"x-slot", version_header=b"x-version", ended=lambda _, exchange: ended.append(exchange)
    )
    wire = Wire()
    connection.connection_made(wire)
    connection.send(Exchange(sequence=1, intended=0.0, kind=kind, payload=b"GET", timeout_seconds=1.0))
    return connection, wire, ended


ANSWER = b"HTTP/1.1 200 OK\r\nX-Slot: green\r\nx-version: 1.0.0\r\ncontent-length: 2\r\n\r\nok"


@given(st.lists(st.integers(0, len(ANSWER)), max_size=5))
def test_an_answer_may_come_in_any_pieces(cuts: list[int]) -> None:
    """It ends once, with who gave it."""
    connection, wire, ended = open_connection()
    edges = sorted({0, *cuts, len(ANSWER)})

    for start, end in itertools.pairwise(edges):
        connection.data_received(ANSWER[start:end])

    (exchange,) = ended
    assert (exchange.status, exchange.slot, exchange.version, exchange.outcome) == (200, "green", "1.0.0", Outcome.OK)
    assert connection.reusable
    assert wire.written == b"GET"


@pytest.mark.parametrize(
    ("answer", "kind", "reusable"),
    [
        (b"HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length: 0\r\n\r\n", Kind.STEADY, False),
        (b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n", Kind.FRESH, False),
        (b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n", Kind.STEADY, True),
        (b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n", Kind.STEADY, True),
    ],
)
def test_reuse(answer: bytes, kind: Kind, reusable: bool) -> None:
    """A connection that either side wants closed is not used again."""
    connection, _, ended = open_connection(kind)

    connection.data_received(answer)

    assert [exchange.outcome for exchange in ended] == [Outcome.OK]
    assert connection.reusable is reusable


def test_what_is_no_http_counts_against_the_load_balancer() -> None:
    """And the connection is dropped."""
    connection, wire, ended = open_connection()

    connection.data_received(b"SSH-2.0-nonsense\r\n")

    assert [exchange.outcome for exchange in ended] == [Outcome.LB_ERROR]
    assert wire.calls == ["abort"]


def test_a_lost_connection_is_a_reset_only_for_a_request_in_flight() -> None:
    """An idle one may be closed by the other side at any time."""
    connection, _, ended = open_connection()
    connection.data_received(ANSWER)
    connection.connection_lost(None)
    busy, _, lost = open_connection()
    busy.connection_lost(ConnectionResetError())

    assert [exchange.outcome for exchange in ended] == [Outcome.OK]
    assert [exchange.outcome for exchange in lost] == [Outcome.RESET]
    assert connection.closed


def test_bytes_that_nobody_asked_for_end_nothing() -> None:
    """A load balancer may say 408 on an idle connection before it closes it."""
    connection, _, ended = open_connection()
    connection.data_received(ANSWER)

    connection.data_received(b"HTTP/1.1 408 Request Timeout\r\nx-slot: x\r\ncontent-length: 0\r\n\r\n")

    assert len(ended) == 1


def test_a_header_value_cannot_break_the_file() -> None:
    """Commas and line ends become underscores."""
    connection, _, ended = open_connection()

    connection.data_received(ANSWER.replace(b"green", b"gr,een\xff"))

    assert ended[0].slot == "gr_een\xff".replace("\xff", "ÿ")
