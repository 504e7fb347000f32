# Who did what in the account (CloudTrail, all regions, log files that prove themselves unchanged), and what looks wrong
# (GuardDuty; findings of high severity reach the alert topic within minutes).

resource "aws_cloudwatch_log_group" "trail" {
  name              = "/cloudtrail/${var.service}"
  retention_in_days = var.log_retention_days
  kms_key_id        = aws_kms_key.this["logs"].arn
}

resource "aws_cloudtrail" "this" {
  name                          = var.service
  s3_bucket_name                = module.bucket["trail"].name
  is_multi_region_trail         = true
  include_global_service_events = true
  enable_log_file_validation    = true
  enable_logging                = true
  kms_key_id                    = aws_kms_key.this["logs"].arn
  cloud_watch_logs_group_arn    = "${aws_cloudwatch_log_group.trail.arn}:*"
  cloud_watch_logs_role_arn     = aws_iam_role.trail.arn

  event_selector {
    read_write_type           = "All"
    include_management_events = true

    data_resource {
      type   = "AWS::S3::Object"
      values = [for name in ["documents", "evidence"] : "${module.bucket[name].arn}/"]
    }
  }
}

resource "aws_guardduty_detector" "this" {
  enable                       = true
  finding_publishing_frequency = "FIFTEEN_MINUTES"
}

resource "aws_cloudwatch_event_rule" "findings" {
  name        = "${var.service}-guardduty-high"
  description = "Findings of GuardDuty with a severity of 7 and more"
  event_pattern = jsonencode({
    source        = ["aws.guardduty"]
    "detail-type" = ["GuardDuty Finding"]
    detail        = { severity = [{ numeric = [">=", 7] }] }
  })
}

resource "aws_cloudwatch_event_target" "findings" {
  rule = aws_cloudwatch_event_rule.findings.name
  arn  = var.alert_topic_arn
}
