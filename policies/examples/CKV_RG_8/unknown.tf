variable "limit" {
  type = number
}

resource "aws_lb_target_group" "blue" {
  name = "blue"
}

resource "aws_ecs_service" "open" {
  name = "blue"

  load_balancer {
    target_group_arn = aws_lb_target_group.blue.arn
  }
}

resource "aws_sns_topic" "alerts" {
  name = "alerts"
}

resource "aws_cloudwatch_metric_alarm" "alarm" {
  alarm_name          = "alarm"
  comparison_operator = "GreaterThanThreshold"
  threshold           = var.limit
  evaluation_periods  = 10
  datapoints_to_alarm = 10
  treat_missing_data  = "breaching"
  alarm_actions       = [aws_sns_topic.alerts.arn]
  namespace           = "AWS/ECS"
  metric_name         = "CPUUtilization"
  period              = 60
  statistic           = "Average"
  dimensions          = { ClusterName = "main", ServiceName = aws_ecs_service.open.name }
}
