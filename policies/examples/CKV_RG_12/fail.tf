resource "aws_ecs_task_definition" "bad_privileged" {
  family = "app"

  container_definitions = jsonencode([{ name = "app", readonlyRootFilesystem = true, user = "10001", privileged = true }])
}

resource "aws_ecs_task_definition" "bad_writable" {
  family = "app"

  container_definitions = jsonencode([{ name = "app", user = "10001" }])
}

resource "aws_ecs_task_definition" "bad_root" {
  family = "app"

  container_definitions = jsonencode([{ name = "app", readonlyRootFilesystem = true, user = "root" }])
}
