resource "aws_elasticache_user_group" "main" {
  engine        = "redis"
  user_group_id = "main"
}

resource "aws_elasticache_replication_group" "bad_transit" {
  transit_encryption_enabled = false
  at_rest_encryption_enabled = true
  automatic_failover_enabled = true
  multi_az_enabled           = true
  user_group_ids             = [aws_elasticache_user_group.main.id]
}

resource "aws_elasticache_replication_group" "bad_open" {
  transit_encryption_enabled = true
  at_rest_encryption_enabled = true
  automatic_failover_enabled = true
  multi_az_enabled           = true
}

resource "aws_elasticache_replication_group" "bad_failover" {
  transit_encryption_enabled = true
  at_rest_encryption_enabled = true
  multi_az_enabled           = true
  user_group_ids             = [aws_elasticache_user_group.main.id]
}
