resource "aws_cloudtrail" "bad_regional" {
  name                       = "bad_regional"
  enable_log_file_validation = true
}

resource "aws_cloudtrail" "bad_stopped" {
  name                       = "bad_stopped"
  is_multi_region_trail      = true
  enable_log_file_validation = true
  enable_logging             = false
}

resource "aws_cloudtrail" "bad_unproven" {
  name                  = "bad_unproven"
  is_multi_region_trail = true
}
