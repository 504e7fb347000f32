resource "aws_lb_target_group" "blue" {
  name = "blue"
}

resource "aws_lb_target_group" "green" {
  name = "green"
}

resource "aws_lb_listener" "bad_forward" {
  port     = 80
  protocol = "HTTP"

  default_action {
    type             = "forward"
    target_group_arn = aws_lb_target_group.blue.arn
  }
}

resource "aws_lb_listener" "bad_same" {
  port     = 80
  protocol = "HTTP"

  default_action {
    type = "redirect"

    redirect {
      protocol    = "HTTP"
      port        = "443"
      status_code = "HTTP_301"
    }
  }
}
