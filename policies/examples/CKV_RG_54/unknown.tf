variable "policy" {
  type = string
}

resource "aws_lb_listener" "open" {
  port       = 443
  protocol   = "HTTPS"
  ssl_policy = var.policy
}
