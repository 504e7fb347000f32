resource "aws_wafv2_web_acl" "main" {
  name = "main"
}

variable "internal" {
  type = bool
}

resource "aws_lb" "open" {
  name     = "open"
  internal = var.internal
}
