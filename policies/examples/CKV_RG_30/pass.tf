# PASS aws_secretsmanager_secret_rotation.fine

resource "aws_secretsmanager_secret" "fine" {
  name = "fine"
}

resource "aws_secretsmanager_secret_rotation" "fine" {
  secret_id           = aws_secretsmanager_secret.fine.id
  rotation_lambda_arn = "arn:aws:lambda:us-east-1:111122223333:function:rotate"

  rotation_rules {
    automatically_after_days = 30
  }
}
