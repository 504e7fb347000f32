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

resource "aws_lambda_function" "good_function" {
  function_name = "good_function"
  role          = aws_iam_role.other.arn
  package_type  = "Image"
  image_uri     = "${aws_ecr_repository.good_function.repository_url}@sha256:0000000000000000000000000000000000000000000000000000000000000000"
}

resource "aws_ecr_repository" "good_function" {
  name = "good_function"
}

resource "aws_ecr_repository_policy" "good_function" {
  repository = aws_ecr_repository.good_function.name

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "lambda.amazonaws.com" }
      Action    = ["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]
      Condition = { StringLike = { "aws:SourceArn" = "arn:aws:lambda:eu-central-1:123456789012:function:*" } }
    }]
  })
}
