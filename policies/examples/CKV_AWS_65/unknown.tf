variable "value" {
  type = string
}

resource "aws_ecs_cluster" "open" {
  setting {
    name  = "containerInsights"
    value = var.value
  }
}
