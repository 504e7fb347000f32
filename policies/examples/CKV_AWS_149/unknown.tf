variable "value" {
  type = string
}

resource "aws_secretsmanager_secret" "open" {
  kms_key_id = var.value
}
