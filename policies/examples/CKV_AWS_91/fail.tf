resource "aws_lb" "bad" {
  access_logs {
    bucket  = "logs"
    enabled = false
  }
}
