"""Runs the function that the heartbeat alarm calls: the dead-man, as a process, since moto runs no function."""

from __future__ import annotations

import json
import logging
import sys
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sandbox.account_names import DEADMAN_FUNCTION
from sandbox.errors import SandboxError
from sandbox.processes import Command, run
from sandbox.state import REPOSITORY

_LOG = logging.getLogger(__name__)
_DEADLINE_SECONDS = 130.0  # a little more than the function gives itself
# What infrastructure/modules/release/deadman.tf gives the function, by the outputs' names, and where the sandbox is.
TARGET = (
    *("region", "rule_arn", "listener_arn", "target_group_arns", "cluster_name", "service_names", "container_name"),
    *("state_table", "alert_topic_arn", "aws_endpoint_url", "clock_file"),
)
ENVIRONMENT = "sandbox"


class Functions:
    """`outputs` are the sandbox's, plain values by name; `log_file` is named in what a failure says."""

    def __init__(self, outputs: Mapping[str, Any], *, log_file: Path) -> None:
        self._target = json.dumps({"environment": ENVIRONMENT, **{name: outputs[name] for name in TARGET}})
        self._log_file = log_file

    def call(self, function_arn: str, event: Mapping[str, Any]) -> None:
        """Start a function and come back at once; functions of other names are none of the sandbox's."""
        if function_arn.rsplit(":", 1)[-1] == DEADMAN_FUNCTION:
            threading.Thread(target=self._run, args=(dict(event),), name="deadman", daemon=True).start()

    def _run(self, event: Mapping[str, Any]) -> None:
        command = Command(
            name=DEADMAN_FUNCTION,
            arguments=[sys.executable, "-m", "rollout.deadman"],
            log_file=self._log_file,
            environment={"DEADMAN_TARGET": self._target},
            directory=REPOSITORY,
        )
        try:
            run(command, input_text=json.dumps(event), deadline_seconds=_DEADLINE_SECONDS)
        except SandboxError as error:
            _LOG.error("%s", error)  # what Lambda would count as a failure, and an alarm tell people
