"""The emergency command beside a live engine: run once, run again, with what it printed and what it changed."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from probes.account.balancer import rule_view
from probes.account.session import account_of
from rehearsal.scene import ROOT, Scene

_COMMAND_SECONDS = 60.0


def run_emergency(scene: Scene) -> None:
    """Notes `emergency`: two runs, each with exit code, output, seconds, the rule before and after."""
    scene.notes.facts["emergency"] = [_run_once(scene), _run_once(scene)]


def _run_once(scene: Scene) -> dict[str, Any]:
    account = account_of(scene.outputs)
    before, started = rule_view(account, scene.target.rule_arn), time.monotonic()
    process = subprocess.run(
        [str(ROOT / "scripts" / "emergency-rollback.sh")],
        env=emergency_environment(scene),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=_COMMAND_SECONDS,
        check=False,
    )
    return {
        "exit_code": process.returncode,
        "output": process.stdout[-4000:] + process.stderr[-2000:],
        "seconds": time.monotonic() - started,
        "ended_virtual": scene.connection.clock.wall(),
        "rule_before": before,
        "rule_after": rule_view(account, scene.target.rule_arn),
    }


def emergency_environment(scene: Scene) -> dict[str, str]:
    """What an operator's laptop has: the AWS CLI, credentials, and the rule's ARN from the break-glass card."""
    tools = str(Path(sys.executable).parent)
    return {
        "PATH": os.pathsep.join([tools, os.environ.get("PATH", "")]),
        "HOME": os.environ.get("HOME", ""),
        "AWS_ACCESS_KEY_ID": "sandbox",
        "AWS_SECRET_ACCESS_KEY": "sandbox",
        "AWS_DEFAULT_REGION": scene.target.region,
        "AWS_ENDPOINT_URL": str(scene.target.aws_endpoint_url),
        "RULE_ARN": scene.target.rule_arn,
        "STATE_TABLE": scene.target.state_table,
    }
