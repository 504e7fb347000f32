resource "aws_ecs_task_definition" "good" {
  family = "app"

  container_definitions = jsonencode([{ name = "app", readonlyRootFilesystem = true, user = "10001:10001" }])
}
