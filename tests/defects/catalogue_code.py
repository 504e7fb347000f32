"""Defects of the infrastructure's layout, variables and network: one edit in a copy of the tree."""

from __future__ import annotations

from tests.defects.code_edits import Row, environment, module, planted, shared

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
_SECRETS = "The code hands secrets over by reference and rotates them"
_GATEWAY = "The code throttles, logs and guards the API gateway"
_ALARMS = "The code's alarms are as strict as the triggers"

_BEHIND_A_GATEWAY = environment(
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

_THROTTLED = """  default_route_settings {
    throttling_rate_limit    = var.gateway.requests_per_second_max
    throttling_burst_limit   = var.gateway.requests_per_second_max
    detailed_metrics_enabled = true
  }
"""
_GUARDED = """  authorization_type = "JWT"
  authorizer_id      = aws_apigatewayv2_authorizer.tokens[0].id
"""

_TREE: tuple[Row, ...] = (
    (
        "IAC-01",
        "lacks-monitoring",
        "an environment that lacks a module",
        (environment("staging", "main.tf", old=_MONITORING, new=""),),
        (_LAYOUT, _ALIKE, _ALARMS),  # no alarm is left in it either
        "staging lacks the module monitoring",
    ),
    (
        "IAC-02",
        "local-state",
        "local state",
        shared("backend.tf", 'backend "s3" {', 'backend "local" {'),
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
        shared("provider.tf", 'version = "5.100.0"', 'version = ">= 5.0"'),
        (_PINNED,),
        r"aws is not pinned \(>= 5\.0\)",
    ),
    (
        "IAC-04",
        "password",
        "password in tfvars",
        (
            environment(
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
        shared(
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
            module(
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
            environment(
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
            module(
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
        (module("networking/security_groups.tf", _INGRESS, _DATABASE_FOR_ALL + _INGRESS),),
        (_GROUPS, _NO_WAY_AROUND),
        "opens tcp 5432-5432 to the world",
    ),
    (
        "NET-02",
        "all-ports",
        "all ports between groups",
        (module("networking/security_groups.tf", _FROM, '  ip_protocol                  = "-1"\n'),),
        (_GROUPS,),
        "every port",
    ),
    (
        "NET-03",
        "allow-all",
        "allow all",
        (module("networking/network_acls.tf", _DATA_ACL, _ALLOW_ALL + _DATA_ACL),),
        (_ACLS,),
        "it allows every",
    ),
    (
        "NET-04",
        "http-forwards",
        "HTTP listener that forwards",
        (module("networking/load_balancer.tf", _REDIRECT, _FORWARD),),
        (_BALANCER, _LEFT_ALONE, _NO_WAY_AROUND),  # it forwards without the other slot, and an apply would set it back
        "answers plain HTTP instead of redirecting",
    ),
    (
        "NET-05",
        "to-the-internet",
        "route to the internet gateway",
        (module("networking/main.tf", _THROUGH_NAT, "gateway_id             = aws_internet_gateway.this.id"),),
        (_NAT, _SUBNETS, _FARGATE, _NO_WAY_AROUND),  # what can be reached from the internet is no private subnet
        "leads to an internet gateway",
    ),
    (
        "ARCH-01",
        "public-address",
        "service reachable directly",
        (module("compute/main.tf", "assign_public_ip = false", "assign_public_ip = true"),),
        (_NO_WAY_AROUND, _SUBNETS, _FARGATE),
        "its tasks get public addresses",
    ),
    (
        "ARCH-01",
        "public-behind-gateway",
        "load balancer public in the gateway topology",
        (
            _BEHIND_A_GATEWAY,
            module(
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
            module(
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
        (_BEHIND_A_GATEWAY, module("networking/gateway.tf", _THROTTLED, "")),
        (_GATEWAY,),
        "CKV_RG_49",
    ),
    (
        "ARCH-10",
        "no-authorizer",
        "authorizer missing on a route",
        (_BEHIND_A_GATEWAY, module("networking/gateway.tf", _GUARDED, '  authorization_type = "NONE"\n')),
        (_GATEWAY,),
        r"aws_apigatewayv2_route\.guarded.*asks for no authorization",
    ),
)

DEFECTS = planted((*_TREE, *_NETWORK))
