variable "user" {
  type = string
}

resource "aws_ecs_task_definition" "open" {
  family = "app"

  container_definitions = jsonencode([{ name = "app", readonlyRootFilesystem = true, user = var.user }])
}
