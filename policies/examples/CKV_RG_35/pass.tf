resource "aws_ecr_repository" "good" {
  name = "good"
}

resource "aws_ecr_lifecycle_policy" "good" {
  repository = aws_ecr_repository.good.name

  policy = jsonencode({
    rules = [{ rulePriority = 1, selection = { tagStatus = "any", countType = "imageCountMoreThan", countNumber = 30 }, action = { type = "expire" } }]
  })
}

resource "aws_ecr_repository" "good_untagged" {
  name = "good_untagged"
}

resource "aws_ecr_lifecycle_policy" "good_untagged" {
  repository = aws_ecr_repository.good_untagged.name

  policy = jsonencode({
    rules = [{ rulePriority = 1, selection = { tagStatus = "untagged", countType = "sinceImagePushed", countUnit = "days", countNumber = 14 }, action = { type = "expire" } }]
  })
}
