resource "aws_kms_key" "good" {
  enable_key_rotation = true
}
