# The one secret that tasks hold: the key that signs their tokens, shared by both slots so that customers stay signed in
# across a switch. Terraform makes the place, never the value; the function fills it and changes it every 30 days, and the
# service goes on accepting the previous one. (The database's master password is RDS's own secret; see modules/database.)

locals {
  rotation_name = "${var.service}-rotate-signing-key"
}

resource "aws_secretsmanager_secret" "signing_key" {
  name                    = "${var.service}/signing-key"
  description             = "Signs the tokens of ${var.service}; EC P-256, PKCS#8, PEM"
  kms_key_id              = aws_kms_key.this["secrets"].arn
  recovery_window_in_days = var.deletion_protection ? 30 : 0
}

resource "aws_secretsmanager_secret_rotation" "signing_key" {
  secret_id           = aws_secretsmanager_secret.signing_key.id
  rotation_lambda_arn = aws_lambda_function.rotation.arn

  rotation_rules {
    automatically_after_days = 30
  }

  depends_on = [aws_lambda_permission.rotation]
}

resource "aws_cloudwatch_log_group" "rotation" {
  name              = "/aws/lambda/${local.rotation_name}"
  retention_in_days = var.log_retention_days
  kms_key_id        = aws_kms_key.this["logs"].arn
}

resource "aws_lambda_function" "rotation" {
  function_name                  = local.rotation_name
  description                    = "Rotates the key that signs tokens"
  role                           = aws_iam_role.rotation.arn
  package_type                   = "Image"
  image_uri                      = var.rotation_image
  architectures                  = ["arm64"]
  timeout                        = 30
  memory_size                    = 256
  reserved_concurrent_executions = 1

  image_config {
    entry_point = ["python", "-m", "awslambdaric"]
    command     = ["infrastructure.rotation.handler"]
  }

  dead_letter_config {
    target_arn = var.alert_topic_arn
  }

  tracing_config {
    mode = "Active"
  }

  depends_on = [aws_cloudwatch_log_group.rotation]
}

resource "aws_lambda_permission" "rotation" {
  statement_id   = "SecretsManager"
  action         = "lambda:InvokeFunction"
  function_name  = aws_lambda_function.rotation.function_name
  principal      = "secretsmanager.amazonaws.com"
  source_account = var.account_id
}

resource "aws_iam_role" "rotation" {
  name               = local.rotation_name
  assume_role_policy = local.trust["functions"]
}

resource "aws_iam_role_policy" "rotation" {
  name = "rotation"
  role = aws_iam_role.rotation.id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid    = "Rotate"
        Effect = "Allow"
        Action = [
          "secretsmanager:DescribeSecret",
          "secretsmanager:GetSecretValue",
          "secretsmanager:PutSecretValue",
          "secretsmanager:UpdateSecretVersionStage",
        ]
        Resource = aws_secretsmanager_secret.signing_key.arn
      },
      {
        Sid      = "Encrypt"
        Effect   = "Allow"
        Action   = ["kms:Decrypt", "kms:GenerateDataKey"]
        Resource = [aws_kms_key.this["secrets"].arn, aws_kms_key.this["messages"].arn]
      },
      {
        Sid      = "ReportFailures"
        Effect   = "Allow"
        Action   = "sns:Publish"
        Resource = var.alert_topic_arn
      },
      {
        Sid      = "WriteLogs"
        Effect   = "Allow"
        Action   = ["logs:CreateLogStream", "logs:PutLogEvents"]
        Resource = "${aws_cloudwatch_log_group.rotation.arn}:*"
      },
      {
        Sid      = "Trace" # the actions have no resource
        Effect   = "Allow"
        Action   = ["xray:PutTelemetryRecords", "xray:PutTraceSegments"]
        Resource = "*"
      },
    ]
  })
}
