"""Defects of the account under release: what somebody changed by hand, past the code."""

from __future__ import annotations

from tests.defects import deeds
from tests.defects import deeds_services as services
from tests.defects.deeds import Deed
from tests.defects.deeds_services import setting
from tests.defects.model import Defect, World
from tests.defects.open_task import serve_everybody

_STATE = "The account's state is private, encrypted and locked"
_DECLARED = "The account is the declared one, as its outputs say"
_SUBNETS = "The account's subnets are private and public over zones"
_GROUPS = "The account's groups open single ports to named groups"
_ACLS = "Every subnet of the account has an ACL of its own"
_BALANCER = "The account's load balancer ends TLS and is guarded"
_NAT = "Private subnets of the account go out through NAT alone"
_NO_WAY_AROUND = "The account leaves no way around the web firewall"
_NO_STRANGER = "Tasks serve the load balancer and no stranger"
_FARGATE = "The account runs services on Fargate without rights"
_SCALING = "The account scales both slots from 2 to 20"
_NAMES = "Each slot's tasks are found under its own name"
_LIMITS = "Tasks in the account are limited, logged and checked"
_DATABASE = "The account's database stands in two zones, with backups"
_REPLICA = "The account's replica is elsewhere and close behind"
_CACHE = "The account's cache is encrypted and asks who calls"
_TABLES = "Tables of the account can be recovered and sessions end"
_BUCKETS = "Buckets of the account are private, encrypted and versioned"
_KEYS = "The account's keys rotate and name who may use them"
_SECRETS = "Secrets of the account are referred to and rotated"
_ROLES = "No role of the account may do everything"
_FIREWALL = "The account's firewall stands before the door and blocks"
_DOOR = "Attacks are refused at the door"
_IMAGES = "The account's images are fixed, scanned and ours alone"
_GATEWAY = "The account's API gateway throttles, logs and guards"
_LOGS = "Logs of the account are encrypted and kept bounded"

Row = tuple[str, str, str, Deed, tuple[str, ...], str]


def _database(**wrong_and_right: tuple[object, object]) -> Deed:
    kept = {"DBInstanceIdentifier": "shop-api", "ApplyImmediately": True}
    wrong, right = ({name: pair[side] for name, pair in wrong_and_right.items()} for side in (0, 1))
    return setting("rds", "modify_db_instance", wrong=kept | wrong, right=kept | right)


def _transit(*, enabled: bool = True, mode: str = "required") -> Deed:
    kept: dict[str, object] = {"ReplicationGroupId": "shop-api", "ApplyImmediately": True}
    wrong: dict[str, object] = {
        "TransitEncryptionEnabled": enabled,
        **({"TransitEncryptionMode": mode} if enabled else {}),
    }
    right: dict[str, object] = {"TransitEncryptionEnabled": True, "TransitEncryptionMode": "required"}
    return setting("elasticache", "modify_replication_group", wrong=kept | wrong, right=kept | right)


def _recovery(on: bool) -> dict[str, object]:
    return {
        "TableName": "shop-api-sessions",
        "PointInTimeRecoverySpecification": {"PointInTimeRecoveryEnabled": on},
    }


def _tags(kind: str) -> dict[str, object]:
    return {"repositoryName": "shop-api", "imageTagMutability": kind}


_STATE_AND_PLACE: tuple[Row, ...] = (
    ("IAC-02", "state-gone", "local state", services.state_gone, (_STATE,), "does not hold the state"),
    (
        "IAC-04",
        "other-account",
        "applied in another account",
        deeds.outputs_say(account_id="999988887777"),
        (_DECLARED,),
        "the account is 123456789012, the environment names 999988887777",
    ),
    (
        "IAC-04",
        "stale-outputs",
        "ARN copied by hand and stale",
        deeds.stale_certificate,
        (_DECLARED,),
        r"certificate_arn: arn:aws:acm:\S+ is stale",
    ),
)

