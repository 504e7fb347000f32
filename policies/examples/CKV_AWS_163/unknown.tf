variable "value" {
  type = bool
}

resource "aws_ecr_repository" "open" {
  image_scanning_configuration {
    scan_on_push = var.value
  }
}
