resource "aws_s3_bucket" "bad" {
  bucket = "example-bad"
}

resource "aws_s3_bucket_versioning" "bad" {
  bucket = aws_s3_bucket.bad.id

  versioning_configuration {
    status = "Suspended"
  }
}

resource "aws_s3_bucket" "bad_without" {
  bucket = "example-bad-without"
}