_NETWORK: tuple[Row, ...] = (
    (
        "NET-01",
        "beside-the-balancer",
        "service in a public subnet",
        services.in_public_subnets,
        (_SUBNETS,),
        "shop-api-blue: in a subnet that is not private",
    ),
    (
        "NET-02",
        "database-opened",
        "0.0.0.0/0 to 5432",
        deeds.allow("shop-api-database", ports=(5432, 5432)),
        (_GROUPS,),
        r"shop-api-database\): tcp 5432 is open to the world",
    ),
    (
        "NET-02",
        "everything-opened",
        "all ports between groups",
        deeds.allow("shop-api-database", ports=None, source="shop-api-service"),
        (_GROUPS,),
        r"shop-api-database\): allows everything",
    ),
    ("NET-03", "entry-by-hand", "allow all", deeds.allow_all_in_acl, (_ACLS,), "allows everything by ingress rule 50"),
    (
        "NET-04",
        "listener-changed",
        "HTTP listener that forwards",
        deeds.forward_plain_http,
        (_BALANCER,),
        "forward over plain HTTP",
    ),
    (
        "NET-05",
        "route-changed",
        "route to the internet gateway",
        deeds.route_to_the_internet,
        (_NAT, _SUBNETS),
        "routes to the internet gateway igw-",
    ),
    (
        "ARCH-01",
        "address-given",
        "service reachable directly",
        services.with_public_address,
        (_NO_WAY_AROUND, _SUBNETS),
        "shop-api-blue: gives its tasks public addresses",
    ),
    (
        "ARCH-01",
        "open-target",
        "service reachable directly",
        serve_everybody,
        (_NO_STRANGER,),
        r"reached past the load balancer: \S+ answered HTTP/1",
    ),
    (
        "ARCH-01",
        "declared-gateway",
        "load balancer public in the gateway topology",
        deeds.outputs_say(topology="gateway"),
        (_NO_WAY_AROUND, _GROUPS),
        "internet-facing",
    ),
)

_COMPUTE: tuple[Row, ...] = (
    (
        "CMP-01",
        "privileged-revision",
        "privileged container",
        services.candidate_runs(privileged=True),
        (_FARGATE,),
        "privileged: shop-api",
    ),
    (
        "CMP-02",
        "one-task",
        "minimum 1",
        services.scale_from_one,
        (_SCALING,),
        "shop-api-green: scales from 1 to 20 tasks",
    ),
    (
        "CMP-02",
        "policy-deleted",
        "no memory policy",
        services.without_memory_signal,
        (_SCALING,),
        "shop-api-green: no policy on memory",
    ),
    (
        "CMP-03",
        "taken-out",
        "service not registered",
        services.candidate_with(serviceRegistries=[]),
        (_NAMES,),
        "blue: its service is not registered",
    ),
    (
        "CMP-03",
        "name-taken",
        "candidate under the public service name",
        services.shares_the_name,
        (_NAMES,),
        "blue: shares its name with the other slot",
    ),
    (
        "CMP-04",
        "unlimited-revision",
        "no memory limit",
        services.candidate_runs(memory=None),
        (_LIMITS,),
        "shop-api has no memory limit",
    ),
    (
        "CMP-04",
        "latest-revision",
        "image by tag",
        services.candidate_runs(image="123456789012.dkr.ecr.us-east-1.amazonaws.com/shop-api:latest"),
        (_LIMITS,),
        r"by tag: \S+/shop-api:latest",
    ),
    (
        "PROC-03",
        "made-mutable",
        "mutable tags",
        setting("ecr", "put_image_tag_mutability", wrong=_tags("MUTABLE"), right=_tags("IMMUTABLE")),
        (_IMAGES,),
        "shop-api: imageTagMutability is 'MUTABLE'",
    ),
    (
        "PROC-03",
        "let-in",
        "a foreign account may pull",
        services.foreign_puller,
        (_IMAGES,),
        "may be pulled by arn:aws:iam::999988887777:root",
    ),
    (
        "PROC-03",
        "one-image-kept",
        "lifecycle that would expire the stable image",
        services.keep_one_image,
        (_IMAGES,),
        "would expire sha256:.* which is in use",
    ),
)

