variable "value" {
  type = string
}

resource "aws_cloudtrail" "open" {
  kms_key_id = var.value
}
