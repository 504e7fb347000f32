variable "days" {
  type = number
}

resource "aws_cloudwatch_log_group" "open" {
  name              = "open"
  retention_in_days = var.days
}
