"""Defects of the infrastructure's code: one edit in a copy of the tree, as somebody in a hurry would make it."""

from __future__ import annotations

from tests.defects.model import CodeEdit, Defect

Edit = tuple[str, str, str]

_CODE = ("features/infrastructure", "-m", "code")
_ENVIRONMENTS = ("production", "staging", "development")

_LAYOUT = "Every environment has the guide's files and modules"
_ALIKE = "Environments differ only in their variables"
_LEFT_ALONE = "An apply leaves to the engine what the engine moves"
_STATE = "The code keeps its state remote, locked and encrypted"
_PINNED = "Providers are pinned to versions and to one account"
_NO_SECRET = "No secret stands in a file"
_NEVER_COPIED = "The engine's settings are read and never copied"
_ROLES_WRITE = "The roles let logins and services open enough files"
_SUBNETS = "The code spreads private and public subnets over zones"
_GROUPS = "The code opens single ports to named groups"
_ACLS = "The code gives every subnet a network ACL of its own"
_BALANCER = "The code ends TLS at a guarded load balancer"
_NAT = "The code lets private subnets out through NAT alone"
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
_GATEWAY = "The code throttles, logs and guards the API gateway"
_LOGS = "The code keeps logs encrypted and for a bounded time"
_ALARMS = "The code's alarms are as strict as the triggers"


def _module(file: str, old: str, new: str) -> Edit:
    return (f"infrastructure/modules/{file}", old, new)


def _environment(name: str, file: str, *, old: str, new: str) -> Edit:
    return (f"infrastructure/environments/{name}/{file}", old, new)


def _shared(file: str, old: str, new: str) -> tuple[Edit, ...]:
    """In the original and in every environment's copy of it: no environment stands out."""
    copies = tuple(_environment(name, file, old=old, new=new) for name in _ENVIRONMENTS)
    return ((f"infrastructure/shared/{file}", old, new), *copies)


_BEHIND_A_GATEWAY = _environment(
    "production", "terraform.tfvars", old='topology             = "direct"', new='topology             = "gateway"'
)

_MONITORING = """module "monitoring" {
  source = "../../modules/monitoring"

  service              = var.service
  region               = var.region
  load_balancer_suffix = module.networking.load_balancer.suffix
  cluster_name         = module.compute.cluster.name
  alert_topic_arn      = module.release.alert_topic_arn
  triggers             = var.triggers

  slots = {
    for slot, group in module.networking.target_groups :
    slot => { target_group_suffix = group.suffix, service_name = module.compute.service_names[slot] }
  }
}
"""

_DATABASE_FOR_ALL = """resource "aws_vpc_security_group_ingress_rule" "database" {
  security_group_id = aws_security_group.this["database"].id
  cidr_ipv4         = "0.0.0.0/0"
  ip_protocol       = "tcp"
  from_port         = 5432
  to_port           = 5432
}

"""
_INGRESS = 'resource "aws_vpc_security_group_ingress_rule" "path" {'
_FROM = """  description                  = "From ${each.value.from}"
  ip_protocol                  = "tcp"
  from_port                    = each.value.port
  to_port                      = each.value.port
"""

_ALLOW_ALL = """resource "aws_network_acl_rule" "open" {
  network_acl_id = aws_network_acl.data.id
  rule_number    = 50
  egress         = false
  protocol       = "-1"
  rule_action    = "allow"
  cidr_block     = "0.0.0.0/0"
}

"""
_DATA_ACL = 'resource "aws_network_acl" "data" {'

_REDIRECT = """    type = "redirect"

    redirect {
      protocol    = "HTTPS"
      port        = "443"
      status_code = "HTTP_301"
    }
"""
_FORWARD = """    type             = "forward"
    target_group_arn = aws_lb_target_group.this["green"].arn
"""
_THROUGH_NAT = (
    "nat_gateway_id         = try(aws_nat_gateway.this[each.key], aws_nat_gateway.this[local.nat_zones[0]]).id"
)

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
_THROTTLED = """  default_route_settings {
    throttling_rate_limit    = var.gateway.requests_per_second_max
    throttling_burst_limit   = var.gateway.requests_per_second_max
    detailed_metrics_enabled = true
  }
"""
_GUARDED = """  authorization_type = "JWT"
  authorizer_id      = aws_apigatewayv2_authorizer.tokens[0].id
"""

