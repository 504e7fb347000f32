variable "value" {
  type = string
}

resource "aws_ecr_repository" "open" {
  encryption_configuration {
    encryption_type = var.value
  }
}
