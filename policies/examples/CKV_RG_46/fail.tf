resource "aws_cloudwatch_log_group" "bad_ever" {
  name = "bad_ever"
}

resource "aws_cloudwatch_log_group" "bad_zero" {
  name              = "bad_zero"
  retention_in_days = 0
}

resource "aws_cloudwatch_log_group" "bad_short" {
  name              = "bad_short"
  retention_in_days = 14
}

resource "aws_cloudwatch_log_group" "bad_long" {
  name              = "bad_long"
  retention_in_days = 3653
}
