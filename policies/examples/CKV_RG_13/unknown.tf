variable "memory" {
  type = number
}

resource "aws_ecs_task_definition" "open" {
  family = "app"
  cpu    = 256
  memory = 512

  container_definitions = jsonencode([{ name = "app", memory = var.memory }])
}
