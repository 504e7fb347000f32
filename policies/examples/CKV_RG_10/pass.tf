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
  threshold           = 50
  evaluation_periods  = 3
  datapoints_to_alarm = 3
  treat_missing_data  = "breaching"
  alarm_actions       = [aws_sns_topic.alerts.arn]

  metric_query {
    id          = "rate"
    expression  = "100 * down / (down + up)"
    return_data = true
  }

  metric_query {
    id = "down"

    metric {
      namespace   = "AWS/ApplicationELB"
      metric_name = "UnHealthyHostCount"
      period      = 60
      stat        = "Sum"
      dimensions  = { TargetGroup = aws_lb_target_group.good.arn_suffix }
    }
  }

  metric_query {
    id = "up"

    metric {
      namespace   = "AWS/ApplicationELB"
      metric_name = "HealthyHostCount"
      period      = 60
      stat        = "Sum"
      dimensions  = { TargetGroup = aws_lb_target_group.good.arn_suffix }
    }
  }

}
