resource "aws_ecr_repository" "bad_age" {
  name = "bad_age"
}

resource "aws_ecr_lifecycle_policy" "bad_age" {
  repository = aws_ecr_repository.bad_age.name

  policy = jsonencode({
    rules = [{ rulePriority = 1, selection = { tagStatus = "any", countType = "sinceImagePushed", countUnit = "days", countNumber = 90 }, action = { type = "expire" } }]
  })
}

resource "aws_ecr_repository" "bad_count" {
  name = "bad_count"
}

resource "aws_ecr_lifecycle_policy" "bad_count" {
  repository = aws_ecr_repository.bad_count.name

  policy = jsonencode({
    rules = [{ rulePriority = 1, selection = { tagStatus = "any", countType = "imageCountMoreThan", countNumber = 2 }, action = { type = "expire" } }]
  })
}

resource "aws_ecr_repository" "bad_without" {
  name = "bad_without"
}
