resource "aws_s3_bucket" "good" {
  bucket = "example-good"
}

resource "aws_s3_bucket_server_side_encryption_configuration" "good" {
  bucket = aws_s3_bucket.good.id

  rule {
    apply_server_side_encryption_by_default {
      sse_algorithm = "aws:kms"
    }
  }
}

resource "aws_s3_bucket" "good_logs" {
  bucket = "example-good-logs"
}

resource "aws_s3_bucket_server_side_encryption_configuration" "good_logs" {
  bucket = aws_s3_bucket.good_logs.id

  rule {
    apply_server_side_encryption_by_default {
      sse_algorithm = "AES256"
    }
  }
}

resource "aws_lb" "main" {
  access_logs {
    bucket = aws_s3_bucket.good_logs.id
  }
}
