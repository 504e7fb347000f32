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

resource "aws_lambda_function" "bad_any_function" {
  function_name = "bad_any_function"
  role          = aws_iam_role.other.arn
  package_type  = "Image"
  image_uri     = "${aws_ecr_repository.bad_any_function.repository_url}@sha256:0000000000000000000000000000000000000000000000000000000000000000"
}

resource "aws_ecr_repository" "bad_any_function" {
  name = "bad_any_function"
}

resource "aws_ecr_repository_policy" "bad_any_function" {
  repository = aws_ecr_repository.bad_any_function.name

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "lambda.amazonaws.com" }
      Action    = ["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]
    }]
  })
}

resource "aws_lambda_function" "bad_condition" {
  function_name = "bad_condition"
  role          = aws_iam_role.other.arn
  package_type  = "Image"
  image_uri     = "${aws_ecr_repository.bad_condition.repository_url}@sha256:0000000000000000000000000000000000000000000000000000000000000000"
}

resource "aws_ecr_repository" "bad_condition" {
  name = "bad_condition"
}

resource "aws_ecr_repository_policy" "bad_condition" {
  repository = aws_ecr_repository.bad_condition.name

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "lambda.amazonaws.com" }
      Action    = ["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]
      Condition = { Bool = { "aws:SecureTransport" = "true" } }
    }]
  })
}

resource "aws_lambda_function" "bad_accounts" {
  function_name = "bad_accounts"
  role          = aws_iam_role.other.arn
  package_type  = "Image"
  image_uri     = "${aws_ecr_repository.bad_accounts.repository_url}@sha256:0000000000000000000000000000000000000000000000000000000000000000"
}

resource "aws_ecr_repository" "bad_accounts" {
  name = "bad_accounts"
}

resource "aws_ecr_repository_policy" "bad_accounts" {
  repository = aws_ecr_repository.bad_accounts.name

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "lambda.amazonaws.com" }
      Action    = ["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]
      Condition = { StringLike = { "aws:SourceArn" = "arn:aws:lambda:*:*:function:*" } }
    }]
  })
}
