variable "environment" {
  type    = string
  default = "production"
}

resource "aws_subnet" "outer" {
  availability_zone = "us-east-1a"
}

resource "aws_subnet" "bad" {
  availability_zone = "us-east-1b"
}

resource "aws_nat_gateway" "main" {
  subnet_id = aws_subnet.outer.id
}

resource "aws_route_table" "private" {
  route {
    cidr_block     = "0.0.0.0/0"
    nat_gateway_id = aws_nat_gateway.main.id
  }
}

resource "aws_route_table_association" "private" {
  subnet_id      = aws_subnet.bad.id
  route_table_id = aws_route_table.private.id
}
