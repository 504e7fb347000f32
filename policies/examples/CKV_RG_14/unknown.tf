variable "check" {
  type = any
}

resource "aws_ecs_task_definition" "open" {
  family = "app"

  container_definitions = jsonencode([{ name = "app", logConfiguration = { logDriver = "awslogs" }, healthCheck = var.check }])
}