_DATA: tuple[Row, ...] = (
    ("DB-01", "moved-to-one-zone", "single zone", _database(MultiAZ=(False, True)), (_DATABASE,), "MultiAZ is False"),
    (
        "DB-01",
        "backups-off",
        "retention 0",
        _database(BackupRetentionPeriod=(0, 35)),
        (_DATABASE,),
        "keeps backups for 0 days",
    ),
    (
        "DB-02",
        "list-shortened",
        "replica outside the residency list",
        deeds.outputs_say(residency=["us-east-1"]),
        (_REPLICA,),
        r"shop-api-replica \(us-west-2\): lies in us-west-2",
    ),
    (
        "DB-03",
        "plain-connections",
        "no transit encryption",
        _transit(mode="preferred"),
        (_CACHE,),
        "answers plain connections too",
    ),
    (
        "DB-03",
        "transit-off",
        "no transit encryption",
        _transit(enabled=False),
        (_CACHE,),
        "TransitEncryptionEnabled is False",
    ),
    (
        "DB-04",
        "recovery-off",
        "no recovery",
        setting("dynamodb", "update_continuous_backups", wrong=_recovery(False), right=_recovery(True)),
        (_TABLES,),
        "shop-api-sessions: point-in-time recovery is DISABLED",
    ),
    (
        "ARCH-08",
        "block-removed",
        "public bucket",
        services.bucket_open,
        (_BUCKETS,),
        "shop-api-documents-123456789012: BlockPublicAcls",
    ),
)

_SECURITY: tuple[Row, ...] = (
    ("SEC-01", "rotation-stopped", "rotation off", services.key_without_rotation, (_KEYS,), "data.: is not rotated"),
    (
        "SEC-02",
        "password-in-revision",
        "a password in a task definition",
        services.candidate_runs(environment=[{"name": "DATABASE_PASSWORD", "value": "correct-horse-battery-staple"}]),
        (_SECRETS,),
        "looks like a secret: DATABASE_PASSWORD",
    ),
    (
        "SEC-03",
        "policy-by-hand",
        "Action *",
        services.role_for_everything,
        (_ROLES,),
        r"shop-api: \* on every resource by by-hand",
    ),
    (
        "SEC-04",
        "set-to-count",
        "count mode",
        services.firewall_counts,
        (_FIREWALL, _DOOR),
        "(?s)AWSManagedRulesCommonRuleSet counts only.*script injection is let in",
    ),
    (
        "SEC-04",
        "taken-off",
        "ACL not attached",
        services.firewall_away,
        (_FIREWALL, _DOOR),
        "(?s)has no web ACL.*script injection is let in",
    ),
    (
        "MON-01",
        "kept-for-ever",
        "no retention",
        services.logs_for_ever,
        (_LOGS,),
        "/ecs/shop-api: keeps its lines for ever",
    ),
)

_GATEWAYS: tuple[Row, ...] = (
    (
        "ARCH-10",
        "api-by-hand",
        "default endpoint open",
        services.gateway_by_hand(endpoint_open=True),
        (_GATEWAY,),
        "by-hand: its default endpoint is open",
    ),
    (
        "ARCH-10",
        "stage-by-hand",
        "no throttling",
        services.gateway_by_hand(stage=True),
        (_GATEWAY,),
        "by-hand by-hand: does not throttle",
    ),
    (
        "ARCH-10",
        "route-by-hand",
        "authorizer missing on a route",
        services.gateway_by_hand(route=True),
        (_GATEWAY,),
        "GET /by-hand: has no authorizer",
    ),
)


def _table(rows: tuple[Row, ...], *files: str) -> list[Defect]:
    watched = (*(f"features/infrastructure/{name}.feature" for name in files), "-m", "account")
    return [
        Defect(control=c, slug=s, break_=b, plant=World(act=deed), watched=watched, expected=red, says=says)
        for c, s, b, deed, red, says in rows
    ]


# RDS tells nothing of a replica any more: nobody knows how late it is.
_LAG_UNKNOWN = Defect(
    control="DB-02",
    slug="no-metric",
    break_="lag unknown",
    plant=World(faults={"account": {"replica_lag": "absent"}}),
    watched=("features/infrastructure/database.feature", "-m", "account"),
    expected=(_REPLICA,),
    says="its lag is unknown",
)

DEFECTS = (
    _LAG_UNKNOWN,
    *_table(_STATE_AND_PLACE, "layout_and_state"),
    *_table(_NETWORK, "network"),
    *_table(_COMPUTE, "compute", "registry"),
    *_table(_DATA, "database"),
    *_table(_SECURITY, "security", "monitoring"),
    *_table(_GATEWAYS, "gateway"),
)
