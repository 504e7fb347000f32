# The hosted zone, the certificate that covers its hosts, and the records.

locals {
  live_host = "current.${var.domain}"
  # Where customers arrive; everything else leads to the load balancer.
  entrance = local.is_direct ? {
    name    = aws_lb.this.dns_name
    zone_id = aws_lb.this.zone_id
    } : {
    name    = aws_apigatewayv2_domain_name.this[0].domain_name_configuration[0].target_domain_name
    zone_id = aws_apigatewayv2_domain_name.this[0].domain_name_configuration[0].hosted_zone_id
  }
}

resource "aws_route53_zone" "this" {
  name = var.domain
}

resource "aws_route53_record" "authorities" {
  zone_id = aws_route53_zone.this.zone_id
  name    = var.domain
  type    = "CAA"
  ttl     = 300
  records = ["0 issue \"amazon.com\""]
}

resource "aws_route53_record" "public" {
  zone_id = aws_route53_zone.this.zone_id
  name    = local.public
  type    = "A"

  alias {
    name                   = local.entrance.name
    zone_id                = local.entrance.zone_id
    evaluate_target_health = local.is_direct # API Gateway has no health to evaluate
  }
}

resource "aws_route53_record" "test" {
  for_each = local.test_host

  zone_id = aws_route53_zone.this.zone_id
  name    = each.value
  type    = "A"

  alias {
    name                   = aws_lb.this.dns_name
    zone_id                = aws_lb.this.zone_id
    evaluate_target_health = true
  }
}

# Names the live slot for callers inside. The engine moves it when a release has proven itself.
resource "aws_route53_record" "live" {
  zone_id = aws_route53_zone.this.zone_id
  name    = local.live_host
  type    = "CNAME"
  ttl     = 60
  records = [local.test_host[var.live_slot]]

  lifecycle {
    ignore_changes = [records, ttl]
  }
}

# ---------------------------------------------------------------------------------------------- certificate

resource "aws_acm_certificate" "this" {
  domain_name               = local.public
  subject_alternative_names = concat([local.live_host], values(local.test_host))
  validation_method         = "DNS"
  key_algorithm             = "RSA_2048"

  lifecycle {
    create_before_destroy = true
  }
}

resource "aws_route53_record" "validation" {
  for_each = {
    for one in aws_acm_certificate.this.domain_validation_options : one.domain_name => one
  }

  zone_id         = aws_route53_zone.this.zone_id
  name            = each.value.resource_record_name
  type            = each.value.resource_record_type
  ttl             = 300
  records         = [each.value.resource_record_value]
  allow_overwrite = true
}

resource "aws_acm_certificate_validation" "this" {
  certificate_arn         = aws_acm_certificate.this.arn
  validation_record_fqdns = [for one in aws_route53_record.validation : one.fqdn]
}
