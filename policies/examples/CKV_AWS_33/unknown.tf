variable "value" {
  type = string
}

resource "aws_kms_key" "open" {
  policy = var.value
}
