variable "digest" {
  type = string
}

resource "aws_ecr_repository" "app" {
  name = "app"
}

resource "aws_ecs_task_definition" "good" {
  family = "app"

  container_definitions = jsonencode([{ name = "app", image = "registry.example/app@sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa" }])
}

resource "aws_ecs_task_definition" "good_by_variable" {
  family = "app"

  container_definitions = jsonencode([{ name = "app", image = "${aws_ecr_repository.app.repository_url}@${var.digest}" }])
}
