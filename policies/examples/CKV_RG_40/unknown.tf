variable "ends" {
  type = bool
}

resource "aws_dynamodb_table" "open" {
  name = "sessions"

  ttl {
    attribute_name = "expires_at"
    enabled        = var.ends
  }
}
