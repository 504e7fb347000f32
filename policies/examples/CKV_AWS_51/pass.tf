resource "aws_ecr_repository" "good" {
  image_tag_mutability = "IMMUTABLE"
}
