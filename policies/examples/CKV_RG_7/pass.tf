resource "aws_lb_target_group" "good" {
  name = "blue"
}

resource "aws_ecs_service" "service" {
  name = "blue"

  load_balancer {
    target_group_arn = aws_lb_target_group.good.arn
  }
}

resource "aws_sns_topic" "alerts" {
  name = "alerts"
}

resource "aws_cloudwatch_metric_alarm" "alarm" {
  alarm_name          = "alarm"
  comparison_operator = "GreaterThanThreshold"
  threshold           = 0.5
  evaluation_periods  = 5
  datapoints_to_alarm = 5
  treat_missing_data  = "breaching"
  alarm_actions       = [aws_sns_topic.alerts.arn]
  namespace           = "AWS/ApplicationELB"
  metric_name         = "TargetResponseTime"
  period              = 60
  extended_statistic  = "p95"
  dimensions          = { TargetGroup = aws_lb_target_group.good.arn_suffix }
}
