# Roles of tasks and of AWS's own log writers. What the release engine may is in modules/release.

locals {
  trusted = {
    tasks      = "ecs-tasks.amazonaws.com"
    flow_logs  = "vpc-flow-logs.amazonaws.com"
    trail      = "cloudtrail.amazonaws.com"
    functions  = "lambda.amazonaws.com"
    monitoring = "monitoring.rds.amazonaws.com"
  }
  # Only for resources of this account, where the service says for whom it asks (Lambda and CloudTrail do not say it).
  says_for_whom = ["tasks", "flow_logs", "monitoring"]
  trust = {
    for name, principal in local.trusted : name => jsonencode({
      Version = "2012-10-17"
      Statement = [merge(
        { Effect = "Allow", Principal = { Service = principal }, Action = "sts:AssumeRole" },
        contains(local.says_for_whom, name) ? { Condition = { StringEquals = { "aws:SourceAccount" = var.account_id } } } : {},
      )]
    })
  }
}

# ---------------------------------------------------------------------------------------------- tasks

# What ECS itself does for a task: pull its image, write its log, hand over its secrets.
resource "aws_iam_role" "execution" {
  name               = "${var.service}-execution"
  assume_role_policy = local.trust["tasks"]
}

resource "aws_iam_role_policy" "execution" {
  name = "execution"
  role = aws_iam_role.execution.id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid      = "SignInAtTheRegistry" # the action has no resource
        Effect   = "Allow"
        Action   = "ecr:GetAuthorizationToken"
        Resource = "*"
      },
      {
        Sid      = "PullImages"
        Effect   = "Allow"
        Action   = ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]
        Resource = values(var.repositories)
      },
      {
        Sid      = "WriteLogs"
        Effect   = "Allow"
        Action   = ["logs:CreateLogStream", "logs:PutLogEvents"]
        Resource = "arn:aws:logs:${var.region}:${var.account_id}:log-group:/ecs/*"
      },
      {
        Sid      = "HandOverSecrets"
        Effect   = "Allow"
        Action   = "secretsmanager:GetSecretValue"
        Resource = aws_secretsmanager_secret.signing_key.arn
      },
      {
        Sid      = "DecryptSecrets"
        Effect   = "Allow"
        Action   = "kms:Decrypt"
        Resource = aws_kms_key.this["secrets"].arn
      },
    ]
  })
}

# What the service does. It signs in at database and cache with this role, so there is no password to keep.
resource "aws_iam_role" "task" {
  name               = var.service
  assume_role_policy = local.trust["tasks"]
}

resource "aws_iam_role_policy" "task" {
  name = "service"
  role = aws_iam_role.task.id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid    = "Sessions"
        Effect = "Allow"
        Action = [
          "dynamodb:DeleteItem", "dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:Query", "dynamodb:UpdateItem",
        ]
        Resource = var.tables.sessions
      },
      {
        Sid      = "Configuration"
        Effect   = "Allow"
        Action   = ["dynamodb:GetItem", "dynamodb:Query"]
        Resource = var.tables.configuration
      },
      {
        Sid      = "Database"
        Effect   = "Allow"
        Action   = "rds-db:connect"
        Resource = "arn:aws:rds-db:${var.region}:${var.account_id}:dbuser:${var.database_resource_id}/${replace(var.service, "-", "_")}"
      },
      {
        Sid      = "Cache"
        Effect   = "Allow"
        Action   = "elasticache:Connect"
        Resource = [var.cache.group_arn, var.cache.user_arn]
      },
      {
        Sid      = "Documents"
        Effect   = "Allow"
        Action   = ["s3:GetObject", "s3:PutObject"]
        Resource = "${module.bucket["documents"].arn}/*"
      },
      {
        Sid      = "EncryptData"
        Effect   = "Allow"
        Action   = ["kms:Decrypt", "kms:GenerateDataKey"]
        Resource = aws_kms_key.this["data"].arn
      },
      {
        Sid      = "Trace" # the actions have no resource
        Effect   = "Allow"
        Action   = ["xray:GetSamplingRules", "xray:GetSamplingTargets", "xray:PutTelemetryRecords", "xray:PutTraceSegments"]
        Resource = "*"
      },
    ]
  })
}

# ---------------------------------------------------------------------------------------------- writers of logs

resource "aws_iam_role" "flow_logs" {
  name               = "${var.service}-flow-logs"
  assume_role_policy = local.trust["flow_logs"]
}

resource "aws_iam_role_policy" "flow_logs" {
  name = "flow-logs"
  role = aws_iam_role.flow_logs.id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid    = "WriteFlowLogs"
      Effect = "Allow"
      Action = ["logs:CreateLogStream", "logs:DescribeLogStreams", "logs:PutLogEvents"]
      Resource = [
        for region in [var.region, var.replica_region] : "arn:aws:logs:${region}:${var.account_id}:log-group:/vpc/${var.service}*"
      ]
    }]
  })
}

resource "aws_iam_role" "trail" {
  name               = "${var.service}-trail"
  assume_role_policy = local.trust["trail"]
}

resource "aws_iam_role_policy" "trail" {
  name = "trail"
  role = aws_iam_role.trail.id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid      = "WriteTrail"
      Effect   = "Allow"
      Action   = ["logs:CreateLogStream", "logs:PutLogEvents"]
      Resource = "${aws_cloudwatch_log_group.trail.arn}:*"
    }]
  })
}

resource "aws_iam_role" "database_monitoring" {
  name               = "${var.service}-database-monitoring"
  assume_role_policy = local.trust["monitoring"]
}

resource "aws_iam_role_policy" "database_monitoring" {
  name = "database-monitoring"
  role = aws_iam_role.database_monitoring.id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid    = "WriteHostMetrics"
      Effect = "Allow"
      Action = [
        "logs:CreateLogGroup",
        "logs:CreateLogStream",
        "logs:DescribeLogStreams",
        "logs:GetLogEvents",
        "logs:PutLogEvents",
        "logs:PutRetentionPolicy",
      ]
      Resource = [
        for region in [var.region, var.replica_region] : "arn:aws:logs:${region}:${var.account_id}:log-group:RDSOSMetrics*"
      ]
    }]
  })
}
