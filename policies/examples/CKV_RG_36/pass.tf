provider "aws" {
  region = "us-east-1"
}

provider "aws" {
  alias  = "far"
  region = "us-west-2"
}

resource "aws_kms_key" "far" {
  provider = aws.far
}

resource "aws_db_instance" "good" {
  identifier = "main"
}

resource "aws_db_instance" "good_replica" {
  provider            = aws.far
  replicate_source_db = aws_db_instance.good.arn
  kms_key_id          = aws_kms_key.far.arn
}
