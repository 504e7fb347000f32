resource "aws_vpc" "bad" {
  cidr_block = "10.0.0.0/16"
}

resource "aws_subnet" "private" {
  vpc_id = aws_vpc.bad.id
}

resource "aws_ecs_service" "service" {
  name = "service"

  network_configuration {
    subnets          = [aws_subnet.private.id]
    assign_public_ip = false
  }
}

resource "aws_vpc_endpoint" "endpoint_0" {
  vpc_id       = aws_vpc.bad.id
  service_name = "com.amazonaws.us-east-1.s3"
}

resource "aws_vpc_endpoint" "endpoint_1" {
  vpc_id       = aws_vpc.bad.id
  service_name = "com.amazonaws.us-east-1.dynamodb"
}
