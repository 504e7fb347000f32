resource "aws_lb" "main" {
  name            = "main"
  security_groups = [aws_security_group.balancer.id]
}

resource "aws_security_group" "balancer" {
  name = "balancer"
}

resource "aws_security_group" "data" {
  name = "data"
}

variable "range" {
  type = string
}

resource "aws_vpc_security_group_ingress_rule" "open" {
  security_group_id = aws_security_group.data.id
  ip_protocol       = "tcp"
  from_port         = 5432
  to_port           = 5432
  cidr_ipv4         = var.range
}
