"""Known servers that a gate must judge rightly: what they do, what is sent to them, which verdicts are right."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from tests.loadservers.behaviour import Behaviour, Stall
from tests.loadservers.process import known_server, refusing_port

EXIT_CODES = {"PASS": 0, "FAIL": 3, "INCONCLUSIVE": 4, "INVALID": 5}


@dataclass(frozen=True)
class Case:
    """A server (None: nobody listens), the traffic, and the verdicts that are right. `seconds` include the warm-up."""

    name: str
    behaviour: Behaviour | None
    right: frozenset[str] = frozenset({"FAIL"})
    rate: float = 200.0
    seconds: float = 11.0
    mix: Mapping[str, float] = field(default_factory=lambda: {"status": 1})
    timeout_seconds: float = 2.0

    @contextlib.contextmanager
    def url(self, *, core: int | None = None) -> Iterator[str]:
        """The server, for the length of a with-statement."""
        if self.behaviour is None:
            with refusing_port() as port:
                yield f"http://127.0.0.1:{port}"
            return
        with known_server(self.behaviour, core=core) as server:
            yield server.url()


KNOWN_BAD = (
    Case("a stall of 1 s every 10 s", Behaviour(law="lognormal:60:0.5", stall=Stall()), seconds=31.0),
    Case("10 % of requests hang", Behaviour(law="lognormal:60:0.5", hang_percent=10.0)),
    Case("1 % of requests fail", Behaviour(law="lognormal:60:0.5", error_percent=1.0), seconds=21.0),
    Case("a true p95 of 204 ms", Behaviour(law="normal95:204")),
    Case("200.0 ms and a little, always", Behaviour(law="constant:200")),
    Case("refused", None),
    Case("the login fails", Behaviour(law="constant:20", login_fails=True), mix={"status": 1, "use_token": 1}),
    Case("no request at all", Behaviour(law="constant:20"), rate=0.01, right=frozenset({"FAIL", "INCONCLUSIVE"})),
    Case(
        "a leak of 10 ms each second",
        Behaviour(law="constant:20", leak_milliseconds_per_second=10.0),
        seconds=31.0,
    ),
)
