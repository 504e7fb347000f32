resource "aws_apigatewayv2_stage" "bad" {
  name = "bad"

  default_route_settings {
    throttling_rate_limit  = -1
    throttling_burst_limit = 100
  }
}

resource "aws_apigatewayv2_stage" "bad_without" {
  name = "bad_without"
}

resource "aws_api_gateway_stage" "bad_rest" {
  stage_name = "live"
}
