resource "aws_ecs_service" "bad_launch" {
  launch_type = "EC2"
}

resource "aws_ecs_service" "bad_controller" {
  launch_type = "FARGATE"

  deployment_controller {
    type = "CODE_DEPLOY"
  }
}
