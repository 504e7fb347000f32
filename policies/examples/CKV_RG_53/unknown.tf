variable "logs" {
  type = list(string)
}

resource "aws_apigatewayv2_stage" "open" {
  name = "open"

  dynamic "access_log_settings" {
    for_each = var.logs

    content {
      destination_arn = access_log_settings.value
    }
  }
}
