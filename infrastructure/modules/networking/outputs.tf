output "vpc_id" {
  description = "The VPC."
  value       = aws_vpc.this.id
}

output "private_subnet_ids" {
  description = "Subnets of tasks, in the order of the zones' names."
  value       = [for one in aws_subnet.private : one.id]
}

output "data_subnet_ids" {
  description = "Subnets of databases."
  value       = [for one in aws_subnet.data : one.id]
}

output "security_group_ids" {
  description = "Security groups by name."
  value       = { for name, one in aws_security_group.this : name => one.id }
}

output "replica" {
  description = "Of the replica's region: subnets and security group."
  value = {
    subnet_ids        = [for one in aws_subnet.replica : one.id]
    security_group_id = aws_security_group.replica.id
  }
}

output "load_balancer" {
  description = "ARN, the part of it that CloudWatch knows, and the DNS name."
  value = {
    arn      = aws_lb.this.arn
    suffix   = aws_lb.this.arn_suffix
    dns_name = aws_lb.this.dns_name
  }
}

output "listener_arn" {
  description = "The HTTPS listener."
  value       = aws_lb_listener.https.arn
}

output "rule_arn" {
  description = "The rule that carries the customers."
  # A service may be started once its group is attached, which these rules do.
  value      = aws_lb_listener_rule.public.arn
  depends_on = [aws_lb_listener_rule.test]
}

output "target_groups" {
  description = "By slot: ARN, and the part of it that CloudWatch knows."
  value       = { for slot, one in aws_lb_target_group.this : slot => { arn = one.arn, suffix = one.arn_suffix } }
  depends_on  = [aws_lb_listener_rule.public]
}

output "certificate_arn" {
  description = "The certificate of the listener, once it is valid."
  value       = aws_acm_certificate_validation.this.certificate_arn
}

output "hosted_zone_id" {
  description = "The hosted zone."
  value       = aws_route53_zone.this.zone_id
}

output "hosts" {
  description = "The customers' host, and each slot's own."
  value       = { public = local.public, test = local.test_host }
}

output "test_header_name" {
  description = "The header that a slot's own address asks for."
  value       = local.test_header
}
