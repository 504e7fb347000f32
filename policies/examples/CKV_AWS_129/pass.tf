resource "aws_db_instance" "good" {
  enabled_cloudwatch_logs_exports = ["postgresql"]
}
