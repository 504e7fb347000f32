variable "value" {
  type = bool
}

resource "aws_kms_key" "open" {
  enable_key_rotation = var.value
}
