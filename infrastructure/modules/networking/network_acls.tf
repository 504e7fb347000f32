# Network ACLs, explicit for every kind of subnet. They have no memory, so answers need the ephemeral ports.

locals {
  ephemeral = { from = 1024, to = 65535 }
  # In the gateway topology nothing public listens here; the NAT gateways still take what private subnets send out.
  public_source = local.is_direct ? local.any : var.vpc_cidr

  public_rules = {
    100 = { egress = false, cidr = local.public_source, from = 443, to = 443 }
    110 = { egress = false, cidr = local.public_source, from = 80, to = 80 }
    120 = { egress = false, cidr = local.any, from = local.ephemeral.from, to = local.ephemeral.to }
    200 = { egress = true, cidr = local.any, from = 443, to = 443 }
    210 = { egress = true, cidr = var.vpc_cidr, from = var.container_port, to = var.container_port }
    220 = { egress = true, cidr = local.any, from = local.ephemeral.from, to = local.ephemeral.to }
  }
  private_rules = {
    100 = { egress = false, cidr = var.vpc_cidr, from = 443, to = 443 }
    110 = { egress = false, cidr = var.vpc_cidr, from = var.container_port, to = var.container_port }
    120 = { egress = false, cidr = local.any, from = local.ephemeral.from, to = local.ephemeral.to }
    200 = { egress = true, cidr = local.any, from = 443, to = 443 }
    210 = { egress = true, cidr = var.vpc_cidr, from = local.ephemeral.from, to = local.ephemeral.to }
  }
  private_cidrs = [for one in aws_subnet.private : one.cidr_block]
  data_rules = merge(
    { for index, cidr in local.private_cidrs : 100 + index => { egress = false, cidr = cidr, from = 5432, to = 5432 } },
    { for index, cidr in local.private_cidrs : 110 + index => { egress = false, cidr = cidr, from = 6379, to = 6379 } },
    { for index, cidr in local.private_cidrs : 200 + index => {
      egress = true, cidr = cidr, from = local.ephemeral.from, to = local.ephemeral.to
    } },
  )
}

resource "aws_network_acl" "public" {
  vpc_id     = aws_vpc.this.id
  subnet_ids = [for one in aws_subnet.public : one.id]

  tags = { Name = "${var.service}-public" }
}

resource "aws_network_acl_rule" "public" {
  for_each = local.public_rules

  network_acl_id = aws_network_acl.public.id
  rule_number    = each.key
  egress         = each.value.egress
  protocol       = "tcp"
  rule_action    = "allow"
  cidr_block     = each.value.cidr
  from_port      = each.value.from
  to_port        = each.value.to
}

resource "aws_network_acl" "private" {
  vpc_id     = aws_vpc.this.id
  subnet_ids = [for one in aws_subnet.private : one.id]

  tags = { Name = "${var.service}-private" }
}

resource "aws_network_acl_rule" "private" {
  for_each = local.private_rules

  network_acl_id = aws_network_acl.private.id
  rule_number    = each.key
  egress         = each.value.egress
  protocol       = "tcp"
  rule_action    = "allow"
  cidr_block     = each.value.cidr
  from_port      = each.value.from
  to_port        = each.value.to
}

resource "aws_network_acl" "data" {
  vpc_id     = aws_vpc.this.id
  subnet_ids = [for one in aws_subnet.data : one.id]

  tags = { Name = "${var.service}-data" }
}

resource "aws_network_acl_rule" "data" {
  for_each = local.data_rules

  network_acl_id = aws_network_acl.data.id
  rule_number    = each.key
  egress         = each.value.egress
  protocol       = "tcp"
  rule_action    = "allow"
  cidr_block     = each.value.cidr
  from_port      = each.value.from
  to_port        = each.value.to
}
