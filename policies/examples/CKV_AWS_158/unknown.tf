variable "value" {
  type = string
}

resource "aws_cloudwatch_log_group" "open" {
  kms_key_id = var.value
}
