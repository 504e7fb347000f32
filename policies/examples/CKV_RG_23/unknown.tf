# Never unknown: routes are followed by reference; the values of subnets do not matter.
variable "cidr" {
  type = string
}

resource "aws_subnet" "good" {
  cidr_block = var.cidr
}

resource "aws_db_subnet_group" "main" {
  subnet_ids = [aws_subnet.good.id]
}
