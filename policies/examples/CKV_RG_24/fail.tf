resource "aws_subnet" "first" {
  availability_zone = "us-east-1a"
}

resource "aws_subnet" "second" {
  availability_zone = "us-east-1a"
}

resource "aws_db_subnet_group" "bad" {
  subnet_ids = [aws_subnet.first.id, aws_subnet.second.id]
}
