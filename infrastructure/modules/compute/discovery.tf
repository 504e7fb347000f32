# Names inside of the VPC. A slot registers under its own name only: callers use the load balancer, and a candidate under
# a name that callers use would take customers past the canary (design.md, 14.18).

resource "aws_service_discovery_private_dns_namespace" "this" {
  name        = "${var.service}.internal"
  description = "Tasks of ${var.service} by slot"
  vpc         = var.network.vpc_id
}

resource "aws_service_discovery_service" "slot" {
  for_each = local.slots

  name        = each.key
  description = "Tasks of slot ${each.key}; not for callers"

  dns_config {
    namespace_id   = aws_service_discovery_private_dns_namespace.this.id
    routing_policy = "MULTIVALUE"

    dns_records {
      type = "A"
      ttl  = 10
    }
  }

  health_check_custom_config {
    failure_threshold = 1
  }
}
