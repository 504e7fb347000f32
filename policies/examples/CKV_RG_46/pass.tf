resource "aws_cloudwatch_log_group" "good" {
  name              = "good"
  retention_in_days = 30
}

resource "aws_cloudwatch_log_group" "good_long" {
  name              = "good_long"
  retention_in_days = 2557
}
