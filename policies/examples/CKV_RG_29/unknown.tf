# Never unknown: a value that the code does not hold is what is asked for.
resource "random_password" "main" {
  length = 32
}

resource "aws_secretsmanager_secret_version" "good" {
  secret_string = jsonencode({ host = "db", password = random_password.main.result })
}
