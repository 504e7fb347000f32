"""RDS: instances that can be told apart, settings that are remembered, replicas that are not copies of everything.

Corrects moto 5.2.5: every instance has the same DbiResourceId; Performance Insights is forgotten; a parameter that was
set does not say so (Source); the name of a master secret comes from another generator than all other ids, so that it
cannot be had again (sandbox.recorded); a replica shares the primary's tags and master secret (deleting it deleted the
secret), and takes the primary's settings for its own; one in another region looks for its groups in the primary's
region, and cannot be deleted.
"""

from __future__ import annotations

import string
from collections.abc import Mapping
from typing import Any

from moto.core.responses import ActionResult
from moto.moto_api._internal import mock_random
from moto.rds.models import MasterUserSecret
from moto.rds.responses import RDSResponse

_RESOURCE_ID = string.ascii_uppercase + string.digits
# Parameter of a call to attribute of moto's instance, with the default of a replica for which it was not given.
# Source: RDS API reference, CreateDBInstanceReadReplica.
_REPLICA_SETTINGS: Mapping[str, tuple[str, Any]] = {
    "EnableCloudwatchLogsExports": ("enabled_cloudwatch_logs_exports", []),
    "EnableIAMDatabaseAuthentication": ("enable_iam_database_authentication", False),
    "MonitoringInterval": ("monitoring_interval", 0),
    "MonitoringRoleArn": ("monitoring_role_arn", None),
    "MultiAZ": ("multi_az", False),
    "DeletionProtection": ("deletion_protection", False),
    "KmsKeyId": ("kms_key_id", None),
    "Tags": ("tags", []),
}


def install() -> None:
    """Correct moto for this process. Safe to call twice."""
    MasterUserSecret._generate_secret_name = _secret_name  # type: ignore[method-assign]  # moto has no hook for it


def _secret_name(self: Any) -> str:
    return f"rds!{self.resource.resource_type}-{mock_random.uuid4()}"


class RdsApi(RDSResponse):
    """The API handler; one instance per call."""

    def create_db_instance(self) -> ActionResult:
        answer = super().create_db_instance()
        self._complete(_instance_of(answer))
        return answer

    def create_db_instance_read_replica(self) -> ActionResult:
        given = dict(self.params)
        self.params.clear()
        self.params["backend"] = self.backend  # first: names that follow are looked up in its region
        self.params.update(given)
        answer = super().create_db_instance_read_replica()
        replica = _instance_of(answer)
        replica.manage_master_user_password = False
        vars(replica).pop("master_user_secret", None)
        for parameter, (attribute, default) in _REPLICA_SETTINGS.items():
            value = self.params.get(parameter, default)
            setattr(replica, attribute, list(value) if isinstance(value, list) else value)
        replica.backup_retention_period = 0  # until it is modified; the call has no such parameter
        replica.max_allocated_storage = self.params.get("MaxAllocatedStorage") or replica.allocated_storage
        self._complete(replica)
        return answer

    def delete_db_instance(self) -> ActionResult:
        instance = self.backend.databases.get(self.params["DBInstanceIdentifier"])
        if instance is not None and instance.is_replica and instance.source_db_instance_identifier:
            primary = self.backend.find_db_from_id(instance.source_db_instance_identifier)
            if instance.db_instance_arn in primary.replicas:  # moto removes the name, and noted the ARN
                primary.replicas[primary.replicas.index(instance.db_instance_arn)] = instance.db_instance_identifier
        return super().delete_db_instance()

    def modify_db_instance(self) -> ActionResult:
        answer = super().modify_db_instance()
        self._remember_insights(_instance_of(answer))
        return answer

    def modify_db_parameter_group(self) -> ActionResult:
        answer = super().modify_db_parameter_group()
        group = self.backend.db_parameter_groups[self.params["DBParameterGroupName"].lower()]
        for given in self.params.get("Parameters") or []:
            group.parameters[given["ParameterName"]]["Source"] = "user"
        return answer

    def _complete(self, instance: Any) -> None:
        instance.dbi_resource_id = "db-" + "".join(mock_random.choice(_RESOURCE_ID) for _ in range(26))
        instance.performance_insights_enabled = False
        instance.performance_insights_kms_key_id = None
        self._remember_insights(instance)

    def _remember_insights(self, instance: Any) -> None:
        if self.params.get("EnablePerformanceInsights") is not None:
            instance.performance_insights_enabled = self.params["EnablePerformanceInsights"]
            instance.performance_insights_retention_period = self.params.get("PerformanceInsightsRetentionPeriod") or 7
        if self.params.get("PerformanceInsightsKMSKeyId"):
            instance.performance_insights_kms_key_id = self.params["PerformanceInsightsKMSKeyId"]


def _instance_of(answer: ActionResult) -> Any:
    result: Any = answer.result
    return result["DBInstance"]
