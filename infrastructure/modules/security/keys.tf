# Keys by purpose, so that reading logs does not mean reading customers' data. Rotated every year; the account's own
# policies say who may use them, and the services listed here may for this account's resources only.

locals {
  log_groups = "arn:aws:logs:${var.region}:${var.account_id}:*"
  trail_arn  = "arn:aws:cloudtrail:${var.region}:${var.account_id}:trail/${var.service}"

  administration = {
    Sid       = "AdministeredByPoliciesOfTheAccount"
    Effect    = "Allow"
    Principal = { AWS = "arn:aws:iam::${var.account_id}:root" }
    Action    = "kms:*"
    Resource  = "*"
  }
  use = ["kms:Decrypt", "kms:DescribeKey", "kms:Encrypt", "kms:GenerateDataKey*", "kms:ReEncrypt*"]
  logging = {
    for region in [var.region, var.replica_region] : region => {
      Sid       = "LogGroups"
      Effect    = "Allow"
      Principal = { Service = "logs.${region}.amazonaws.com" }
      Action    = local.use
      Resource  = "*"
      Condition = { ArnLike = { "kms:EncryptionContext:aws:logs:arn" = "arn:aws:logs:${region}:${var.account_id}:*" } }
    }
  }
  messaging = {
    Sid       = "AlarmsAndEvents"
    Effect    = "Allow"
    Principal = { Service = ["cloudwatch.amazonaws.com", "events.amazonaws.com"] }
    Action    = ["kms:Decrypt", "kms:GenerateDataKey*"]
    Resource  = "*"
    Condition = { StringEquals = { "aws:SourceAccount" = var.account_id } }
  }
  trail = {
    Sid       = "Trail"
    Effect    = "Allow"
    Principal = { Service = "cloudtrail.amazonaws.com" }
    Action    = ["kms:DescribeKey", "kms:GenerateDataKey*"]
    Resource  = "*"
    Condition = { StringEquals = { "aws:SourceArn" = local.trail_arn } }
  }

  # Purpose to the statements it needs beside the administration.
  purposes = {
    data     = []
    logs     = [local.logging[var.region], local.trail]
    messages = [local.messaging]
    secrets  = []
  }
  replica_purposes = {
    data     = []
    logs     = [local.logging[var.replica_region]]
    messages = [local.messaging]
  }
}

resource "aws_kms_key" "this" {
  for_each = local.purposes

  description             = "${var.service}: ${each.key}"
  enable_key_rotation     = true
  deletion_window_in_days = 30
  policy                  = jsonencode({ Version = "2012-10-17", Statement = concat([local.administration], each.value) })
}

resource "aws_kms_alias" "this" {
  for_each = aws_kms_key.this

  name          = "alias/${var.service}-${each.key}"
  target_key_id = each.value.key_id
}

resource "aws_kms_key" "replica" {
  provider = aws.replica
  for_each = local.replica_purposes

  description             = "${var.service}: ${each.key} of the replica"
  enable_key_rotation     = true
  deletion_window_in_days = 30
  policy                  = jsonencode({ Version = "2012-10-17", Statement = concat([local.administration], each.value) })
}

resource "aws_kms_alias" "replica" {
  provider = aws.replica
  for_each = aws_kms_key.replica

  name          = "alias/${var.service}-replica-${each.key}"
  target_key_id = each.value.key_id
}
