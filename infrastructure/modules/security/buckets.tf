# Buckets: private, encrypted, versioned, with a lifecycle, TLS only (modules/security/bucket); names end in the account
# because they are the world's. The bucket of access logs comes first: the others may log once its policy stands.

locals {
  log_bucket_name = "${var.service}-logs-${var.account_id}"
  buckets = {
    trail = {
      key_arn     = aws_kms_key.this["logs"].arn
      expiry_days = var.log_retention_days
      statements = [
        {
          Sid       = "TrailLooks"
          Effect    = "Allow"
          Principal = { Service = "cloudtrail.amazonaws.com" }
          Action    = "s3:GetBucketAcl"
          Resource  = "arn:aws:s3:::${local.trail_bucket_name}"
          Condition = { StringEquals = { "aws:SourceArn" = local.trail_arn } }
        },
        {
          Sid       = "TrailWrites"
          Effect    = "Allow"
          Principal = { Service = "cloudtrail.amazonaws.com" }
          Action    = "s3:PutObject"
          Resource  = "arn:aws:s3:::${local.trail_bucket_name}/AWSLogs/${var.account_id}/*"
          Condition = {
            StringEquals = { "aws:SourceArn" = local.trail_arn, "s3:x-amz-acl" = "bucket-owner-full-control" }
          }
        },
      ]
    }
    documents = { key_arn = aws_kms_key.this["data"].arn, expiry_days = 0, statements = [] }
    evidence  = { key_arn = aws_kms_key.this["data"].arn, expiry_days = 0, statements = [] }
  }
  trail_bucket_name = "${var.service}-trail-${var.account_id}"
}

module "log_bucket" {
  source = "./bucket"

  name                   = local.log_bucket_name
  key_arn                = null # access logs of load balancers and of S3 can only be written with S3's own keys
  expiry_days            = var.log_retention_days
  locked_years           = 0
  access_log_bucket_name = local.log_bucket_name
  deletion_protection    = var.deletion_protection

  statements = [
    {
      Sid       = "LoadBalancerLogs"
      Effect    = "Allow"
      Principal = { Service = "logdelivery.elasticloadbalancing.amazonaws.com" }
      Action    = "s3:PutObject"
      Resource  = "arn:aws:s3:::${local.log_bucket_name}/load-balancer/AWSLogs/${var.account_id}/*"
    },
    {
      Sid       = "BucketLogs"
      Effect    = "Allow"
      Principal = { Service = "logging.s3.amazonaws.com" }
      Action    = "s3:PutObject"
      Resource  = "arn:aws:s3:::${local.log_bucket_name}/buckets/*"
      Condition = { StringEquals = { "aws:SourceAccount" = var.account_id } }
    },
  ]
}

module "bucket" {
  source   = "./bucket"
  for_each = local.buckets

  name                   = "${var.service}-${each.key}-${var.account_id}"
  key_arn                = each.value.key_arn
  expiry_days            = each.value.expiry_days
  statements             = each.value.statements
  locked_years           = each.key == "evidence" ? var.evidence_retention_years : 0
  access_log_bucket_name = module.log_bucket.name
  deletion_protection    = var.deletion_protection
}
