variable "groups" {
  type = list(string)
}

resource "aws_lb_listener_rule" "open" {
  action {
    type = "forward"

    forward {
      target_group {
        arn    = var.groups[0]
        weight = 100
      }

      target_group {
        arn    = var.groups[1]
        weight = 0
      }
    }
  }
}
