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

resource "aws_ecr_repository" "bad_role" {
  name = "bad_role"
}

resource "aws_ecr_repository_policy" "bad_role" {
  repository = aws_ecr_repository.bad_role.name

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { AWS = aws_iam_role.other.arn }
      Action    = ["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]
    }]
  })
}

resource "aws_ecr_repository" "bad_account" {
  name = "bad_account"
}

resource "aws_ecr_repository_policy" "bad_account" {
  repository = aws_ecr_repository.bad_account.name

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { AWS = "arn:aws:iam::444455556666:root" }
      Action    = ["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]
    }]
  })
}

resource "aws_ecr_repository" "bad_world" {
  name = "bad_world"
}

resource "aws_ecr_repository_policy" "bad_world" {
  repository = aws_ecr_repository.bad_world.name

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = "*"
      Action    = ["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]
    }]
  })
}

resource "aws_ecr_repository" "bad_without" {
  name = "bad_without"
}
