# DEFERRED aws_secretsmanager_secret_rotation.some
variable "days" {
  type = number
}

resource "aws_secretsmanager_secret" "some" {
  name = "some"
}

resource "aws_secretsmanager_secret_rotation" "some" {
  secret_id           = aws_secretsmanager_secret.some.id
  rotation_lambda_arn = "arn:aws:lambda:us-east-1:111122223333:function:rotate"

  rotation_rules {
    automatically_after_days = var.days
  }
}
