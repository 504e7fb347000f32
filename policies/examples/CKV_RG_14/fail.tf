resource "aws_ecs_task_definition" "bad_silent" {
  family = "app"

  container_definitions = jsonencode([{ name = "app", healthCheck = { command = ["CMD", "/health"] } }])
}

resource "aws_ecs_task_definition" "bad_unchecked" {
  family = "app"

  container_definitions = jsonencode([{ name = "app", logConfiguration = { logDriver = "awslogs" } }])
}

resource "aws_ecs_task_definition" "bad_switched_off" {
  family = "app"

  container_definitions = jsonencode([{ name = "app", logConfiguration = { logDriver = "awslogs" }, healthCheck = { command = ["NONE"] } }])
}
