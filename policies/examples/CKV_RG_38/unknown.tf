variable "days" {
  type = number
}

resource "aws_db_instance" "open" {
  multi_az                = true
  backup_retention_period = var.days
}
