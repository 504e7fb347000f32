variable "value" {
  type = string
}

resource "aws_ecr_repository" "open" {
  image_tag_mutability = var.value
}
