# The VPC: public subnets for what has to be public (NAT, and the load balancer where it is), private ones for tasks,
# data subnets without any way out. Subnet numbers: 10 and up public, 20 and up private, 30 and up data.

locals {
  is_direct   = var.topology == "direct"
  zone_number = { for index, zone in var.zones : zone => index }
  nat_zones   = var.nat_gateway_per_zone ? var.zones : slice(var.zones, 0, 1)
  any         = "0.0.0.0/0"
}

resource "aws_vpc" "this" {
  cidr_block           = var.vpc_cidr
  enable_dns_support   = true
  enable_dns_hostnames = true

  tags = { Name = var.service }
}

# Without rules: what is put into no group reaches nothing and is reached by nothing.
resource "aws_default_security_group" "this" {
  vpc_id = aws_vpc.this.id
}

resource "aws_subnet" "public" {
  for_each = local.zone_number

  vpc_id                  = aws_vpc.this.id
  availability_zone       = each.key
  cidr_block              = cidrsubnet(var.vpc_cidr, 8, 10 + each.value)
  map_public_ip_on_launch = false

  tags = { Name = "${var.service}-public-${each.key}" }
}

resource "aws_subnet" "private" {
  for_each = local.zone_number

  vpc_id                  = aws_vpc.this.id
  availability_zone       = each.key
  cidr_block              = cidrsubnet(var.vpc_cidr, 8, 20 + each.value)
  map_public_ip_on_launch = false

  tags = { Name = "${var.service}-private-${each.key}" }
}

resource "aws_subnet" "data" {
  for_each = local.zone_number

  vpc_id                  = aws_vpc.this.id
  availability_zone       = each.key
  cidr_block              = cidrsubnet(var.vpc_cidr, 8, 30 + each.value)
  map_public_ip_on_launch = false

  tags = { Name = "${var.service}-data-${each.key}" }
}

# ---------------------------------------------------------------------------------------------- routes

resource "aws_internet_gateway" "this" {
  vpc_id = aws_vpc.this.id

  tags = { Name = var.service }
}

resource "aws_eip" "nat" {
  for_each = toset(local.nat_zones)

  domain = "vpc"

  tags = { Name = "${var.service}-nat-${each.key}" }
}

resource "aws_nat_gateway" "this" {
  for_each = toset(local.nat_zones)

  allocation_id = aws_eip.nat[each.key].id
  subnet_id     = aws_subnet.public[each.key].id

  tags = { Name = "${var.service}-${each.key}" }

  depends_on = [aws_internet_gateway.this]
}

resource "aws_route_table" "public" {
  vpc_id = aws_vpc.this.id

  tags = { Name = "${var.service}-public" }
}

resource "aws_route" "public_out" {
  route_table_id         = aws_route_table.public.id
  destination_cidr_block = local.any
  gateway_id             = aws_internet_gateway.this.id
}

resource "aws_route_table_association" "public" {
  for_each = aws_subnet.public

  route_table_id = aws_route_table.public.id
  subnet_id      = each.value.id
}

resource "aws_route_table" "private" {
  for_each = local.zone_number

  vpc_id = aws_vpc.this.id

  tags = { Name = "${var.service}-private-${each.key}" }
}

resource "aws_route" "private_out" {
  for_each = local.zone_number

  route_table_id         = aws_route_table.private[each.key].id
  destination_cidr_block = local.any
  nat_gateway_id         = try(aws_nat_gateway.this[each.key], aws_nat_gateway.this[local.nat_zones[0]]).id
}

resource "aws_route_table_association" "private" {
  for_each = aws_subnet.private

  route_table_id = aws_route_table.private[each.key].id
  subnet_id      = each.value.id
}

resource "aws_route_table" "data" {
  vpc_id = aws_vpc.this.id

  tags = { Name = "${var.service}-data" }
}

resource "aws_route_table_association" "data" {
  for_each = aws_subnet.data

  route_table_id = aws_route_table.data.id
  subnet_id      = each.value.id
}

# ---------------------------------------------------------------------------------------------- flow log

resource "aws_cloudwatch_log_group" "flow" {
  name              = "/vpc/${var.service}"
  retention_in_days = var.logging.retention_days
  kms_key_id        = var.logging.key_arn
}

resource "aws_flow_log" "this" {
  vpc_id               = aws_vpc.this.id
  traffic_type         = "ALL"
  log_destination_type = "cloud-watch-logs"
  log_destination      = aws_cloudwatch_log_group.flow.arn
  iam_role_arn         = var.logging.flow_role_arn
}
