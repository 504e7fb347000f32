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

resource "aws_vpc_security_group_ingress_rule" "bad_database" {
  security_group_id = aws_security_group.data.id
  ip_protocol       = "tcp"
  from_port         = 5432
  to_port           = 5432
  cidr_ipv4         = "0.0.0.0/0"
}

resource "aws_vpc_security_group_ingress_rule" "bad_group" {
  security_group_id = aws_security_group.data.id
  ip_protocol       = "tcp"
  from_port         = 443
  to_port           = 443
  cidr_ipv4         = "0.0.0.0/0"
}

resource "aws_vpc_security_group_ingress_rule" "bad_range" {
  security_group_id = aws_security_group.balancer.id
  ip_protocol       = "tcp"
  from_port         = 80
  to_port           = 443
  cidr_ipv4         = "0.0.0.0/0"
}

resource "aws_security_group" "bad_inline" {
  name = "inline"

  ingress {
    protocol         = "tcp"
    from_port        = 22
    to_port          = 22
    ipv6_cidr_blocks = ["::/0"]
  }
}
