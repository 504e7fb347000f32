resource "aws_db_instance" "good" {
  multi_az                = true
  backup_retention_period = 7
}
