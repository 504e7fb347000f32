variable "kind" {
  type = string
}

resource "aws_apigatewayv2_route" "open" {
  route_key          = "POST /orders"
  authorization_type = var.kind
}
