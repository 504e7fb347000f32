resource "aws_apigatewayv2_stage" "good" {
  name = "good"

  default_route_settings {
    throttling_rate_limit  = 200
    throttling_burst_limit = 100
  }
}

resource "aws_api_gateway_stage" "good_rest" {
  stage_name  = "live"
  rest_api_id = aws_api_gateway_rest_api.main.id
}

resource "aws_api_gateway_rest_api" "main" {
  name = "main"
}

resource "aws_api_gateway_method_settings" "all" {
  rest_api_id = aws_api_gateway_rest_api.main.id
  stage_name  = aws_api_gateway_stage.good_rest.stage_name
  method_path = "*/*"

  settings {
    throttling_rate_limit  = 200
    throttling_burst_limit = 100
  }
}
