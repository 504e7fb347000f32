resource "aws_ecs_cluster" "bad" {
  setting {
    name  = "containerInsights"
    value = "disabled"
  }
}
