output "database" {
  description = "Of the primary: address (host:port), identifier, and the resource id that IAM signs in with."
  value = {
    endpoint    = aws_db_instance.primary.endpoint
    identifier  = aws_db_instance.primary.identifier
    resource_id = aws_db_instance.primary.resource_id
    name        = aws_db_instance.primary.db_name
  }
}

output "replica_identifier" {
  description = "The replica, in its own region."
  value       = aws_db_instance.replica.identifier
}

output "cache" {
  description = "Of Redis: address, ARN of the group, and ARN and name of the user that tasks are."
  value = {
    endpoint  = aws_elasticache_replication_group.this.primary_endpoint_address
    group_arn = aws_elasticache_replication_group.this.arn
    user_arn  = aws_elasticache_user.service.arn
    user_name = aws_elasticache_user.service.user_name
  }
}

output "tables" {
  description = "ARNs and names of the tables."
  value = {
    for purpose, one in { sessions = aws_dynamodb_table.sessions, configuration = aws_dynamodb_table.configuration } :
    purpose => { arn = one.arn, name = one.name }
  }
}