Row = tuple[str, str, str, tuple[Edit, ...], tuple[str, ...], str]

_TREE: tuple[Row, ...] = (
    (
        "IAC-01",
        "lacks-monitoring",
        "an environment that lacks a module",
        (_environment("staging", "main.tf", old=_MONITORING, new=""),),
        (_LAYOUT, _ALIKE, _ALARMS),  # no alarm is left in it either
        "staging lacks the module monitoring",
    ),
    (
        "IAC-02",
        "local-state",
        "local state",
        _shared("backend.tf", 'backend "s3" {', 'backend "local" {'),
        (_STATE,),
        r"environments/\w+/backend\.tf:\d+ .* its state is kept by local",
    ),
    (
        "IAC-03",
        "1024-files",
        "a limit on open files left at 1024",
        (("infrastructure/ansible/roles/base/defaults/main.yml", "base_open_files: 65536", "base_open_files: 1024"),),
        (_ROLES_WRITE,),
        r"may open 1024 files.*65536 are needed",
    ),
    (
        "IAC-04",
        "unpinned",
        "provider unpinned",
        _shared("provider.tf", 'version = "5.100.0"', 'version = ">= 5.0"'),
        (_PINNED,),
        r"aws is not pinned \(>= 5\.0\)",
    ),
    (
        "IAC-04",
        "password",
        "password in tfvars",
        (
            _environment(
                "production",
                "terraform.tfvars",
                old='service                 = "shop-api"\n',
                new='service                 = "shop-api"\ndatabase_password       = "correct-horse-battery-staple"\n',
            ),
        ),
        (_NO_SECRET, _SECRETS),
        r"production/terraform\.tfvars:\d+ variable\.database_password .* it holds a secret in plain text",
    ),
    (
        "IAC-04",
        "any-account",
        "applied in another account",
        _shared(
            "provider.tf",
            "= var.region\n  allowed_account_ids         = var.offline ? null : [var.account_id]\n",
            "= var.region\n",
        ),
        (_PINNED,),
        "any account that the credentials belong to",
    ),
    (
        "IAC-04",
        "arn-by-hand",
        "ARN copied by hand and stale",
        (
            _module(
                "compute/main.tf",
                "task_role_arn            = var.role_arns.task",
                'task_role_arn            = "arn:aws:iam::123456789012:role/shop-api-2024"',
            ),
        ),
        (_NEVER_COPIED,),
        r"modules/compute/main\.tf:\d+ copies arn:aws:iam::123456789012:role/shop-api-2024",
    ),
)

