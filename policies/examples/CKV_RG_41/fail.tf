resource "aws_s3_bucket" "bad_door" {
  bucket = "example-bad-door"
}

resource "aws_s3_bucket_public_access_block" "bad_door" {
  bucket                  = aws_s3_bucket.bad_door.id
  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = false
}

resource "aws_s3_bucket" "bad_without" {
  bucket = "example-bad-without"
}

resource "aws_s3_bucket" "bad_policy" {
  bucket = "example-bad-policy"
}

resource "aws_s3_bucket_public_access_block" "bad_policy" {
  bucket                  = aws_s3_bucket.bad_policy.id
  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

resource "aws_s3_bucket_policy" "bad_policy" {
  bucket = aws_s3_bucket.bad_policy.id

  policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", Principal = "*", Action = "s3:GetObject", Resource = "*" }]
  })
}
