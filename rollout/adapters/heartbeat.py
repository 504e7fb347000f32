"""A sign of life per minute and active rollout. Satisfies `ports.Heartbeat`.

Two datapoints: one without dimensions, which a fixed alarm watches (missing data is breaching), and one that says
which rollout beats.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rollout.adapters.clients import Clients, asking
from rollout.target import Target

if TYPE_CHECKING:
    from mypy_boto3_cloudwatch.type_defs import DimensionTypeDef

METRIC = "Heartbeat"


class CloudWatchHeartbeat:
    """Puts the metric `Heartbeat` into `target.heartbeat_namespace`: plain, and by Environment and Rollout."""

    def __init__(self, clients: Clients, target: Target) -> None:
        self._clients, self._target = clients, target

    def beat(self, rollout_id: str) -> None:
        """One beat now. Raises SourceError."""
        dimensions: list[DimensionTypeDef] = [
            {"Name": "Environment", "Value": self._target.environment},
            {"Name": "Rollout", "Value": rollout_id},
        ]
        with asking("cloudwatch", self._target.heartbeat_namespace):
            self._clients.cloudwatch.put_metric_data(
                Namespace=self._target.heartbeat_namespace,
                MetricData=[
                    {"MetricName": METRIC, "Value": 1.0, "Unit": "Count"},
                    {"MetricName": METRIC, "Value": 1.0, "Unit": "Count", "Dimensions": dimensions},
                ],
            )
