resource "aws_apigatewayv2_route" "good" {
  route_key          = "POST /orders"
  authorization_type = "JWT"
  authorizer_id      = "abc123"
}

resource "aws_apigatewayv2_route" "good_health" {
  route_key = "GET /health"
}