_NETWORK: tuple[Row, ...] = (
    (
        "NET-01",
        "one-zone",
        "one zone",
        (
            _environment(
                "production",
                "terraform.tfvars",
                old='availability_zones   = ["a", "b", "c"]',
                new='availability_zones   = ["a"]',
            ),
        ),
        (_SUBNETS,),
        "it is in 1 zone, not in 2 or more",
    ),
    (
        "NET-01",
        "public-subnet",
        "service in a public subnet",
        (
            _module(
                "networking/outputs.tf",
                "value       = [for one in aws_subnet.private : one.id]",
                "value       = [for one in aws_subnet.public : one.id]",
            ),
        ),
        (_SUBNETS, _FARGATE, _NO_WAY_AROUND, _NAT),
        "is a public subnet",
    ),
    (
        "NET-02",
        "database-for-all",
        "0.0.0.0/0 to 5432",
        (_module("networking/security_groups.tf", _INGRESS, _DATABASE_FOR_ALL + _INGRESS),),
        (_GROUPS, _NO_WAY_AROUND),
        "opens tcp 5432-5432 to the world",
    ),
    (
        "NET-02",
        "all-ports",
        "all ports between groups",
        (_module("networking/security_groups.tf", _FROM, '  ip_protocol                  = "-1"\n'),),
        (_GROUPS,),
        "every port",
    ),
    (
        "NET-03",
        "allow-all",
        "allow all",
        (_module("networking/network_acls.tf", _DATA_ACL, _ALLOW_ALL + _DATA_ACL),),
        (_ACLS,),
        "it allows every",
    ),
    (
        "NET-04",
        "http-forwards",
        "HTTP listener that forwards",
        (_module("networking/load_balancer.tf", _REDIRECT, _FORWARD),),
        (_BALANCER, _LEFT_ALONE, _NO_WAY_AROUND),  # it forwards without the other slot, and an apply would set it back
        "answers plain HTTP instead of redirecting",
    ),
    (
        "NET-05",
        "to-the-internet",
        "route to the internet gateway",
        (_module("networking/main.tf", _THROUGH_NAT, "gateway_id             = aws_internet_gateway.this.id"),),
        (_NAT, _SUBNETS, _FARGATE, _NO_WAY_AROUND),  # what can be reached from the internet is no private subnet
        "leads to an internet gateway",
    ),
    (
        "ARCH-01",
        "public-address",
        "service reachable directly",
        (_module("compute/main.tf", "assign_public_ip = false", "assign_public_ip = true"),),
        (_NO_WAY_AROUND, _SUBNETS, _FARGATE),
        "its tasks get public addresses",
    ),
    (
        "ARCH-01",
        "public-behind-gateway",
        "load balancer public in the gateway topology",
        (
            _BEHIND_A_GATEWAY,
            _module(
                "networking/load_balancer.tf",
                "internal                   = !local.is_direct",
                "internal                   = false",
            ),
        ),
        (_NO_WAY_AROUND,),
        "the world reaches it past the API gateway",
    ),
    (
        "ARCH-10",
        "default-endpoint",
        "default endpoint open",
        (
            _BEHIND_A_GATEWAY,
            _module(
                "networking/gateway.tf", "disable_execute_api_endpoint = true", "disable_execute_api_endpoint = false"
            ),
        ),
        (_GATEWAY,),
        "CKV_RG_51",
    ),
    (
        "ARCH-10",
        "not-throttled",
        "no throttling",
        (_BEHIND_A_GATEWAY, _module("networking/gateway.tf", _THROTTLED, "")),
        (_GATEWAY,),
        "CKV_RG_49",
    ),
    (
        "ARCH-10",
        "no-authorizer",
        "authorizer missing on a route",
        (_BEHIND_A_GATEWAY, _module("networking/gateway.tf", _GUARDED, '  authorization_type = "NONE"\n')),
        (_GATEWAY,),
        r"aws_apigatewayv2_route\.guarded.*asks for no authorization",
    ),
)

