resource "aws_s3_bucket" "good" {
  bucket = "example-good"
}

resource "aws_s3_bucket_lifecycle_configuration" "good" {
  bucket = aws_s3_bucket.good.id

  rule {
    id     = "end"
    status = "Enabled"

    expiration {
      days = 400
    }
  }
}
