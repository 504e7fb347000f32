resource "aws_ecr_repository" "bad" {
  image_tag_mutability = "MUTABLE"
}
