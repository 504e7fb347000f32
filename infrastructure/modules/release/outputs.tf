output "state_table" {
  description = "The table of rollouts."
  value       = aws_dynamodb_table.rollouts.name
}

output "alert_topic_arn" {
  description = "The topic of alerts, once alarms may publish to it."
  value       = aws_sns_topic_policy.alerts.arn
}

output "heartbeat_namespace" {
  description = "Where controllers beat."
  value       = local.heartbeat_namespace
}

output "role_arns" {
  description = "Roles of the engine: observer, reader, submitter, controller."
  value       = { for name, one in aws_iam_role.engine : name => one.arn }
}

output "pipeline_role_names" {
  description = "Roles that a pipeline takes by the forge's token."
  value       = [for name, one in local.roles : aws_iam_role.engine[name].name if one.trust == local.forge_trust]
}

output "controller_role_name" {
  description = "The role that moves traffic."
  value       = aws_iam_role.engine["controller"].name
}

output "load_generator_group_name" {
  description = "The auto scaling group of load generators."
  value       = aws_autoscaling_group.load.name
}
