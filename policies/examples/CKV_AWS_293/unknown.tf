variable "value" {
  type = bool
}

resource "aws_db_instance" "open" {
  deletion_protection = var.value
}
