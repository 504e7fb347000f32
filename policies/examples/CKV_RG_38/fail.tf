resource "aws_db_instance" "bad_days" {
  multi_az                = true
  backup_retention_period = 6
}

resource "aws_db_instance" "bad_none" {
  multi_az                = true
  backup_retention_period = 0
}

resource "aws_db_instance" "bad_zone" {
  multi_az                = false
  backup_retention_period = 7
}
