"""The policy gate, cold and from its cache, against checkov's own command: once for all, and once per scenario.

python -m benchmarks.policies [--base DIRECTORY] [--commands 10]
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from policies.__main__ import default_sources
from policies.built_in import read_built_ins
from policies.gate import Options, evaluate
from policies.registry import load_rules
from policies.report import Report
from policies.tree import Origin
from policies.verdict import Verdict

ROOT = Path(__file__).resolve().parents[1]
SECONDS_MAX = 600


@dataclass(frozen=True)
class Cost:
    """What a process took: seconds by the clock and of the processor, its children included; peak memory in MB."""

    wall: float
    processor: float
    megabytes: float

    def __str__(self) -> str:
        return f"{self.wall:6.2f} s, {self.processor:6.2f} s of processor, {self.megabytes:4.0f} MB"


def measured(command: list[str], *, cwd: Path, output: Path) -> Cost:
    """Run a command to its end, whatever its exit code: checkov's says findings."""
    started = time.perf_counter()
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "CKV_SKIP_PACKAGE_UPDATE_CHECK": "true", "LOG_LEVEL": "ERROR"}
    with output.open("w", encoding="utf-8") as file:
        process = subprocess.Popen(command, cwd=cwd, stdout=file, stderr=subprocess.DEVNULL, env=environment)
        _, _, used = os.wait4(process.pid, 0)
    wall = time.perf_counter() - started
    if wall > SECONDS_MAX:
        raise SystemExit(f"{command[0]} took {wall:.0f} s")
    return Cost(wall, used.ru_utime + used.ru_stime, used.ru_maxrss / 1024)


def gate(base: Path, results: Path) -> list[str]:
    """A process that evaluates every environment below `base` and asks for one policy, as a scenario does."""
    code = (
        "from pathlib import Path\nfrom policies.__main__ import default_sources\n"
        "from policies.gate import Options, evaluate\n"
        f"options = Options(base=Path({str(base)!r}), results=Path({str(results)!r}))\n"
        "evaluate(default_sources(options.base), options=options).policy('CKV_RG_4')\n"
    )
    return [sys.executable, "-c", code]


def checkov(base: Path, ids: list[str]) -> list[str]:
    """checkov's own command over the same tree, our policies loaded by its plug-in."""
    command = str(ROOT / ".venv-policies" / "bin" / "checkov")
    return [
        command, "-d", str(base / "infrastructure"), "--framework", "terraform",
        "--external-checks-dir", str(ROOT / "policies" / "external"), "--skip-download", "--compact", "-o", "json",
        "-c", ",".join(ids),
    ]  # fmt: skip


def differences(report: Report, found: Path) -> list[str]:
    """Policies on which the gate and checkov's command differ, of those that either of them decided."""
    counted = json.loads(found.read_text(encoding="utf-8"))["results"]
    failed = {one["check_id"] for one in counted["failed_checks"]}
    passed = {one["check_id"] for one in counted["passed_checks"]} - failed
    said = []
    for policy in report.policies.values():
        theirs = "FAIL" if policy.id in failed else "PASS" if policy.id in passed else "says nothing"
        if theirs != policy.verdict and policy.verdict is not Verdict.NOT_APPLICABLE:
            said.append(f"{policy.id}: we say {policy.verdict}, checkov {theirs}")
    return said


def named() -> list[str]:
    """Every policy that code can be judged by."""
    ours = [rule.id for rule in load_rules().rules.values() if Origin.SOURCE in rule.origins]
    return [*ours, *read_built_ins()]


def main() -> None:
    """Print each way's cost, the ratios, and where verdicts differ."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--base", type=Path, default=ROOT, help="a repository with infrastructure/environments")
    parser.add_argument("--commands", type=int, default=10, help="how many of the commands per scenario to run")
    given = parser.parse_args()
    ids, base = named(), given.base.resolve()
    with tempfile.TemporaryDirectory() as place:
        output, results = Path(place) / "output.json", Path(place) / "results"
        cold = measured(gate(base, results), cwd=ROOT, output=output)
        cached = [measured(gate(base, results), cwd=ROOT, output=output) for _ in range(5)]
        best = sorted(cached, key=lambda cost: cost.wall)[len(cached) // 2]
        step = max(1, len(ids) // given.commands)
        singles = [measured(checkov(base, [one]), cwd=base, output=output) for one in ids[::step][: given.commands]]
        plain = measured(checkov(base, ids), cwd=base, output=output)
        report = evaluate(default_sources(base), options=Options(base=base, results=results))
        said = differences(report, output)
    each = statistics.median(cost.wall for cost in singles)
    print(f"gate, cold:              {cold}  ({', '.join(report.inputs)})")
    print(f"gate, cached (median):   {best}")
    print(f"checkov -d, all at once: {plain}")
    print(f"checkov -d, one policy:  {each:6.2f} s (median of {len(singles)})")
    whole = each * len(ids)
    print(f"a command per scenario, {len(ids)} of them: {whole:.0f} s, {whole / cold.wall:.0f} times cold")
    print("\n".join(["verdicts differ:", *said]) if said else "same verdicts")


if __name__ == "__main__":
    main()
