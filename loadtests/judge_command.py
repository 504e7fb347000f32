"""`python -m loadtests judge DIR`: judges a report anew from its histograms, with the exit codes of a run."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TextIO

from loadtests.checks import EXIT_CODES, Judgement, Verdict
from loadtests.rejudge import rejudged
from loadtests.report import BadReport, read_report
from loadtests.thresholds import BadThresholds, read_thresholds_file

USAGE_EXIT_CODE = 2


def main(arguments: Sequence[str], *, out: TextIO | None = None) -> int:
    """Print every check and the verdict; the exit code: 0, 3, 4, 5, or 2 for a wrong call.

    A report that is missing, unreadable or edited is INVALID (5): it proves nothing.
    """
    stream = out or sys.stdout
    parser = argparse.ArgumentParser(prog="python -m loadtests judge", description=__doc__)
    parser.add_argument("directory", type=Path, help="where loadreport.json is")
    parser.add_argument("--thresholds", type=Path, help="judge by the limits of this file instead of the report's own")
    options = parser.parse_args(arguments)
    try:
        thresholds = read_thresholds_file(options.thresholds) if options.thresholds else None
        judgement = rejudged(read_report(options.directory), thresholds)
    except BadThresholds as error:
        stream.write(f"{error}\n")
        return USAGE_EXIT_CODE
    except BadReport as error:
        stream.write(f"{Verdict.INVALID}: {error}\n")
        return EXIT_CODES[Verdict.INVALID]
    stream.write(text_of(judgement))
    return judgement.exit_code


def text_of(judgement: Judgement) -> str:
    """A line for each check, the verdict first in it, and the verdict of the run at the end."""
    width = max(len(verdict) for verdict in Verdict)
    lines = [f"{check.verdict:<{width}}  {check.name}: {check.message}" for check in judgement.checks]
    return "\n".join([*lines, judgement.sentence, ""])
