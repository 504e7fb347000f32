resource "aws_lb_target_group" "blue" {
  name = "blue"
}

resource "aws_lb_target_group" "green" {
  name = "green"
}
variable "low" {
  type = number
}

resource "aws_ecs_service" "blue" {
  name = "blue"

  load_balancer {
    target_group_arn = aws_lb_target_group.blue.arn
    container_name   = "app"
    container_port   = 8080
  }
}

resource "aws_appautoscaling_target" "open" {
  service_namespace  = "ecs"
  scalable_dimension = "ecs:service:DesiredCount"
  resource_id        = "service/main/${aws_ecs_service.blue.name}"
  min_capacity       = var.low
  max_capacity       = 20
}
