# Buckets: private, encrypted, versioned, with a lifecycle, TLS only (modules/security/bucket); names end in the account
# because they are the world's.

locals {
  buckets = {
    logs = {
      key_arn     = null # access logs of load balancers and of S3 can only be written with S3's own keys
      expiry_days = var.log_retention_days
      statements = [
        {
          Sid       = "LoadBalancerLogs"
          Effect    = "Allow"
          Principal = { Service = "logdelivery.elasticloadbalancing.amazonaws.com" }
          Action    = "s3:PutObject"
          Resource  = "arn:aws:s3:::${local.bucket_names["logs"]}/load-balancer/AWSLogs/${var.account_id}/*"
        },
        {
          Sid       = "BucketLogs"
          Effect    = "Allow"
          Principal = { Service = "logging.s3.amazonaws.com" }
          Action    = "s3:PutObject"
          Resource  = "arn:aws:s3:::${local.bucket_names["logs"]}/buckets/*"
          Condition = { StringEquals = { "aws:SourceAccount" = var.account_id } }
        },
      ]
    }
    trail = {
      key_arn     = aws_kms_key.this["logs"].arn
      expiry_days = var.log_retention_days
      statements = [
        {
          Sid       = "TrailLooks"
          Effect    = "Allow"
          Principal = { Service = "cloudtrail.amazonaws.com" }
          Action    = "s3:GetBucketAcl"
          Resource  = "arn:aws:s3:::${local.bucket_names["trail"]}"
          Condition = { StringEquals = { "aws:SourceArn" = local.trail_arn } }
        },
        {
          Sid       = "TrailWrites"
          Effect    = "Allow"
          Principal = { Service = "cloudtrail.amazonaws.com" }
          Action    = "s3:PutObject"
          Resource  = "arn:aws:s3:::${local.bucket_names["trail"]}/AWSLogs/${var.account_id}/*"
          Condition = {
            StringEquals = { "aws:SourceArn" = local.trail_arn, "s3:x-amz-acl" = "bucket-owner-full-control" }
          }
        },
      ]
    }
    documents = { key_arn = aws_kms_key.this["data"].arn, expiry_days = 0, statements = [] }
    evidence  = { key_arn = aws_kms_key.this["data"].arn, expiry_days = 0, statements = [] }
  }
  bucket_names = { for name in ["logs", "trail", "documents", "evidence"] : name => "${var.service}-${name}-${var.account_id}" }
}

module "bucket" {
  source   = "./bucket"
  for_each = local.buckets

  name                   = local.bucket_names[each.key]
  key_arn                = each.value.key_arn
  expiry_days            = each.value.expiry_days
  statements             = each.value.statements
  locked_years           = each.key == "evidence" ? var.evidence_retention_years : 0
  access_log_bucket_name = local.bucket_names["logs"]
  deletion_protection    = var.deletion_protection
}

# Nobody makes anything in this account public by mistake.
resource "aws_s3_account_public_access_block" "this" {
  account_id              = var.account_id
  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}
