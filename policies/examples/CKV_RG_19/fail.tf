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

resource "aws_vpc_security_group_ingress_rule" "bad_ports" {
  security_group_id            = aws_security_group.data.id
  ip_protocol                  = "tcp"
  from_port                    = 0
  to_port                      = 65535
  referenced_security_group_id = aws_security_group.balancer.id
}

resource "aws_vpc_security_group_ingress_rule" "bad_protocol" {
  security_group_id            = aws_security_group.data.id
  ip_protocol                  = "-1"
  from_port                    = -1
  to_port                      = -1
  referenced_security_group_id = aws_security_group.balancer.id
}

resource "aws_vpc_security_group_ingress_rule" "bad_addresses" {
  security_group_id = aws_security_group.data.id
  ip_protocol       = "tcp"
  from_port         = 5432
  to_port           = 5432
  cidr_ipv4         = "10.0.0.0/8"
}
