resource "aws_guardduty_detector" "good" {
  enable = true
}
