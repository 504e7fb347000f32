variable "closed" {
  type = bool
}

resource "aws_apigatewayv2_api" "open" {
  name                         = "open"
  protocol_type                = "HTTP"
  disable_execute_api_endpoint = var.closed
}
