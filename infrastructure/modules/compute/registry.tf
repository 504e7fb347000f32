# Images: the service's, and the engine's. A tag never moves, every image is scanned when it is pushed, and only the role
# that starts tasks (for the engine's image also functions) may pull.

locals {
  repositories = {
    service = var.service
    engine  = "release-gates"
  }
  pull      = ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]
  functions = "lambda.amazonaws.com"
  pulls = {
    tasks = { Sid = "PullForTasks", Effect = "Allow", Principal = { AWS = var.role_arns.execution }, Action = local.pull }
    # Lambda pulls as itself. Without the condition it would do so for a function of anybody's account
    # (Lambda developer guide, "Amazon ECR permissions").
    functions = {
      Sid       = "PullForOwnFunctions"
      Effect    = "Allow"
      Principal = { Service = local.functions }
      Action    = local.pull
      Condition = { StringLike = { "aws:SourceArn" = "arn:aws:lambda:${var.region}:${var.account_id}:function:*" } }
    }
  }
  pullers = { service = ["tasks"], engine = ["tasks", "functions"] }
}

resource "aws_ecr_repository" "this" {
  for_each = local.repositories

  name                 = each.value
  image_tag_mutability = "IMMUTABLE"
  force_delete         = !var.deletion_protection

  image_scanning_configuration {
    scan_on_push = true
  }

  encryption_configuration {
    encryption_type = "KMS"
    kms_key         = var.key_arns.data
  }
}

resource "aws_ecr_repository_policy" "this" {
  for_each = aws_ecr_repository.this

  repository = each.value.name
  policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [for name in local.pullers[each.key] : local.pulls[name]]
  })
}

# What was released carries a tag release-... and is in no rule: the live digest and the way back never expire by age.
# Builds that nobody released do. (Old releases are removed by the pipeline's clean-up, which knows what is live.)
resource "aws_ecr_lifecycle_policy" "this" {
  for_each = aws_ecr_repository.this

  repository = each.value.name
  policy = jsonencode({
    rules = [
      {
        rulePriority = 1
        description  = "Builds beyond the newest 100"
        selection    = { tagStatus = "tagged", tagPrefixList = ["build-"], countType = "imageCountMoreThan", countNumber = 100 }
        action       = { type = "expire" }
      },
      {
        rulePriority = 2
        description  = "Without a tag for 14 days"
        selection    = { tagStatus = "untagged", countType = "sinceImagePushed", countUnit = "days", countNumber = 14 }
        action       = { type = "expire" }
      },
    ]
  })
}
