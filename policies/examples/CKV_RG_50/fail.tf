resource "aws_apigatewayv2_route" "bad" {
  route_key = "POST /orders"
}

resource "aws_apigatewayv2_route" "bad_named" {
  route_key          = "POST /orders"
  authorization_type = "JWT"
}

resource "aws_api_gateway_method" "bad_rest" {
  http_method   = "GET"
  authorization = "NONE"
}
