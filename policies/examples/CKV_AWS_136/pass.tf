resource "aws_ecr_repository" "good" {
  encryption_configuration {
    encryption_type = "KMS"
  }
}
