resource "aws_lb_target_group" "blue" {
  name = "blue"
}

resource "aws_lb_target_group" "green" {
  name = "green"
}

resource "aws_ecs_service" "blue" {
  name = "blue"

  load_balancer {
    target_group_arn = aws_lb_target_group.blue.arn
    container_name   = "app"
    container_port   = 8080
  }
}

resource "aws_appautoscaling_target" "bad_low" {
  service_namespace  = "ecs"
  scalable_dimension = "ecs:service:DesiredCount"
  resource_id        = "service/main/${aws_ecs_service.blue.name}"
  min_capacity       = 1
  max_capacity       = 20
}

resource "aws_ecs_service" "green" {
  name = "green"

  load_balancer {
    target_group_arn = aws_lb_target_group.blue.arn
    container_name   = "app"
    container_port   = 8080
  }
}

resource "aws_appautoscaling_target" "bad_high" {
  service_namespace  = "ecs"
  scalable_dimension = "ecs:service:DesiredCount"
  resource_id        = "service/main/${aws_ecs_service.green.name}"
  min_capacity       = 2
  max_capacity       = 21
}

resource "aws_ecs_service" "bad_without" {
  name = "third"

  load_balancer {
    target_group_arn = aws_lb_target_group.blue.arn
    container_name   = "app"
    container_port   = 8080
  }
}
