resource "aws_ecs_task_definition" "good" {
  family = "app"

  container_definitions = jsonencode([{ name = "app", logConfiguration = { logDriver = "awslogs" }, healthCheck = { command = ["CMD", "/health"] } }, { name = "side", essential = false, logConfiguration = { logDriver = "awslogs" } }])
}
