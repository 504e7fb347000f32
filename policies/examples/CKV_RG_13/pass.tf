resource "aws_ecs_task_definition" "good" {
  family = "app"
  cpu    = 256
  memory = 512

  container_definitions = jsonencode([{ name = "app", memory = 192 }])
}
