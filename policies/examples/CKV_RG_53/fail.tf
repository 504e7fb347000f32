resource "aws_apigatewayv2_stage" "bad" {
  name = "bad"
}
