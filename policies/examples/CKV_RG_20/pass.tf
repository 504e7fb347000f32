resource "aws_subnet" "good" {
  cidr_block = "10.0.1.0/24"
}

resource "aws_network_acl" "good" {
  subnet_ids = [aws_subnet.good.id]

  ingress {
    rule_no    = 100
    action     = "allow"
    protocol   = "tcp"
    from_port  = 443
    to_port    = 443
    cidr_block = "0.0.0.0/0"
  }
}
