resource "aws_db_instance" "good" {
  deletion_protection = true
}
