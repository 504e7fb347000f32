"""Defects of the infrastructure's containers, data and rights: one edit in a copy of the tree."""

from __future__ import annotations

from tests.defects.code_edits import Row, environment, module, planted

_NO_WAY_AROUND = "The code leaves no way around the web firewall"
_FARGATE = "The code runs services on Fargate without rights"
_SCALING = "The code scales both slots from 2 to 20"
_NAMES = "The code registers each slot under its own name"
_LIMITS = "The code limits tasks and names images by digest"
_DATABASE = "The code keeps the database in two zones, with backups"
_REPLICA = "The code keeps a replica in another allowed region"
_CACHE = "The code encrypts the cache and asks who calls"
_TABLES = "The code lets tables be recovered and sessions end"
_BUCKETS = "The code keeps buckets private, encrypted and versioned"
_KEYS = "The code rotates keys and names who may use them"
_SECRETS = "The code hands secrets over by reference and rotates them"
_ROLES = "The code gives no role everything"
_FIREWALL = "The code puts a blocking firewall before every door"
_IMAGES = "The code keeps images fixed, scanned and ours alone"
_LOGS = "The code keeps logs encrypted and for a bounded time"

_REGISTERED = """  service_registries {
    registry_arn = aws_service_discovery_service.slot[each.key].arn
  }
"""
_MEMORY_SIGNAL = '    memory   = { metric = "ECSServiceAverageMemoryUtilization", target = 70 }\n'

_RECOVERABLE = """    attribute_name = "expires_at"
    enabled        = true
  }

  point_in_time_recovery {
    enabled = true
"""
_NOT_RECOVERABLE = _RECOVERABLE.replace("{\n    enabled = true", "{\n    enabled = false")
_PULL = "Principal = { AWS = var.role_arns.execution }"
_KEPT = 'tagPrefixList = ["build-"], countType = "imageCountMoreThan", countNumber = 100'
_BY_AGE = 'tagPrefixList = ["release-"], countType = "sinceImagePushed", countUnit = "days", countNumber = 30'

_KEY = """  description             = "${var.service}: ${each.key}"
  enable_key_rotation     = """
_TOLD = "environment            = [for name, value in var.environment_variables : { name = name, value = value }]"
_PASSWORD = """environment            = [{ name = "DATABASE_PASSWORD", value = "correct-horse-battery-staple" }]"""
_BLOCKS = """    name     = "AWSManagedRulesSQLiRuleSet"
    priority = 30

    override_action {
      none {}
"""
_ATTACHED = """resource "aws_wafv2_web_acl_association" "this" {
  resource_arn = aws_lb.this.arn
  web_acl_arn  = var.web_acl_arn
}
"""

_COMPUTE: tuple[Row, ...] = (
    (
        "CMP-01",
        "privileged",
        "privileged container",
        (module("compute/main.tf", "privileged             = false", "privileged             = true"),),
        (_FARGATE,),
        "privileged",
    ),
    (
        "CMP-02",
        "minimum-1",
        "minimum 1",
        (module("compute/scaling.tf", "tasks_min = 2", "tasks_min = 1"),),
        (_SCALING,),
        "its minimum is under 2",
    ),
    (
        "CMP-02",
        "no-memory-policy",
        "no memory policy",
        (module("compute/scaling.tf", _MEMORY_SIGNAL, ""),),
        (_SCALING,),
        "it does not scale on memory",
    ),
    (
        "CMP-03",
        "not-registered",
        "service not registered",
        (module("compute/main.tf", _REGISTERED, ""),),
        (_NAMES,),
        "it is not registered in Cloud Map",
    ),
    (
        "CMP-03",
        "shared-name",
        "candidate under the public service name",
        (module("compute/main.tf", "slot[each.key].arn", 'slot["green"].arn'),),
        (_NAMES,),
        "callers would bypass the canary",
    ),
    (
        "CMP-04",
        "no-memory-limit",
        "no memory limit",
        (module("compute/main.tf", "    memory                 = var.task.container_memory_mib\n", ""),),
        (_LIMITS,),
        "shop-api has no memory limit",
    ),
    (
        "CMP-04",
        "by-tag",
        "image by tag",
        (module("compute/main.tf", "repository_url}@${var.image_digest}", "repository_url}:latest"),),
        (_LIMITS,),
        r"runs .*:latest, which names no digest",
    ),
    (
        "PROC-03",
        "mutable",
        "mutable tags",
        (module("compute/registry.tf", '"IMMUTABLE"', '"MUTABLE"'),),
        (_IMAGES,),
        "CKV_AWS_51",
    ),
    (
        "PROC-03",
        "foreign-account",
        "a foreign account may pull",
        (module("compute/registry.tf", _PULL, 'Principal = { AWS = [var.role_arns.execution, "999988887777"] }'),),
        (_IMAGES,),
        "999988887777 may pull",
    ),
    (
        "PROC-03",
        "expires-releases",
        "lifecycle that would expire the stable image",
        (module("compute/registry.tf", _KEPT, _BY_AGE),),
        (_IMAGES,),
        "it expires tagged images by sinceImagePushed 30",
    ),
    (
        "MON-01",
        "no-retention",
        "no retention",
        (module("compute/main.tf", "  retention_in_days = var.log_retention_days\n", ""),),
        (_LOGS,),
        r"modules/compute/main\.tf:\d+ .*aws_cloudwatch_log_group\.service",
    ),
)

