variable "value" {
  type = bool
}

resource "aws_db_instance" "open" {
  storage_encrypted = var.value
}
