# When every controller of an active rollout is gone: the heartbeat stops, the alarm fires (silence is breaching), and a
# function gives all traffic back to the stable side. Without a rollout nobody beats either, so the function looks first
# and does nothing when no rollout is active; that is why the alarm tells the function and not people, and why the
# function tells people what it did. It lives outside of the VPC: it must work when the network inside does not.

locals {
  heartbeat_namespace = "ReleaseGates"
  heartbeat_metric    = "Heartbeat" # rollout/adapters/heartbeat.py
  deadman_name        = "release-deadman"
}

resource "aws_cloudwatch_metric_alarm" "heartbeat" {
  alarm_name        = "release-heartbeat"
  alarm_description = "No controller has reported for ten minutes"
  namespace         = local.heartbeat_namespace
  metric_name       = local.heartbeat_metric
  statistic         = "SampleCount"
  period            = 60
  # CloudWatch waits for two more periods before it calls data missing: ten minutes of silence in all.
  evaluation_periods  = 8
  datapoints_to_alarm = 8
  comparison_operator = "LessThanThreshold"
  threshold           = 1
  treat_missing_data  = "breaching"
  actions_enabled     = true
  alarm_actions       = [aws_lambda_function.deadman.arn]
}

resource "aws_cloudwatch_log_group" "deadman" {
  name              = "/aws/lambda/${local.deadman_name}"
  retention_in_days = var.log_retention_days
  kms_key_id        = var.key_arns.logs
}

resource "aws_lambda_function" "deadman" {
  function_name                  = local.deadman_name
  description                    = "Gives all traffic back to the stable side when no controller is left"
  role                           = aws_iam_role.deadman.arn
  package_type                   = "Image"
  image_uri                      = var.image
  architectures                  = ["arm64"]
  timeout                        = 120 # a whole lease is watched first, then the stable side may have to start
  memory_size                    = 256
  reserved_concurrent_executions = 1

  image_config {
    entry_point = ["python", "-m", "awslambdaric"]
    command     = ["rollout.deadman.handler"]
  }

  environment {
    variables = {
      DEADMAN_TARGET = jsonencode({ # rollout/deadman.py, target_of
        environment       = var.environment
        region            = var.region
        rule_arn          = var.traffic.rule_arn
        listener_arn      = var.traffic.listener_arn
        target_group_arns = var.traffic.target_group_arns
        cluster_name      = var.services.cluster.name
        service_names     = var.services.names
        container_name    = var.service
        state_table       = aws_dynamodb_table.rollouts.name
        alert_topic_arn   = aws_sns_topic.alerts.arn
      })
    }
  }

  kms_key_arn = var.key_arns.data

  dead_letter_config {
    target_arn = aws_sns_topic.alerts.arn
  }

  tracing_config {
    mode = "Active"
  }

  depends_on = [aws_cloudwatch_log_group.deadman]
}

resource "aws_lambda_permission" "deadman" {
  statement_id   = "HeartbeatAlarm"
  action         = "lambda:InvokeFunction"
  function_name  = aws_lambda_function.deadman.function_name
  principal      = "lambda.alarms.cloudwatch.amazonaws.com"
  source_account = var.account_id
  source_arn     = aws_cloudwatch_metric_alarm.heartbeat.arn
}

# Who watches the watcher: people.
resource "aws_cloudwatch_metric_alarm" "deadman_failed" {
  alarm_name          = "release-deadman-failed"
  alarm_description   = "The dead-man function failed: look at the weights now"
  namespace           = "AWS/Lambda"
  metric_name         = "Errors"
  dimensions          = { FunctionName = aws_lambda_function.deadman.function_name }
  statistic           = "Sum"
  period              = 60
  evaluation_periods  = 1
  datapoints_to_alarm = 1
  comparison_operator = "GreaterThanThreshold"
  threshold           = 0
  treat_missing_data  = "notBreaching" # it is not called while all is well
  actions_enabled     = true
  alarm_actions       = [aws_sns_topic.alerts.arn]
}

resource "aws_iam_role" "deadman" {
  name = local.deadman_name
  assume_role_policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", Principal = { Service = "lambda.amazonaws.com" }, Action = "sts:AssumeRole" }]
  })
}

# What it does, held to the published policy as the engine's roles are.
resource "aws_iam_role_policy" "deadman" {
  name   = "deadman"
  role   = aws_iam_role.deadman.id
  policy = templatefile("${path.module}/../../../rollout/policies/deadman.json", local.policy_places)
}

# What a function needs whatever it does: keys of our own, its log, its traces.
resource "aws_iam_role_policy" "deadman_runtime" {
  name = "runtime"
  role = aws_iam_role.deadman.id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid      = "UseKeys"
        Effect   = "Allow"
        Action   = ["kms:Decrypt", "kms:GenerateDataKey"]
        Resource = [var.key_arns.data, var.key_arns.messages]
      },
      {
        Sid      = "WriteLogs"
        Effect   = "Allow"
        Action   = ["logs:CreateLogStream", "logs:PutLogEvents"]
        Resource = "${aws_cloudwatch_log_group.deadman.arn}:*"
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
