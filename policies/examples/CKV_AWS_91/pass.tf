resource "aws_lb" "good" {
  access_logs {
    bucket  = "logs"
    enabled = true
  }
}
