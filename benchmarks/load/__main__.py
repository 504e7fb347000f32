"""python -m benchmarks.load accuracy|decisions|capacity|merge; each says what it takes."""

from __future__ import annotations

import argparse

from benchmarks.load.accuracy import accuracy


def main() -> None:
    """Run one of them and print its tables."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.load", description=__doc__)
    chosen = parser.add_subparsers(dest="benchmark", required=True)
    one = chosen.add_parser("accuracy", help="every tool against the truth (8 minutes)")
    one.add_argument("--rate", type=float, default=200.0)
    one.add_argument("--seconds", type=float, default=100.0)
    given = parser.parse_args()
    if given.benchmark == "accuracy":
        print(accuracy(rate=given.rate, seconds=given.seconds))


if __name__ == "__main__":
    main()
