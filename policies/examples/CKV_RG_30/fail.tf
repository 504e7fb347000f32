# FAIL aws_secretsmanager_secret_rotation.slow

resource "aws_secretsmanager_secret" "bad_never" {
  name = "bad_never"
}

resource "aws_secretsmanager_secret" "slow" {
  name = "slow"
}

resource "aws_secretsmanager_secret_rotation" "slow" {
  secret_id           = aws_secretsmanager_secret.slow.id
  rotation_lambda_arn = "arn:aws:lambda:us-east-1:111122223333:function:rotate"

  rotation_rules {
    automatically_after_days = 365
  }
}
