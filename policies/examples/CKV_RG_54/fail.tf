resource "aws_lb_listener" "bad_old" {
  port       = 443
  protocol   = "HTTPS"
  ssl_policy = "ELBSecurityPolicy-2016-08"
}

resource "aws_lb_listener" "bad_default" {
  port     = 443
  protocol = "HTTPS"
}

resource "aws_lb_listener" "bad_extended" {
  port       = 443
  protocol   = "HTTPS"
  ssl_policy = "ELBSecurityPolicy-TLS13-1-2-Ext2-2021-06"
}
