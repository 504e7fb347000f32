variable "value" {
  type = list(string)
}

resource "aws_db_instance" "open" {
  enabled_cloudwatch_logs_exports = var.value
}
