"""`python -m policies`: what the policies say of infrastructure/, worst first.

Exit code: 0 every policy holds; 1 findings; 2 input that cannot be used; 6 nothing bad was found, and not all was seen.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

from policies import suppressions
from policies.gate import Options, evaluate
from policies.report import PolicyResult, Report
from policies.sarif import sarif
from policies.settings import Unusable
from policies.verdict import BADNESS, EXIT_UNUSABLE, OPENS, Verdict

_FINDINGS_SHOWN = 20  # of one policy; the SARIF file has all


def main(arguments: Sequence[str] | None = None) -> int:
    """Evaluate, print, and say by the exit code whether the gate opens."""
    start = time.monotonic()
    parser = argparse.ArgumentParser(prog="python -m policies", description=__doc__)
    parser.add_argument("sources", nargs="*", type=Path, help="root modules (default: every environment)")
    parser.add_argument("--plan", type=Path, help="output of terraform show -json")
    parser.add_argument("--sarif", type=Path, help="write the findings to this file as SARIF 2.1.0")
    parser.add_argument("--every-built-in", action="store_true", help="judge by all of checkov's rules instead")
    given = parser.parse_args(arguments)
    accepted = suppressions.BUILT_IN_PATH if given.every_built_in else suppressions.PATH
    options = Options(every_built_in=given.every_built_in, suppressions=accepted)
    try:
        sources = given.sources or default_sources(options.base)
        report = evaluate(sources, plan=given.plan, options=options)
        if not given.sources and not given.plan:
            report = replace(report, problems=(*report.problems, *unread_modules(options.base, report)))
    except Unusable as error:
        sys.stderr.write(f"{error}\n")
        return EXIT_UNUSABLE
    if given.sarif:
        given.sarif.write_text(json.dumps(sarif(report), indent=1) + "\n", encoding="utf-8")
    sys.stdout.write("\n".join(lines(report, seconds=time.monotonic() - start)) + "\n")
    return report.exit_code


def default_sources(base: Path) -> list[Path]:
    """Every environment. Raises Unusable where there is none."""
    found = sorted(path for path in (base / "infrastructure" / "environments").glob("*") if any(path.glob("*.tf")))
    if not found:
        raise Unusable("infrastructure/environments holds no environment. Name the root modules to scan.")
    return found


def unread_modules(base: Path, report: Report) -> Iterator[str]:
    """Modules that no environment calls: nothing in them was judged."""
    for directory in sorted((base / "infrastructure" / "modules").glob("*")):
        name = str(directory.relative_to(base))
        if any(directory.glob("*.tf")) and not any(str(Path(file).parent) == name for file in report.read):
            yield f"{name} is called by no environment, so nothing in it was judged. Call it, or remove it."


def lines(report: Report, *, seconds: float) -> Iterator[str]:
    """The report as text: problems, policies worst first with their findings, notes, counts, time."""
    yield from (f"problem: {problem}" for problem in report.problems)
    for policy in sorted(report.policies.values(), key=lambda one: (BADNESS.index(one.verdict), _number(one.id))):
        yield f"{policy.verdict:<15} {policy.id:<12} {len(policy.population):>4}  {policy.says}"
        if policy.verdict is not Verdict.PASS:
            yield from _why(policy)
    yield from (f"note: {note}" for note in report.notes)
    yield f"scanned: {'; '.join(report.inputs)}"
    closed = sum(policy.verdict not in OPENS for policy in report.policies.values())
    yield f"{report.verdict}: {len(report.policies)} policies, {closed} that do not open the gate"
    yield f"checkov {report.facts['checkov']}, {seconds:.2f} s"


def _number(policy: str) -> tuple[str, int]:
    family, _, number = policy.rpartition("_")
    return family, int(number)


def _why(policy: PolicyResult) -> Iterator[str]:
    if policy.reason:
        yield f"    {policy.reason}"
    shown = sorted(policy.findings, key=lambda one: (BADNESS.index(one.verdict), one.file, one.line))
    for finding in shown[:_FINDINGS_SHOWN]:
        yield f"    {finding.verdict} {finding.resource} ({finding.file}:{finding.line}): {finding.why}"
    if len(shown) > _FINDINGS_SHOWN:
        yield f"    and {len(shown) - _FINDINGS_SHOWN} more"
    if policy.findings:
        yield f"    do: {policy.remedy}"


if __name__ == "__main__":
    sys.exit(main())
