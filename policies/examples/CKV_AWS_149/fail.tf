resource "aws_secretsmanager_secret" "bad" {
  name = "x"
}
