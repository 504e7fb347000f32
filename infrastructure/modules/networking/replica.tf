# The replica's network in its own region: two subnets without any way out, and a group that nothing may enter until a
# disaster is declared.

resource "aws_vpc" "replica" {
  provider = aws.replica

  cidr_block           = var.replica.vpc_cidr
  enable_dns_support   = true
  enable_dns_hostnames = true

  tags = { Name = "${var.service}-replica" }
}

resource "aws_default_security_group" "replica" {
  provider = aws.replica

  vpc_id = aws_vpc.replica.id
}

resource "aws_subnet" "replica" {
  provider = aws.replica
  for_each = { for index, zone in var.replica.zones : zone => index }

  vpc_id                  = aws_vpc.replica.id
  availability_zone       = each.key
  cidr_block              = cidrsubnet(var.replica.vpc_cidr, 8, 30 + each.value)
  map_public_ip_on_launch = false

  tags = { Name = "${var.service}-replica-${each.key}" }
}

resource "aws_network_acl" "replica" {
  provider = aws.replica

  vpc_id     = aws_vpc.replica.id
  subnet_ids = [for one in aws_subnet.replica : one.id]

  tags = { Name = "${var.service}-replica" }
}

resource "aws_security_group" "replica" {
  provider = aws.replica

  name        = "${var.service}-replica"
  description = "PostgreSQL replica of ${var.service}; closed"
  vpc_id      = aws_vpc.replica.id

  tags = { Name = "${var.service}-replica" }
}

resource "aws_cloudwatch_log_group" "replica_flow" {
  provider = aws.replica

  name              = "/vpc/${var.service}-replica"
  retention_in_days = var.logging.retention_days
  kms_key_id        = var.replica.key_arn
}

resource "aws_flow_log" "replica" {
  provider = aws.replica

  vpc_id               = aws_vpc.replica.id
  traffic_type         = "ALL"
  log_destination_type = "cloud-watch-logs"
  log_destination      = aws_cloudwatch_log_group.replica_flow.arn
  iam_role_arn         = var.replica.logging_arn
}
