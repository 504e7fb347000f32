variable "selection" {
  type = any
}

resource "aws_ecr_repository" "open" {
  name = "open"
}

resource "aws_ecr_lifecycle_policy" "open" {
  repository = aws_ecr_repository.open.name

  policy = jsonencode({
    rules = [{ rulePriority = 1, selection = var.selection, action = { type = "expire" } }]
  })
}
