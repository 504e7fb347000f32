# The alarms that mirror TRIG-01 to TRIG-05 for both slots: same limits, same minutes, all of them in a row. They tell
# people; it is the engine that takes traffic back. A minute without data is "missing", which CloudWatch reports as
# INSUFFICIENT_DATA: neither well nor ill.

locals {
  elb_namespace = "AWS/ApplicationELB"
  ecs_namespace = "AWS/ECS"
  # Fewer requests than this in a minute say nothing (contracts.md, 8).
  requests_min = 20

  group_dimensions = {
    for slot, one in var.slots : slot => { LoadBalancer = var.load_balancer_suffix, TargetGroup = one.target_group_suffix }
  }
  service_dimensions = {
    for slot, one in var.slots : slot => { ClusterName = var.cluster_name, ServiceName = one.service_name }
  }
}

# TRIG-01. Counters exist only where there was something to count, hence FILL; a candidate that refuses connections has
# no 5xx of its own, hence connection errors; and both together are at most the requests.
resource "aws_cloudwatch_metric_alarm" "error_rate" {
  for_each = var.slots

  alarm_name          = "${var.service}-${each.key}-error-rate"
  alarm_description   = "TRIG-01: failed requests of ${each.key} over all of its requests, percent, minute by minute"
  comparison_operator = "GreaterThanThreshold"
  threshold           = var.triggers.error_rate_percent_max
  evaluation_periods  = var.triggers.error_rate_minutes
  datapoints_to_alarm = var.triggers.error_rate_minutes
  treat_missing_data  = "missing"
  actions_enabled     = true
  alarm_actions       = [var.alert_topic_arn]
  ok_actions          = [var.alert_topic_arn]

  metric_query {
    id          = "rate"
    label       = "failed requests, percent"
    expression  = "IF(requests >= ${local.requests_min}, 100 * MIN([FILL(errors, 0) + FILL(refused, 0), requests]) / requests, 0)"
    return_data = true
  }

  dynamic "metric_query" {
    for_each = {
      requests = "RequestCount"
      errors   = "HTTPCode_Target_5XX_Count"
      refused  = "TargetConnectionErrorCount"
    }

    content {
      id = metric_query.key

      metric {
        namespace   = local.elb_namespace
        metric_name = metric_query.value
        dimensions  = local.group_dimensions[each.key]
        stat        = "Sum"
        period      = 60
      }
    }
  }
}

# TRIG-02. More than 5 % of a minute's requests over the limit, and p95 over the limit, are the same statement.
resource "aws_cloudwatch_metric_alarm" "latency" {
  for_each = var.slots

  alarm_name                            = "${var.service}-${each.key}-latency"
  alarm_description                     = "TRIG-02: 95th percentile of the response time of ${each.key}, seconds"
  namespace                             = local.elb_namespace
  metric_name                           = "TargetResponseTime"
  dimensions                            = local.group_dimensions[each.key]
  extended_statistic                    = "p95"
  period                                = 60
  evaluation_periods                    = var.triggers.latency_minutes
  datapoints_to_alarm                   = var.triggers.latency_minutes
  comparison_operator                   = "GreaterThanThreshold"
  threshold                             = var.triggers.latency_milliseconds_max / 1000
  treat_missing_data                    = "missing"
  evaluate_low_sample_count_percentiles = "evaluate"
  actions_enabled                       = true
  alarm_actions                         = [var.alert_topic_arn]
  ok_actions                            = [var.alert_topic_arn]
}

# TRIG-03 and TRIG-04.
resource "aws_cloudwatch_metric_alarm" "cpu" {
  for_each = var.slots

  alarm_name          = "${var.service}-${each.key}-cpu"
  alarm_description   = "TRIG-03: CPU of ${each.key}, percent of its tasks' limit"
  namespace           = local.ecs_namespace
  metric_name         = "CPUUtilization"
  dimensions          = local.service_dimensions[each.key]
  statistic           = "Average"
  period              = 60
  evaluation_periods  = var.triggers.cpu_minutes
  datapoints_to_alarm = var.triggers.cpu_minutes
  comparison_operator = "GreaterThanThreshold"
  threshold           = var.triggers.cpu_percent_max
  treat_missing_data  = "missing"
  actions_enabled     = true
  alarm_actions       = [var.alert_topic_arn]
  ok_actions          = [var.alert_topic_arn]
}

resource "aws_cloudwatch_metric_alarm" "memory" {
  for_each = var.slots

  alarm_name          = "${var.service}-${each.key}-memory"
  alarm_description   = "TRIG-04: memory of ${each.key}, percent of its tasks' limit"
  namespace           = local.ecs_namespace
  metric_name         = "MemoryUtilization"
  dimensions          = local.service_dimensions[each.key]
  statistic           = "Average"
  period              = 60
  evaluation_periods  = var.triggers.memory_minutes
  datapoints_to_alarm = var.triggers.memory_minutes
  comparison_operator = "GreaterThanThreshold"
  threshold           = var.triggers.memory_percent_max
  treat_missing_data  = "missing"
  actions_enabled     = true
  alarm_actions       = [var.alert_topic_arn]
  ok_actions          = [var.alert_topic_arn]
}

# TRIG-05. No registered target counts as all of them failing where tasks are wanted; a slot that is meant to have none is
# not ill. (How many are wanted is a metric of Container Insights.)
resource "aws_cloudwatch_metric_alarm" "unhealthy" {
  for_each = var.slots

  alarm_name          = "${var.service}-${each.key}-unhealthy"
  alarm_description   = "TRIG-05: unhealthy targets of ${each.key} over its registered ones, percent"
  comparison_operator = "GreaterThanThreshold"
  threshold           = var.triggers.unhealthy_percent_max
  evaluation_periods  = var.triggers.unhealthy_minutes
  datapoints_to_alarm = var.triggers.unhealthy_minutes
  treat_missing_data  = "missing"
  actions_enabled     = true
  alarm_actions       = [var.alert_topic_arn]
  ok_actions          = [var.alert_topic_arn]

  metric_query {
    id          = "failing"
    label       = "unhealthy targets, percent"
    expression  = "IF(healthy + unhealthy > 0, 100 * unhealthy / (healthy + unhealthy), IF(FILL(wanted, 0) > 0, 100, 0))"
    return_data = true
  }

  dynamic "metric_query" {
    for_each = {
      healthy   = { metric = "HealthyHostCount", stat = "Minimum" }
      unhealthy = { metric = "UnHealthyHostCount", stat = "Maximum" }
    }

    content {
      id = metric_query.key

      metric {
        namespace   = local.elb_namespace
        metric_name = metric_query.value.metric
        dimensions  = local.group_dimensions[each.key]
        stat        = metric_query.value.stat
        period      = 60
      }
    }
  }

  metric_query {
    id = "wanted"

    metric {
      namespace   = "ECS/ContainerInsights"
      metric_name = "DesiredTaskCount"
      dimensions  = local.service_dimensions[each.key]
      stat        = "Maximum"
      period      = 60
    }
  }
}
