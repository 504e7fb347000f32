variable "status" {
  type = string
}

resource "aws_s3_bucket" "open" {
  bucket = "example-open"
}

resource "aws_s3_bucket_lifecycle_configuration" "open" {
  bucket = aws_s3_bucket.open.id

  rule {
    id     = "end"
    status = var.status

    expiration {
      days = 400
    }
  }
}
