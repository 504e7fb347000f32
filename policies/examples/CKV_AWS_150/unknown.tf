variable "value" {
  type = bool
}

resource "aws_lb" "open" {
  enable_deletion_protection = var.value
}
