variable "status" {
  type = string
}

resource "aws_s3_bucket" "open" {
  bucket = "example-open"
}

resource "aws_s3_bucket_versioning" "open" {
  bucket = aws_s3_bucket.open.id

  versioning_configuration {
    status = var.status
  }
}
