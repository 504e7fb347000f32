resource "aws_lb_target_group" "blue" {
  name = "blue"
}

resource "aws_lb_target_group" "green" {
  name = "green"
}
variable "registry" {
  type = string
}

resource "aws_ecs_service" "open" {
  name = "open"

  load_balancer {
    target_group_arn = aws_lb_target_group.blue.arn
    container_name   = "app"
    container_port   = 8080
  }

  service_registries {
    registry_arn = var.registry
  }
}