_COMPUTE: tuple[Row, ...] = (
    (
        "CMP-01",
        "privileged",
        "privileged container",
        (_module("compute/main.tf", "privileged             = false", "privileged             = true"),),
        (_FARGATE,),
        "privileged",
    ),
    (
        "CMP-02",
        "minimum-1",
        "minimum 1",
        (_module("compute/scaling.tf", "tasks_min = 2", "tasks_min = 1"),),
        (_SCALING,),
        "its minimum is under 2",
    ),
    (
        "CMP-02",
        "no-memory-policy",
        "no memory policy",
        (_module("compute/scaling.tf", _MEMORY_SIGNAL, ""),),
        (_SCALING,),
        "it does not scale on memory",
    ),
    (
        "CMP-03",
        "not-registered",
        "service not registered",
        (_module("compute/main.tf", _REGISTERED, ""),),
        (_NAMES,),
        "it is not registered in Cloud Map",
    ),
    (
        "CMP-03",
        "shared-name",
        "candidate under the public service name",
        (_module("compute/main.tf", "slot[each.key].arn", 'slot["green"].arn'),),
        (_NAMES,),
        "callers would bypass the canary",
    ),
    (
        "CMP-04",
        "no-memory-limit",
        "no memory limit",
        (_module("compute/main.tf", "    memory                 = var.task.container_memory_mib\n", ""),),
        (_LIMITS,),
        "shop-api has no memory limit",
    ),
    (
        "CMP-04",
        "by-tag",
        "image by tag",
        (_module("compute/main.tf", "repository_url}@${var.image_digest}", "repository_url}:latest"),),
        (_LIMITS,),
        r"runs .*:latest, which names no digest",
    ),
    (
        "PROC-03",
        "mutable",
        "mutable tags",
        (_module("compute/registry.tf", '"IMMUTABLE"', '"MUTABLE"'),),
        (_IMAGES,),
        "CKV_AWS_51",
    ),
    (
        "PROC-03",
        "foreign-account",
        "a foreign account may pull",
        (_module("compute/registry.tf", _PULL, 'Principal = { AWS = [var.role_arns.execution, "999988887777"] }'),),
        (_IMAGES,),
        "999988887777 may pull",
    ),
    (
        "PROC-03",
        "expires-releases",
        "lifecycle that would expire the stable image",
        (_module("compute/registry.tf", _KEPT, _BY_AGE),),
        (_IMAGES,),
        "it expires tagged images by sinceImagePushed 30",
    ),
    (
        "MON-01",
        "no-retention",
        "no retention",
        (_module("compute/main.tf", "  retention_in_days = var.log_retention_days\n", ""),),
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
            _module(
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
            _module(
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
            _environment(
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
            _environment(
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
        (_module("database/cache.tf", "transit_encryption_enabled = true", "transit_encryption_enabled = false"),),
        (_CACHE,),
        "it is not encrypted in transit",
    ),
    (
        "DB-04",
        "no-recovery",
        "no recovery",
        (
            _module(
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
        (_module("security/bucket/main.tf", "restrict_public_buckets = true", "restrict_public_buckets = false"),),
        (_BUCKETS,),
        "restrict_public_buckets is off",
    ),
)

_SECURITY: tuple[Row, ...] = (
    (
        "SEC-01",
        "never-rotated",
        "rotation off",
        (_module("security/keys.tf", f"{_KEY}true\n", f"{_KEY}false\n"),),
        (_KEYS,),
        r"CKV_AWS_7.*modules/security/keys\.tf",
    ),
    (
        "SEC-02",
        "password-in-task",
        "a password in a task definition",
        (_module("compute/main.tf", _TOLD, _PASSWORD),),
        (_SECRETS,),
        "gets DATABASE_PASSWORD in its environment",
    ),
    (
        "SEC-03",
        "everything",
        "Action *",
        (_module("security/roles.tf", 'Action   = "ecr:GetAuthorizationToken"', 'Action   = "*"'),),
        (_ROLES,),
        r"aws_iam_role_policy\.execution .* it allows \* on every resource",
    ),
    (
        "SEC-04",
        "counts",
        "count mode",
        (_module("security/firewall.tf", _BLOCKS, _BLOCKS.replace("none {}", "count {}")),),
        (_FIREWALL,),
        "does not block by AWSManagedRulesSQLiRuleSet",
    ),
    (
        "SEC-04",
        "not-attached",
        "ACL not attached",
        (_module("networking/load_balancer.tf", _ATTACHED, ""),),
        (_FIREWALL, _NO_WAY_AROUND),
        "no web ACL is attached",
    ),
)

DEFECTS = tuple(
    Defect(
        control=control, slug=slug, break_=broken, plant=CodeEdit(edits=edits), watched=_CODE, expected=red, says=says
    )
    for control, slug, broken, edits, red, says in (*_TREE, *_NETWORK, *_COMPUTE, *_DATA, *_SECURITY)
)
