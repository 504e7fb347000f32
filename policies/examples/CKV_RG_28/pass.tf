resource "aws_ecs_task_definition" "good" {
  family = "app"

  container_definitions = jsonencode([{ name = "app", environment = [{ name = "SECRET_ARN", value = "arn:aws:secretsmanager:us-east-1:111122223333:secret:app" }], secrets = [{ name = "DB_PASSWORD", valueFrom = "arn:aws:secretsmanager:us-east-1:111122223333:secret:app" }] }])
}
