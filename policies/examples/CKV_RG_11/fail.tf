resource "aws_ecs_task_definition" "bad" {
  family = "app"

  container_definitions = jsonencode([{ name = "app", image = "registry.example/app:1.4.2" }])
}

resource "aws_ecs_task_definition" "bad_latest" {
  family = "app"

  container_definitions = jsonencode([{ name = "app", image = "registry.example/app@sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa" }, { name = "side", image = "side" }])
}

variable "repository" {
  type = string
}

resource "aws_ecs_task_definition" "bad_unknown_repository" {
  family = "app"

  container_definitions = jsonencode([{ name = "app", image = "${var.repository}:latest" }])
}
