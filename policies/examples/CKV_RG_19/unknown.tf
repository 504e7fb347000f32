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

variable "port" {
  type = number
}

resource "aws_vpc_security_group_ingress_rule" "open" {
  security_group_id            = aws_security_group.data.id
  ip_protocol                  = "tcp"
  from_port                    = var.port
  to_port                      = var.port
  referenced_security_group_id = aws_security_group.balancer.id
}
