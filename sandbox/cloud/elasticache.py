"""ElastiCache: groups of users, and replication groups whose members exist.

Corrects moto 5.2.5: user groups are unknown; a replication group has one member whatever NumCacheClusters says, and no
member can be described; ModifyReplicationGroup ignores encryption in transit; DeleteReplicationGroup leaves the group
"deleting" for ever; DeleteCacheSubnetGroup is unknown.
"""

from __future__ import annotations

import inspect
from dataclasses import asdict, dataclass, field
from typing import Any

from moto.core.responses import ActionResult, EmptyResult
from moto.elasticache.models import CacheCluster
from moto.elasticache.responses import ElastiCacheResponse

from sandbox.cloud.errors import AwsError

_DESCRIBED = inspect.signature(CacheCluster.__init__).parameters


@dataclass
class UserGroup:
    """As DescribeUserGroups answers it, beside its ARN. `tags` are kept where moto keeps the others'."""

    user_group_id: str
    engine: str
    user_ids: list[str] = field(default_factory=list)
    replication_groups: list[str] = field(default_factory=list)
    status: str = "active"
    minimum_engine_version: str = "6.0"


UserGroups = dict[str, UserGroup]  # by ARN


class ElastiCacheApi(ElastiCacheResponse):
    """The API handler; one instance per call. `groups` outlive it."""

    def __init__(self, groups: UserGroups) -> None:
        super().__init__()
        self._groups = groups

    # ------------------------------------------------------------------------------------------- user groups

    def create_user_group(self) -> ActionResult:
        name = self.params["UserGroupId"]
        if self._arn(name) in self._groups:
            raise AwsError("UserGroupAlreadyExists", f"User Group {name} already exists.")
        users = list(self.params.get("UserIds") or [])
        self._check_users(users)
        group = UserGroup(user_group_id=name, engine=self.params["Engine"].lower(), user_ids=users)
        self._groups[self._arn(name)] = group
        self.elasticache_backend.tagging_service.tag_resource(self._arn(name), self.params.get("Tags") or [])
        return self._answer(group)

    def modify_user_group(self) -> ActionResult:
        group = self._group(self.params["UserGroupId"])
        added = list(self.params.get("UserIdsToAdd") or [])
        removed = list(self.params.get("UserIdsToRemove") or [])
        self._check_users([*added, *(one for one in group.user_ids if one not in removed)])
        group.user_ids = [one for one in group.user_ids if one not in removed] + added
        return self._answer(group)

    def delete_user_group(self) -> ActionResult:
        group = self._group(self.params["UserGroupId"])
        del self._groups[self._arn(group.user_group_id)]
        return self._answer(group, status="deleting")

    def describe_user_groups(self) -> ActionResult:
        name = self.params.get("UserGroupId")
        here = [group for arn, group in self._groups.items() if arn == self._arn(group.user_group_id)]
        found = [self._group(name)] if name else here
        return ActionResult({"UserGroups": [self._view(group) for group in found]})

    def list_tags_for_resource(self) -> ActionResult:
        arn = self.params["ResourceName"]
        if arn not in self._groups:
            return super().list_tags_for_resource()
        tags: Any = self.elasticache_backend.tagging_service.list_tags_for_resource(arn)
        return ActionResult({"TagList": tags["Tags"]})

    def _check_users(self, user_ids: list[str]) -> None:
        """ElastiCache refuses unknown users, and a group without exactly one user named default."""
        users = [self.elasticache_backend.describe_users(user_id=one)[0] for one in user_ids]
        names = [user.name for user in users]
        if names.count("default") != 1:
            raise AwsError("DefaultUserRequired", "A user group needs exactly one user with the user name default.")

    def _group(self, name: str) -> UserGroup:
        group = self._groups.get(self._arn(name))
        if group is None:
            raise AwsError("UserGroupNotFound", f"User Group {name} not found.")
        return group

    def _arn(self, name: str) -> str:
        return f"arn:aws:elasticache:{self.region}:{self.current_account}:usergroup:{name}"

    def _answer(self, group: UserGroup, *, status: str = "") -> ActionResult:
        return ActionResult({**self._view(group), **({"Status": status} if status else {})})

    def _view(self, group: UserGroup) -> dict[str, Any]:
        named = {"".join(part.title() for part in name.split("_")): value for name, value in asdict(group).items()}
        return {**named, "ARN": self._arn(group.user_group_id)}

    # ------------------------------------------------------------------------------------------- replication groups

    def create_replication_group(self) -> ActionResult:
        wanted = self._get_int_param("NumCacheClusters") or 0
        if wanted > 1 and not self._get_int_param("ReplicasPerNodeGroup"):
            self.params["ReplicasPerNodeGroup"] = wanted - 1
        answer = super().create_replication_group()
        result: Any = answer.result
        group = result["ReplicationGroup"]
        for member in group.member_clusters:
            self.elasticache_backend.cache_clusters[member] = self._member(group, member)
        return answer

    def _member(self, group: Any, name: str) -> CacheCluster:
        known = {key: getattr(group, key) for key in _DESCRIBED if hasattr(group, key)}
        own: dict[str, Any] = {
            **dict.fromkeys(key for key in _DESCRIBED if key != "self"),
            **known,
            "account_id": self.current_account,
            "region_name": self.region,
            "cache_cluster_id": name,
            "num_cache_nodes": 1,
            "tags": [],
        }
        member = CacheCluster(**own)
        described: Any = member
        described.security_groups = [
            {"SecurityGroupId": one, "Status": "active"} for one in group.security_group_ids or ()
        ]
        described.at_rest_encryption_enabled = group.at_rest_encryption_enabled
        described.transit_encryption_mode = group.transit_encryption_mode
        return member

    def modify_replication_group(self) -> ActionResult:
        answer = super().modify_replication_group()
        result: Any = answer.result
        group = result["ReplicationGroup"]
        enabled, mode = self._get_bool_param("TransitEncryptionEnabled"), self._get_param("TransitEncryptionMode")
        if enabled is not None:
            group.transit_encryption_enabled = enabled
        if mode is not None or enabled is False:
            group.transit_encryption_mode = mode
        return answer

    def delete_replication_group(self) -> ActionResult:
        answer = super().delete_replication_group()
        result: Any = answer.result
        group = result["ReplicationGroup"]
        for member in list(group.member_clusters):
            self.elasticache_backend.cache_clusters.pop(member, None)
        self.elasticache_backend.replication_groups.pop(group.replication_group_id)
        return answer

    def delete_cache_subnet_group(self) -> ActionResult:
        name = self.params["CacheSubnetGroupName"]
        if self.elasticache_backend.cache_subnet_groups.pop(name, None) is None:
            raise AwsError("CacheSubnetGroupNotFoundFault", f"CacheSubnetGroup {name} not found.")
        return EmptyResult()
