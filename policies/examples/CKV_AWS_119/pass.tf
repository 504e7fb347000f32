resource "aws_dynamodb_table" "good" {
  server_side_encryption {
    enabled     = true
    kms_key_arn = "arn:aws:kms:us-east-1:111122223333:key/1"
  }
}
