resource "aws_subnet" "bad_uncovered" {
  cidr_block = "10.0.1.0/24"
}

resource "aws_subnet" "covered" {
  cidr_block = "10.0.1.0/24"
}

resource "aws_network_acl" "bad_open" {
  subnet_ids = [aws_subnet.covered.id]

  ingress {
    rule_no    = 100
    action     = "allow"
    protocol   = "-1"
    from_port  = 443
    to_port    = 443
    cidr_block = "0.0.0.0/0"
  }
}
