resource "aws_dynamodb_table" "bad" {
  name = "shop-sessions"
}

resource "aws_dynamodb_table" "bad_off" {
  name = "sessions"

  ttl {
    attribute_name = "expires_at"
    enabled        = false
  }
}
