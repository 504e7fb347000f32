resource "aws_db_instance" "good" {
  manage_master_user_password = true
}

variable "good_password" {
  type      = string
  sensitive = true
}
