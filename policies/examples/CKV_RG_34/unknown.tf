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

variable "puller" {
  type = string
}

resource "aws_ecr_repository" "open" {
  name = "open"
}

resource "aws_ecr_repository_policy" "open" {
  repository = aws_ecr_repository.open.name

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { AWS = var.puller }
      Action    = ["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]
    }]
  })
}
