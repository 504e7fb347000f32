resource "aws_apigatewayv2_integration" "good" {
  integration_type = "HTTP_PROXY"
  connection_type  = "VPC_LINK"
}
