"""From nothing to the first answer of a whole sandbox over TLS.

python -m benchmarks.start --runs 5
"""

from __future__ import annotations

import argparse
import statistics
import time

from sandbox.fixture import start_sandbox


def main() -> None:
    """Print every start and the median."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=5)
    seconds = []
    for _ in range(parser.parse_args().runs):
        started = time.perf_counter()
        with start_sandbox() as sandbox:
            seconds.append(time.perf_counter() - started)
            parts = sandbox.status()["start"]
    shown = ", ".join(f"{value:.2f}" for value in seconds)
    print(f"sandbox starts in {shown} s, median {statistics.median(seconds):.2f} s; last one: {parts}")


if __name__ == "__main__":
    main()
