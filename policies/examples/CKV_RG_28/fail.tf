resource "aws_ecs_task_definition" "bad_name" {
  family = "app"

  container_definitions = jsonencode([{ name = "app", environment = [{ name = "DB_PASSWORD", value = "example" }] }])
}

resource "aws_ecs_task_definition" "bad_value" {
  family = "app"

  container_definitions = jsonencode([{ name = "app", environment = [{ name = "DATABASE", value = "postgres://app:example@db/app" }] }])
}
