resource "aws_ecr_repository" "bad" {
  encryption_configuration {
    encryption_type = "AES256"
  }
}
