resource "aws_ecr_repository" "bad" {
  image_scanning_configuration {
    scan_on_push = false
  }
}
