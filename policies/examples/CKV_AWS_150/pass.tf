resource "aws_lb" "good" {
  enable_deletion_protection = true
}
