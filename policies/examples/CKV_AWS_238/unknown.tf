variable "value" {
  type = bool
}

resource "aws_guardduty_detector" "open" {
  enable = var.value
}
