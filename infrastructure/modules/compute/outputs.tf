output "cluster" {
  description = "Name and ARN of the cluster."
  value       = { name = aws_ecs_cluster.this.name, arn = aws_ecs_cluster.this.arn }
}

output "service_names" {
  description = "ECS services by slot."
  value       = { for slot, one in aws_ecs_service.this : slot => one.name }
}

output "task_definition_family" {
  description = "Family of the service's revisions."
  value       = aws_ecs_task_definition.service.family
}

output "container_name" {
  description = "The container whose image is released."
  value       = var.service
}

output "repositories" {
  description = "Image repositories: service and engine, each with address and ARN."
  value       = { for name, one in aws_ecr_repository.this : name => { url = one.repository_url, arn = one.arn } }
}

output "pullers" {
  description = "Who may pull images: the tasks' execution role, and AWS's service of functions."
  value       = [var.role_arns.execution, local.functions]
}
