resource "aws_dynamodb_table" "bad" {
  server_side_encryption {
    enabled = true
  }
}
