data "aws_region" "here" {}

resource "aws_vpc" "good" {
  cidr_block = "10.0.0.0/16"
}

resource "aws_subnet" "private" {
  vpc_id = aws_vpc.good.id
}

resource "aws_ecs_service" "service" {
  name = "service"

  network_configuration {
    subnets          = [aws_subnet.private.id]
    assign_public_ip = false
  }
}

resource "aws_vpc_endpoint" "endpoint_0" {
  vpc_id       = aws_vpc.good.id
  service_name = "com.amazonaws.${data.aws_region.here.name}.s3"
}

resource "aws_vpc_endpoint" "endpoint_1" {
  vpc_id       = aws_vpc.good.id
  service_name = "com.amazonaws.${data.aws_region.here.name}.dynamodb"
}

resource "aws_vpc_endpoint" "endpoint_2" {
  vpc_id       = aws_vpc.good.id
  service_name = "com.amazonaws.${data.aws_region.here.name}.ecr.api"
}

resource "aws_vpc_endpoint" "endpoint_3" {
  vpc_id       = aws_vpc.good.id
  service_name = "com.amazonaws.${data.aws_region.here.name}.ecr.dkr"
}

resource "aws_vpc_endpoint" "endpoint_4" {
  vpc_id       = aws_vpc.good.id
  service_name = "com.amazonaws.${data.aws_region.here.name}.logs"
}

resource "aws_vpc_endpoint" "endpoint_5" {
  vpc_id       = aws_vpc.good.id
  service_name = "com.amazonaws.${data.aws_region.here.name}.secretsmanager"
}
