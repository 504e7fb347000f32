# Redis for rate limits, shared by both slots. Encrypted both ways; tasks sign in with IAM as the one user that may do
# anything, so there is no password in any state.

locals {
  cache_log = "/elasticache/${var.service}"
}

resource "aws_elasticache_subnet_group" "this" {
  name       = var.service
  subnet_ids = var.network.subnet_ids
}

# A group needs a user named default; this one is off and may do nothing.
resource "aws_elasticache_user" "nobody" {
  user_id       = "${var.service}-nobody"
  user_name     = "default"
  engine        = "redis"
  access_string = "off -@all"

  authentication_mode {
    type = "no-password-required"
  }
}

resource "aws_elasticache_user" "service" {
  user_id       = var.service
  user_name     = var.service # IAM signs in with the id
  engine        = "redis"
  access_string = "on ~* +@all -@admin -@dangerous"

  authentication_mode {
    type = "iam"
  }
}

resource "aws_elasticache_user_group" "this" {
  user_group_id = var.service
  engine        = "redis"
  user_ids      = [aws_elasticache_user.nobody.user_id, aws_elasticache_user.service.user_id]
}

resource "aws_cloudwatch_log_group" "cache" {
  name              = local.cache_log
  retention_in_days = var.log_retention_days
  kms_key_id        = var.key_arns.logs
}

resource "aws_elasticache_replication_group" "this" {
  replication_group_id       = var.service
  description                = "Rate limits of ${var.service}"
  engine                     = "redis"
  engine_version             = "7.1"
  parameter_group_name       = "default.redis7"
  node_type                  = var.cache_node_type
  num_cache_clusters         = 2
  automatic_failover_enabled = true
  multi_az_enabled           = true
  subnet_group_name          = aws_elasticache_subnet_group.this.name
  security_group_ids         = [var.network.cache_security_group]

  at_rest_encryption_enabled = true
  kms_key_id                 = var.key_arns.data
  transit_encryption_enabled = true
  transit_encryption_mode    = "required"
  user_group_ids             = [aws_elasticache_user_group.this.user_group_id]

  snapshot_retention_limit   = 7
  snapshot_window            = "02:30-03:30"
  maintenance_window         = "sun:04:00-sun:05:00"
  auto_minor_version_upgrade = true

  log_delivery_configuration {
    destination      = aws_cloudwatch_log_group.cache.name
    destination_type = "cloudwatch-logs"
    log_format       = "json"
    log_type         = "slow-log"
  }
}
