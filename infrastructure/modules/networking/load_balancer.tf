# The load balancer, both slots' target groups, and the rules. Which side has how much weight is the engine's: Terraform
# sets it once, when the rule is made, and never again (ignore_changes), so that no apply reverts a running canary.

locals {
  slots     = toset(["blue", "green"])
  public    = "api.${var.domain}"
  test_host = { for slot in local.slots : slot => "${slot}.${var.domain}" }
  # Behind a header that only checks know; before the customers' rule.
  test_priority = { blue = 10, green = 11 }
  test_header   = "x-release-token"
}

resource "aws_lb" "this" {
  name                       = var.service
  load_balancer_type         = "application"
  internal                   = !local.is_direct
  subnets                    = [for one in(local.is_direct ? aws_subnet.public : aws_subnet.private) : one.id]
  security_groups            = [aws_security_group.this["balancer"].id]
  drop_invalid_header_fields = true
  desync_mitigation_mode     = "strictest"
  enable_deletion_protection = var.deletion_protection
  idle_timeout               = 60

  access_logs {
    enabled = true
    bucket  = var.logging.bucket
    prefix  = "load-balancer"
  }
}

resource "aws_wafv2_web_acl_association" "this" {
  resource_arn = aws_lb.this.arn
  web_acl_arn  = var.web_acl_arn
}

# Alike for both slots in everything but the name: a difference would make the judgement of the candidate unfair.
resource "aws_lb_target_group" "this" {
  for_each = local.slots

  name                 = "${var.service}-${each.key}"
  vpc_id               = aws_vpc.this.id
  target_type          = "ip"
  protocol             = "HTTPS"
  port                 = var.container_port
  deregistration_delay = 60
  slow_start           = 0

  health_check {
    protocol            = "HTTPS"
    path                = "/health" # shallow: a deep page would take out every target with one dependency
    port                = "traffic-port"
    matcher             = "200"
    interval            = 20
    timeout             = 5
    healthy_threshold   = 2
    unhealthy_threshold = 2
  }

  stickiness {
    enabled = false # customers have to follow a change of weights
    type    = "lb_cookie"
  }
}

resource "aws_lb_listener" "https" {
  load_balancer_arn = aws_lb.this.arn
  protocol          = "HTTPS"
  port              = 443
  ssl_policy        = "ELBSecurityPolicy-TLS13-1-2-2021-06"
  certificate_arn   = aws_acm_certificate_validation.this.certificate_arn

  default_action {
    type = "fixed-response"

    fixed_response {
      status_code  = "404"
      content_type = "text/plain"
      message_body = "not found"
    }
  }
}

resource "aws_lb_listener" "redirect" {
  load_balancer_arn = aws_lb.this.arn
  protocol          = "HTTP"
  port              = 80

  default_action {
    type = "redirect"

    redirect {
      protocol    = "HTTPS"
      port        = "443"
      status_code = "HTTP_301"
    }
  }
}

resource "aws_lb_listener_rule" "test" {
  for_each = local.slots

  listener_arn = aws_lb_listener.https.arn
  priority     = local.test_priority[each.key]

  action {
    type             = "forward"
    target_group_arn = aws_lb_target_group.this[each.key].arn
  }

  condition {
    host_header {
      values = [local.test_host[each.key]]
    }
  }

  condition {
    http_header {
      http_header_name = local.test_header
      values           = [var.test_header_value]
    }
  }
}

# The rule that a rollout drives.
resource "aws_lb_listener_rule" "public" {
  listener_arn = aws_lb_listener.https.arn
  priority     = 100

  action {
    type = "forward"

    forward {
      dynamic "target_group" {
        for_each = local.slots

        content {
          arn    = aws_lb_target_group.this[target_group.key].arn
          weight = target_group.key == var.live_slot ? 100 : 0
        }
      }

      stickiness {
        enabled  = false
        duration = 1
      }
    }
  }

  condition {
    host_header {
      values = [local.public]
    }
  }

  lifecycle {
    ignore_changes = [action]
  }
}
