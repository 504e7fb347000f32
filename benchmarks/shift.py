"""From ModifyRule to the data plane that follows it: call, and first answer of the new side.

python -m benchmarks.shift --changes 400
"""

from __future__ import annotations

import argparse
import statistics
import time
from pathlib import Path

import httpx

from probes.failures import Cause
from probes.http import ask, client
from probes.identity import identity_of
from probes.waiting import Tries
from rehearsal.scene import Scene, await_condition
from sandbox.fixture import start_sandbox

_EFFECT_SECONDS = 10.0


def main() -> None:
    """Print both distributions."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--changes", type=int, default=400)
    changes = parser.parse_args().changes
    calls: list[float] = []
    effects: list[float] = []
    with start_sandbox(live="green") as sandbox:
        scene = Scene(sandbox=sandbox, directory=Path("."), factor=1.0)
        image = scene.connection.ports.sources.services.read("green").image
        scene.connection.ports.hands.services.prepare("blue", image=image, desired=2, like="green")
        asker = client(scene.endpoint)
        targets = scene.connection.ports.sources.targets
        await_condition(lambda: targets.targets("blue").healthy >= 2, seconds=60.0, what="two healthy tasks of blue")
        for number in range(changes):
            wanted, share = ("blue", 100) if number % 2 == 0 else ("green", 0)
            started = time.perf_counter()
            scene.connection.router.set_share(stable="green", candidate="blue", share_percent=share)
            calls.append(time.perf_counter() - started)
            _await_answer(asker, wanted)
            effects.append(time.perf_counter() - started)
    print(f"{changes} changes: look and ModifyRule {_spread(calls)}")
    print(f"{changes} changes: call to the first answer of the new side {_spread(effects)}")


def _await_answer(asker: httpx.Client, slot: str) -> None:
    """One question after the other without a pause, since the time until the first right answer is measured."""
    for _ in Tries(deadline_seconds=_EFFECT_SECONDS, interval_seconds=0.0):
        answer = ask(asker, "/api/v1/status")
        if not isinstance(answer, Cause) and identity_of(answer).slot == slot:
            return
    raise SystemExit(f"{slot} did not answer within {_EFFECT_SECONDS:g} s of the change")


def _spread(seconds: list[float]) -> str:
    ordered = sorted(1000 * value for value in seconds)
    tail = ordered[min(len(ordered) - 1, int(0.99 * len(ordered)))]
    return f"p50 {statistics.median(ordered):.1f} ms, p99 {tail:.1f} ms"


if __name__ == "__main__":
    main()
