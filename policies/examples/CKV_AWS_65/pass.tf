resource "aws_ecs_cluster" "good" {
  setting {
    name  = "containerInsights"
    value = "enabled"
  }
}
