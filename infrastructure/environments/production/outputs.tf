# What the engine and the features read (rollout/outputs_file.py, docs/real-account.md): `terraform output -json` is their
# outputs file, so no ARN is ever copied by hand. The same file in every environment.

output "region" {
  description = "Region of everything below."
  value       = var.region
}

output "account_id" {
  description = "Account of everything below."
  value       = var.account_id
}

output "topology" {
  description = "direct or gateway."
  value       = var.topology
}

output "load_balancer_arn" {
  description = "The load balancer whose metrics are read."
  value       = module.networking.load_balancer.arn
}

output "load_balancer_dns_name" {
  description = "Where its records lead."
  value       = module.networking.load_balancer.dns_name
}

output "listener_arn" {
  description = "The HTTPS listener."
  value       = module.networking.listener_arn
}

output "rule_arn" {
  description = "The rule that carries the customers."
  value       = module.networking.rule_arn
}

output "target_group_arns" {
  description = "Target groups by slot."
  value       = { for slot, one in module.networking.target_groups : slot => one.arn }
}

output "cluster_name" {
  description = "The ECS cluster."
  value       = module.compute.cluster.name
}

output "service_names" {
  description = "ECS services by slot."
  value       = module.compute.service_names
}

output "task_definition_family" {
  description = "Family of new revisions."
  value       = module.compute.task_definition_family
}

output "container_name" {
  description = "The container whose image is released."
  value       = module.compute.container_name
}

output "image_repository" {
  description = "Completes an image that is named by its digest alone."
  value       = module.compute.repositories["service"].url
}

output "state_table" {
  description = "The table of rollouts."
  value       = module.release.state_table
}

output "alert_topic_arn" {
  description = "The topic of alerts."
  value       = module.release.alert_topic_arn
}

output "heartbeat_namespace" {
  description = "Where controllers beat."
  value       = module.release.heartbeat_namespace
}

output "public_host" {
  description = "The customers' host."
  value       = module.networking.hosts.public
}

output "test_hosts" {
  description = "Each slot's own host, behind the header below."
  value       = module.networking.hosts.test
}

output "test_header_name" {
  description = "The header that a slot's own host asks for."
  value       = module.networking.test_header_name
}

output "test_header_value" {
  description = "The value it asks for."
  value       = var.test_header_value
  sensitive   = true
}

output "hosted_zone_id" {
  description = "The hosted zone of all hosts."
  value       = module.networking.hosted_zone_id
}

output "certificate_arn" {
  description = "The listener's certificate."
  value       = module.networking.certificate_arn
}

output "role_arns" {
  description = "Roles of the engine: observer, reader, submitter, controller."
  value       = module.release.role_arns
}

# What the account is held to besides (infrastructure/declaration.py): named as probes/account/declared.py does.

output "residency" {
  description = "Regions in which data may lie."
  value       = var.residency_regions
}

output "nat_per_zone" {
  description = "Whether every zone has a NAT gateway of its own."
  value       = var.nat_gateway_per_zone
}

output "backup_days_min" {
  description = "Days that backups are kept."
  value       = var.backup_retention_days
}

output "replica_lag_seconds_max" {
  description = "How far the replica may be behind."
  value       = var.replica_lag_seconds_max
}

output "session_tables" {
  description = "Tables whose items have to end by themselves."
  value       = [module.database.tables["sessions"].name]
}

output "public_routes" {
  description = "Routes that answer without a token, of the API gateway where there is one."
  value       = local.open_routes
}

output "pull_roles" {
  description = "Who may pull images: ARNs of roles, and names of AWS's services."
  value       = module.compute.pullers
}

output "deploy_roles" {
  description = "Names of the roles that pipelines take."
  value       = module.release.pipeline_role_names
}

output "engine_role" {
  description = "Name of the role that moves traffic."
  value       = module.release.controller_role_name
}
