# Security groups: only the load balancer is open to the world, and only where it is public; every other rule names a
# group, a prefix list, or an external service of the allow-list.

locals {
  # Name to what it is for; a group has no rules but those below.
  groups = {
    balancer   = "Load balancer of ${var.service}"
    service    = "Tasks of ${var.service}, both slots"
    database   = "PostgreSQL of ${var.service}"
    cache      = "Redis of ${var.service}"
    endpoints  = "Interface endpoints of the VPC"
    controller = "Release controllers"
    load       = "Load generators"
    gateway    = "Link of the API gateway into the VPC"
  }
  present_groups = { for name, said in local.groups : name => said if name != "gateway" || !local.is_direct }

  # from group, to group, port; each becomes one rule out of the one and one rule into the other.
  paths = merge(
    {
      balancer-service     = { from = "balancer", to = "service", port = var.container_port }
      service-database     = { from = "service", to = "database", port = 5432 }
      service-cache        = { from = "service", to = "cache", port = 6379 }
      service-endpoints    = { from = "service", to = "endpoints", port = 443 }
      controller-endpoints = { from = "controller", to = "endpoints", port = 443 }
      load-endpoints       = { from = "load", to = "endpoints", port = 443 }
    },
    local.is_direct ? {} : {
      gateway-balancer    = { from = "gateway", to = "balancer", port = 443 }
      controller-balancer = { from = "controller", to = "balancer", port = 443 }
      load-balancer       = { from = "load", to = "balancer", port = 443 }
    },
  )
  # S3 and DynamoDB are reached by prefix lists: image layers, state, tables.
  gateway_users = { for pair in setproduct(["service", "controller", "load"], ["s3", "dynamodb"]) : join("-", pair) => pair }
  public_ports  = local.is_direct ? toset(["80", "443"]) : toset([])
}

resource "aws_security_group" "this" {
  for_each = local.present_groups

  name        = "${var.service}-${each.key}"
  description = each.value
  vpc_id      = aws_vpc.this.id

  tags = { Name = "${var.service}-${each.key}" }

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_vpc_security_group_ingress_rule" "world" {
  for_each = local.public_ports

  security_group_id = aws_security_group.this["balancer"].id
  description       = each.key == "80" ? "Customers, to be redirected to 443" : "Customers"
  cidr_ipv4         = local.any
  ip_protocol       = "tcp"
  from_port         = tonumber(each.key)
  to_port           = tonumber(each.key)
}

resource "aws_vpc_security_group_ingress_rule" "path" {
  for_each = local.paths

  security_group_id            = aws_security_group.this[each.value.to].id
  referenced_security_group_id = aws_security_group.this[each.value.from].id
  description                  = "From ${each.value.from}"
  ip_protocol                  = "tcp"
  from_port                    = each.value.port
  to_port                      = each.value.port
}

resource "aws_vpc_security_group_egress_rule" "path" {
  for_each = local.paths

  security_group_id            = aws_security_group.this[each.value.from].id
  referenced_security_group_id = aws_security_group.this[each.value.to].id
  description                  = "To ${each.value.to}"
  ip_protocol                  = "tcp"
  from_port                    = each.value.port
  to_port                      = each.value.port
}

resource "aws_vpc_security_group_egress_rule" "gateway_endpoint" {
  for_each = local.gateway_users

  security_group_id = aws_security_group.this[each.value[0]].id
  prefix_list_id    = aws_vpc_endpoint.gateway[each.value[1]].prefix_list_id
  description       = "To ${each.value[1]}"
  ip_protocol       = "tcp"
  from_port         = 443
  to_port           = 443
}

resource "aws_vpc_security_group_egress_rule" "external" {
  for_each = var.egress_cidrs

  security_group_id = aws_security_group.this["service"].id
  description       = "To ${each.key}"
  cidr_ipv4         = each.value
  ip_protocol       = "tcp"
  from_port         = 443
  to_port           = 443
}

# Who verifies and loads the public address does it as customers do: from outside, through the NAT gateway.
resource "aws_vpc_security_group_egress_rule" "public_address" {
  for_each = toset(["controller", "load"])

  security_group_id = aws_security_group.this[each.key].id
  description       = "To the public address"
  cidr_ipv4         = local.any
  ip_protocol       = "tcp"
  from_port         = 443
  to_port           = 443
}
