resource "aws_ecs_service" "good" {
  launch_type = "FARGATE"
}

resource "aws_ecs_service" "good_spot" {
  capacity_provider_strategy {
    capacity_provider = "FARGATE_SPOT"
    weight            = 1
  }
}
