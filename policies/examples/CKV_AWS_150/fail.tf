resource "aws_lb" "bad" {
  enable_deletion_protection = false
}
