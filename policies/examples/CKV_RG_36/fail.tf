provider "aws" {
  region = "us-east-1"
}

provider "aws" {
  alias  = "far"
  region = "ap-south-1"
}

resource "aws_kms_key" "far" {
  provider = aws.far
}

resource "aws_db_instance" "good" {
  identifier = "main"
}

resource "aws_db_instance" "bad_abroad" {
  provider            = aws.far
  replicate_source_db = aws_db_instance.good.arn
  kms_key_id          = aws_kms_key.far.arn
}

resource "aws_db_instance" "bad_near" {
  replicate_source_db = aws_db_instance.good.arn
  kms_key_id          = aws_kms_key.far.arn
}

resource "aws_db_instance" "bad_keyless" {
  provider            = aws.far
  replicate_source_db = aws_db_instance.good.arn
}

resource "aws_db_instance" "bad_alone" {
  identifier = "alone"
}
