variable "image" {
  type = string
}

resource "aws_ecs_task_definition" "open" {
  family = "app"

  container_definitions = jsonencode([{ name = "app", image = var.image }])
}
