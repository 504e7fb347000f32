"""python -m benchmarks.load accuracy|decisions|capacity|merge

What each does stands in its module. Figures depend on the machine and on what else runs: two cores, nothing else.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable

from benchmarks.load.accuracy import accuracy
from benchmarks.load.capacity import capacity
from benchmarks.load.decisions import decisions
from benchmarks.load.merge import merge
from benchmarks.load.running import awake


def main() -> None:
    """Run one of them and print its tables."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.load", description=(__doc__ or "").splitlines()[0])
    chosen = parser.add_subparsers(dest="benchmark", required=True)
    one = chosen.add_parser("accuracy", help="every tool against the truth (8 minutes)")
    one.add_argument("--rate", type=float, default=200.0)
    one.add_argument("--seconds", type=float, default=100.0, help="measured, of each of four parts")
    one = chosen.add_parser("decisions", help="the gate around its limit, and known-bad servers (12 minutes)")
    one.add_argument("--runs", type=int, default=20, help="on either side of the limit")
    one = chosen.add_parser("capacity", help="requests a second on one core, and their price (8 minutes)")
    one.add_argument("--seconds", type=float, default=12.0, help="measured, of each rate")
    one = chosen.add_parser("merge", help="workers' histograms against all requests, and memory (3 minutes)")
    one.add_argument("--samples", type=int, default=1_000_000)
    one.add_argument("--requests", type=int, default=10_000_000)
    given = vars(parser.parse_args())
    benchmarks: dict[str, Callable[..., str]] = {
        "accuracy": accuracy,
        "decisions": decisions,
        "capacity": capacity,
        "merge": merge,
    }
    with awake():
        print(benchmarks[given.pop("benchmark")](**given))


if __name__ == "__main__":
    main()
