"""Serve until standard input ends: `python -m tests.loadservers BEHAVIOUR LANES` (JSON, a number).

Prints the ports as JSON, the control port last.
"""

from __future__ import annotations

import json
import resource
import sys

from tests.loadservers.behaviour import Behaviour
from tests.loadservers.lane import Lane
from tests.loadservers.server import Server


def main(behaviour: str, lanes: str) -> None:
    """Open the ports, say which, serve."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    server = Server([Lane(Behaviour.from_json(behaviour)) for _ in range(int(lanes))])
    sys.stdout.write(json.dumps(server.ports) + "\n")
    sys.stdout.flush()
    server.run(sys.stdin.fileno())


if __name__ == "__main__":
    main(*sys.argv[1:])
