resource "aws_db_instance" "bad" {
  storage_encrypted = false
}
