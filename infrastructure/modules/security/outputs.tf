output "key_arns" {
  description = "Keys by purpose: data, logs, messages, secrets."
  value       = { for purpose, one in aws_kms_key.this : purpose => one.arn }
}

output "replica_key_arns" {
  description = "Keys of the replica's region by purpose: data, logs, messages."
  value       = { for purpose, one in aws_kms_key.replica : purpose => one.arn }
}

output "role_arns" {
  description = "Roles: execution, task, flow_logs, database_monitoring."
  value = {
    execution           = aws_iam_role.execution.arn
    task                = aws_iam_role.task.arn
    flow_logs           = aws_iam_role.flow_logs.arn
    database_monitoring = aws_iam_role.database_monitoring.arn
  }
}

output "log_bucket_name" {
  description = "Bucket of access logs, ready to be written to."
  value       = module.log_bucket.name
}

output "bucket_names" {
  description = "Buckets by purpose: logs, trail, documents, evidence."
  value       = merge({ logs = module.log_bucket.name }, { for purpose, one in module.bucket : purpose => one.name })
}

output "signing_key_secret_arn" {
  description = "The secret that holds the key of tokens; a reference, never the value."
  value       = aws_secretsmanager_secret.signing_key.arn
}

output "web_acl_arn" {
  description = "The WAF's web ACL."
  value       = aws_wafv2_web_acl.this.arn
}

output "trail_arn" {
  description = "The audit trail."
  value       = aws_cloudtrail.this.arn
}
