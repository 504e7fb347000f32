variable "protocol" {
  type = string
}

resource "aws_lb_listener" "open" {
  port     = 80
  protocol = var.protocol

  default_action {
    type = "redirect"

    redirect {
      protocol    = "HTTPS"
      port        = "443"
      status_code = "HTTP_301"
    }
  }
}
