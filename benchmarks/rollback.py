"""How long after a trigger's decision the candidate still answers a customer, over many drills on one sandbox.

python -m benchmarks.rollback --drills 20
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
from pathlib import Path

from probes.stream_report import served_after, unexplained_failures
from rehearsal.catalogue import DRILLS
from rehearsal.drill import run_drill
from rehearsal.result import Result, write_result
from rehearsal.scene import Scene
from sandbox.fixture import start_sandbox


def main() -> None:
    """Print one line per drill and the summary."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--drills", type=int, default=20)
    drills = parser.parse_args().drills
    seconds: list[float] = []
    lost = 0
    with tempfile.TemporaryDirectory() as folder, start_sandbox(live="blue", factor=60.0) as sandbox:
        for number in range(drills):
            directory = Path(folder) / str(number)
            directory.mkdir()
            sandbox.clear()
            scene = Scene(sandbox=sandbox, directory=directory, factor=60.0)
            document = scene.result(exit_code=run_drill(scene, DRILLS["candidate answers errors"]))
            write_result(directory, document)
            last, unexplained = measure(Result(directory))
            seconds.append(last)
            lost += unexplained
            print(f"drill {number + 1}: last request {1000 * last:.0f} ms after the decision, {unexplained} lost")
    print(
        f"{drills} drills: decision to the candidate's last request p50 {1000 * statistics.median(seconds):.0f} ms, "
        f"maximum {1000 * max(seconds):.0f} ms; {lost} requests failed that the candidate did not answer itself"
    )


def measure(result: Result) -> tuple[float, int]:
    """Seconds from the decision to the last request that left for the candidate; failures it did not plant."""
    back = result.record["back"]
    decided = result.clock.monotonic_at(float(back["decided_at"]))
    late = served_after(result.requests, str(result.record["candidate"]), after=decided)
    last = max((record.monotonic - decided for record in late), default=0.0)
    return last, len(unexplained_failures(result.requests, result.run, planted=list(result.planted)))


if __name__ == "__main__":
    main()
