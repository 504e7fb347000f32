resource "aws_apigatewayv2_integration" "bad" {
  integration_type = "HTTP_PROXY"
  connection_type  = "INTERNET"
}

resource "aws_apigatewayv2_integration" "bad_default" {
  integration_type = "HTTP_PROXY"
}
