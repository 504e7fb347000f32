resource "aws_apigatewayv2_api" "good" {
  name                         = "good"
  protocol_type                = "HTTP"
  disable_execute_api_endpoint = true
}
