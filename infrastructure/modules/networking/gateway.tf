# The API gateway of the gateway topology: its own domain with TLS 1.2 and up, a token on every route that is not listed
# as open, throttled, logged, and linked to the internal load balancer, at which the WAF inspects every request (AWS WAF
# cannot be put on an HTTP API). https://docs.aws.amazon.com/waf/latest/developerguide/how-aws-waf-works-resources.html

locals {
  gateway_count = local.is_direct ? 0 : 1
  # Longer than the service's own limit (25 s), so that the service's answer wins; 30 s is the gateway's maximum.
  gateway_timeout_milliseconds = 29000
}

resource "aws_apigatewayv2_api" "this" {
  count = local.gateway_count

  name                         = var.service
  protocol_type                = "HTTP"
  disable_execute_api_endpoint = true
}

resource "aws_apigatewayv2_vpc_link" "this" {
  count = local.gateway_count

  name               = var.service
  subnet_ids         = [for one in aws_subnet.private : one.id]
  security_group_ids = [aws_security_group.this["gateway"].id]
}

resource "aws_apigatewayv2_authorizer" "tokens" {
  count = local.gateway_count

  api_id           = aws_apigatewayv2_api.this[0].id
  name             = "tokens"
  authorizer_type  = "JWT"
  identity_sources = ["$request.header.Authorization"]

  jwt_configuration {
    issuer   = "https://${local.public}"
    audience = [var.gateway.token_audience]
  }
}

resource "aws_apigatewayv2_integration" "balancer" {
  count = local.gateway_count

  api_id               = aws_apigatewayv2_api.this[0].id
  integration_type     = "HTTP_PROXY"
  integration_method   = "ANY"
  integration_uri      = aws_lb_listener.https.arn
  connection_type      = "VPC_LINK"
  connection_id        = aws_apigatewayv2_vpc_link.this[0].id
  timeout_milliseconds = local.gateway_timeout_milliseconds

  tls_config {
    server_name_to_verify = local.public
  }
}

resource "aws_apigatewayv2_route" "guarded" {
  count = local.gateway_count

  api_id             = aws_apigatewayv2_api.this[0].id
  route_key          = "$default"
  target             = "integrations/${aws_apigatewayv2_integration.balancer[0].id}"
  authorization_type = "JWT"
  authorizer_id      = aws_apigatewayv2_authorizer.tokens[0].id
}

# What has to work before a caller can have a token.
resource "aws_apigatewayv2_route" "open" {
  for_each = local.is_direct ? toset([]) : var.gateway.open_routes

  api_id             = aws_apigatewayv2_api.this[0].id
  route_key          = each.key
  target             = "integrations/${aws_apigatewayv2_integration.balancer[0].id}"
  authorization_type = "NONE"
}

resource "aws_cloudwatch_log_group" "gateway" {
  count = local.gateway_count

  name              = "/apigateway/${var.service}"
  retention_in_days = var.logging.retention_days
  kms_key_id        = var.logging.key_arn
}

resource "aws_apigatewayv2_stage" "this" {
  count = local.gateway_count

  api_id      = aws_apigatewayv2_api.this[0].id
  name        = "$default"
  auto_deploy = true

  access_log_settings {
    destination_arn = aws_cloudwatch_log_group.gateway[0].arn
    # No path parameters, no tokens: what is enough to follow a request and nothing about a person.
    format = jsonencode({
      request_id = "$context.requestId"
      time       = "$context.requestTimeEpoch"
      route      = "$context.routeKey"
      status     = "$context.status"
      latency    = "$context.responseLatency"
      error      = "$context.error.message"
      authorizer = "$context.authorizer.error"
    })
  }

  default_route_settings {
    throttling_rate_limit    = var.gateway.requests_per_second_max
    throttling_burst_limit   = var.gateway.requests_per_second_max
    detailed_metrics_enabled = true
  }
}

resource "aws_apigatewayv2_domain_name" "this" {
  count = local.gateway_count

  domain_name = local.public

  domain_name_configuration {
    certificate_arn = aws_acm_certificate_validation.this.certificate_arn
    endpoint_type   = "REGIONAL"
    security_policy = "TLS_1_2"
  }
}

resource "aws_apigatewayv2_api_mapping" "this" {
  count = local.gateway_count

  api_id      = aws_apigatewayv2_api.this[0].id
  domain_name = aws_apigatewayv2_domain_name.this[0].id
  stage       = aws_apigatewayv2_stage.this[0].id
}
