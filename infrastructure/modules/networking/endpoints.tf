# VPC endpoints for every AWS service that tasks, controllers and load generators use: their traffic never leaves the
# VPC, and what remains for the NAT gateways is the allow-list of external services.

locals {
  gateway_endpoints = toset(["s3", "dynamodb"])
  interface_endpoints = toset([
    "application-autoscaling",
    "ec2messages",
    "ecr.api",
    "ecr.dkr",
    "ecs",
    "elasticloadbalancing",
    "kms",
    "logs",
    "monitoring",
    "secretsmanager",
    "sns",
    "ssm",
    "ssmmessages",
    "sts",
    "xray",
  ])
  # Whoever sits in this VPC can use these endpoints with this account's identities only.
  endpoint_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "OwnAccountOnly"
      Effect    = "Allow"
      Principal = { AWS = "*" }
      Action    = "*"
      Resource  = "*"
      Condition = { StringEquals = { "aws:PrincipalAccount" = var.account_id } }
    }]
  })
}

resource "aws_vpc_endpoint" "gateway" {
  for_each = local.gateway_endpoints

  vpc_id            = aws_vpc.this.id
  vpc_endpoint_type = "Gateway"
  service_name      = "com.amazonaws.${var.region}.${each.key}"
  route_table_ids   = [for one in aws_route_table.private : one.id]
  policy            = local.endpoint_policy

  tags = { Name = "${var.service}-${each.key}" }
}

resource "aws_vpc_endpoint" "interface" {
  for_each = local.interface_endpoints

  vpc_id              = aws_vpc.this.id
  vpc_endpoint_type   = "Interface"
  service_name        = "com.amazonaws.${var.region}.${each.key}"
  subnet_ids          = [for one in aws_subnet.private : one.id]
  security_group_ids  = [aws_security_group.this["endpoints"].id]
  private_dns_enabled = true
  policy              = local.endpoint_policy

  tags = { Name = "${var.service}-${each.key}" }
}
