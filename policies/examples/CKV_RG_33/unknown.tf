variable "logging" {
  type = bool
}

resource "aws_cloudtrail" "open" {
  name                       = "open"
  is_multi_region_trail      = true
  enable_log_file_validation = true
  enable_logging             = var.logging
}
