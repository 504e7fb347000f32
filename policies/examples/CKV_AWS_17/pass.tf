resource "aws_db_instance" "good" {
  publicly_accessible = false
}
