resource "aws_apigatewayv2_api" "bad" {
  name          = "bad"
  protocol_type = "HTTP"
}

resource "aws_apigatewayv2_api" "bad_off" {
  name                         = "bad_off"
  protocol_type                = "HTTP"
  disable_execute_api_endpoint = false
}
