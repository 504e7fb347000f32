variable "launch" {
  type = string
}

resource "aws_ecs_service" "open" {
  launch_type = var.launch
}
