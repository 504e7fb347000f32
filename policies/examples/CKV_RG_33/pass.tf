resource "aws_cloudtrail" "good" {
  name                       = "good"
  is_multi_region_trail      = true
  enable_log_file_validation = true
}