_DATA: tuple[Row, ...] = (
    (
        "DB-01",
        "single-zone",
        "single zone",
        (
            module(
                "database/main.tf",
                "multi_az               = true\n  db_subnet_group_name   = aws_db_subnet_group.this.name",
                "multi_az               = false\n  db_subnet_group_name   = aws_db_subnet_group.this.name",
            ),
        ),
        (_DATABASE,),
        "it stands in one zone",
    ),
    (
        "DB-01",
        "retention-0",
        "retention 0",
        (
            module(
                "database/main.tf",
                "backup_retention_period   = var.backup_retention_days",
                "backup_retention_period   = 0",
            ),
        ),
        (_DATABASE,),
        "backups are kept for less than 7 days",
    ),
    (
        "DB-02",
        "same-region",
        "replica in the same region",
        (
            environment(
                "production",
                "terraform.tfvars",
                old='replica_region    = "us-west-2"',
                new='replica_region    = "us-east-1"',
            ),
        ),
        (_REPLICA,),
        "it is in its source's region",
    ),
    (
        "DB-02",
        "not-resident",
        "replica outside the residency list",
        (
            environment(
                "production",
                "terraform.tfvars",
                old='replica_region    = "us-west-2"',
                new='replica_region    = "ap-southeast-2"',
            ),
        ),
        (_REPLICA,),
        "its region ap-southeast-2 is not on the residency list",
    ),
    (
        "DB-03",
        "plain-text",
        "no transit encryption",
        (module("database/cache.tf", "transit_encryption_enabled = true", "transit_encryption_enabled = false"),),
        (_CACHE,),
        "it is not encrypted in transit",
    ),
    (
        "DB-04",
        "no-recovery",
        "no recovery",
        (
            module(
                "database/tables.tf",
                _RECOVERABLE,
                _NOT_RECOVERABLE,
            ),
        ),
        (_TABLES,),
        r"CKV_AWS_28.*aws_dynamodb_table\.sessions",
    ),
    (
        "ARCH-08",
        "public-bucket",
        "public bucket",
        (module("security/bucket/main.tf", "restrict_public_buckets = true", "restrict_public_buckets = false"),),
        (_BUCKETS,),
        "restrict_public_buckets is off",
    ),
)

_SECURITY: tuple[Row, ...] = (
    (
        "SEC-01",
        "never-rotated",
        "rotation off",
        (module("security/keys.tf", f"{_KEY}true\n", f"{_KEY}false\n"),),
        (_KEYS,),
        r"CKV_AWS_7.*modules/security/keys\.tf",
    ),
    (
        "SEC-02",
        "password-in-task",
        "a password in a task definition",
        (module("compute/main.tf", _TOLD, _PASSWORD),),
        (_SECRETS,),
        "gets DATABASE_PASSWORD in its environment",
    ),
    (
        "SEC-03",
        "everything",
        "Action *",
        (module("security/roles.tf", 'Action   = "ecr:GetAuthorizationToken"', 'Action   = "*"'),),
        (_ROLES,),
        r"aws_iam_role_policy\.execution .* it allows \* on every resource",
    ),
    (
        "SEC-04",
        "counts",
        "count mode",
        (module("security/firewall.tf", _BLOCKS, _BLOCKS.replace("none {}", "count {}")),),
        (_FIREWALL,),
        "does not block by AWSManagedRulesSQLiRuleSet",
    ),
    (
        "SEC-04",
        "not-attached",
        "ACL not attached",
        (module("networking/load_balancer.tf", _ATTACHED, ""),),
        (_FIREWALL, _NO_WAY_AROUND),
        "no web ACL is attached",
    ),
)

DEFECTS = planted((*_COMPUTE, *_DATA, *_SECURITY))
