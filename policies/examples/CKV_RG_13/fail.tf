resource "aws_ecs_task_definition" "bad_container" {
  family = "app"
  cpu    = 256
  memory = 512

  container_definitions = jsonencode([{ name = "app" }])
}

resource "aws_ecs_task_definition" "bad_task" {
  family = "app"
  cpu    = 256

  container_definitions = jsonencode([{ name = "app", memory = 192 }])
}
