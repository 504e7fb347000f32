variable "value" {
  type = bool
}

resource "aws_db_instance" "open" {
  publicly_accessible = var.value
}
