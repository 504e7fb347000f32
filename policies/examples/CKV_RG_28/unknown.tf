variable "environment" {
  type = any
}

resource "aws_ecs_task_definition" "open" {
  family = "app"

  container_definitions = jsonencode([{ name = "app", environment = var.environment }])
}
