variable "connection" {
  type = string
}

resource "aws_apigatewayv2_integration" "open" {
  integration_type = "HTTP_PROXY"
  connection_type  = var.connection
}
