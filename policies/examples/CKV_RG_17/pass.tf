resource "aws_lb_target_group" "blue" {
  name = "blue"
}

resource "aws_lb_target_group" "green" {
  name = "green"
}

resource "aws_service_discovery_service" "live" {
  name = "live"
}

resource "aws_service_discovery_service" "candidate" {
  name = "candidate"
}

resource "aws_ecs_service" "good_blue" {
  name = "good_blue"

  load_balancer {
    target_group_arn = aws_lb_target_group.blue.arn
    container_name   = "app"
    container_port   = 8080
  }

  service_registries {
    registry_arn = aws_service_discovery_service.candidate.arn
  }
}

resource "aws_ecs_service" "good_green" {
  name = "good_green"

  load_balancer {
    target_group_arn = aws_lb_target_group.blue.arn
    container_name   = "app"
    container_port   = 8080
  }

  service_registries {
    registry_arn = aws_service_discovery_service.live.arn
  }
}
