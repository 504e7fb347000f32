variable "value" {
  type = string
}

resource "aws_dynamodb_table" "open" {
  server_side_encryption {
    enabled     = true
    kms_key_arn = var.value
  }
}
