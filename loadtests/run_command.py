"""`python -m loadtests run --host URL`: one load test from the start to a sentence and an exit code.

Exit codes: 0 pass, 2 bad input, 3 fail, 4 inconclusive, 5 invalid (the generator could not measure).
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from loadtests.options import EXIT_BAD_INPUT, add_options, arguments_of, check_subject, plan_of
from loadtests.running import LOCUSTFILE, Order, run
from loadtests.thresholds import read_thresholds_file


def main(arguments: Sequence[str]) -> int:
    """Run to the end; the exit code."""
    parser = argparse.ArgumentParser(prog="python -m loadtests run", description=__doc__)
    parser.add_argument("--host", required=True, help="URL of what is tested, such as https://staging.shop.example")
    parser.add_argument("--profile", default="steady", help="a profile of the traffic file")
    parser.add_argument("--workers", type=int, default=0, help="processes that send, one per core; 0: all in one")
    parser.add_argument("--tags", nargs="+", default=[], help="only visits with one of these tags")
    parser.add_argument("--locustfile", type=Path, default=LOCUSTFILE, help="other customers than the shop's")
    add_options(parser, in_locust=False)
    return _run(parser.parse_args(arguments))


def _run(given: argparse.Namespace) -> int:
    try:
        if not 0 <= given.workers <= 4 * (os.cpu_count() or 1):
            raise ValueError(f"--workers {given.workers}: from 0 to four for each core")
        check_subject(given)
        thresholds = read_thresholds_file(Path(given.thresholds))
        traffic = plan_of(given, host=given.host, limits_seconds=thresholds.limits_seconds()).traffic
    except (ValueError, OSError) as error:
        sys.stderr.write(f"{error}\n")
        return EXIT_BAD_INPUT
    code, said = run(
        Order(
            host=given.host,
            profile=given.profile,
            seconds=traffic.profile.seconds,
            timeout_seconds=traffic.timeout_seconds,
            workers=given.workers,
            tags=given.tags,
            locustfile=given.locustfile,
            arguments=arguments_of(given),
        )
    )
    if said:
        sys.stderr.write(f"{said}\n")
    return code
