resource "aws_db_instance" "bad" {
  deletion_protection = false
}
