resource "aws_db_instance" "bad" {
  publicly_accessible = true
}
