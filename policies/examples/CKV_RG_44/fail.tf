resource "aws_s3_bucket" "bad" {
  bucket = "example-bad"
}

resource "aws_s3_bucket_lifecycle_configuration" "bad" {
  bucket = aws_s3_bucket.bad.id

  rule {
    id     = "end"
    status = "Disabled"

    expiration {
      days = 400
    }
  }
}

resource "aws_s3_bucket" "bad_without" {
  bucket = "example-bad-without"
}

resource "aws_s3_bucket" "bad_moved" {
  bucket = "example-bad-moved"
}

resource "aws_s3_bucket_lifecycle_configuration" "bad_moved" {
  bucket = aws_s3_bucket.bad_moved.id

  rule {
    id     = "end"
    status = "Enabled"

    transition {
      days = 400
    }
  }
}
