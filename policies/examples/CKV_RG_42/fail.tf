resource "aws_s3_bucket" "bad" {
  bucket = "example-bad"
}

resource "aws_s3_bucket_server_side_encryption_configuration" "bad" {
  bucket = aws_s3_bucket.bad.id

  rule {
    apply_server_side_encryption_by_default {
      sse_algorithm = "AES256"
    }
  }
}

resource "aws_s3_bucket" "bad_without" {
  bucket = "example-bad-without"
}
