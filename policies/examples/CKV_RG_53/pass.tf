resource "aws_cloudwatch_log_group" "access" {
  name = "access"
}

resource "aws_apigatewayv2_stage" "good" {
  name = "good"

  access_log_settings {
    destination_arn = aws_cloudwatch_log_group.access.arn
    format          = "$context.requestId"
  }
}
