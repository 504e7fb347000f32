resource "aws_db_instance" "bad" {
  password = "example-only"
}

resource "aws_secretsmanager_secret_version" "bad" {
  secret_string = jsonencode({ host = "db", password = "example-only" })
}

# FAIL variable.bad_password
variable "bad_password" {
  type    = string
  default = "example-only"
}
