resource "aws_iam_role" "execution" {
  name = "execution"
}

resource "aws_iam_role" "other" {
  name = "other"
}

resource "aws_ecs_task_definition" "app" {
  family             = "app"
  execution_role_arn = aws_iam_role.execution.arn
}

resource "aws_ecr_repository" "good" {
  name = "good"
}

resource "aws_ecr_repository_policy" "good" {
  repository = aws_ecr_repository.good.name

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { AWS = aws_iam_role.execution.arn }
      Action    = ["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]
    }]
  })
}
