resource "aws_db_instance" "good" {
  storage_encrypted = true
}
