resource "aws_dynamodb_table" "good" {
  name = "sessions"

  ttl {
    attribute_name = "expires_at"
    enabled        = true
  }
}

resource "aws_dynamodb_table" "configuration" {
  name = "configuration"
}
