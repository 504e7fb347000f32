variable "rate" {
  type = number
}

resource "aws_apigatewayv2_stage" "open" {
  name = "open"

  default_route_settings {
    throttling_rate_limit  = var.rate
    throttling_burst_limit = 100
  }
}
