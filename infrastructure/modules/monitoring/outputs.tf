output "alarm_names" {
  description = "Alarms by trigger and slot."
  value = {
    for trigger, alarms in {
      error_rate = aws_cloudwatch_metric_alarm.error_rate
      latency    = aws_cloudwatch_metric_alarm.latency
      cpu        = aws_cloudwatch_metric_alarm.cpu
      memory     = aws_cloudwatch_metric_alarm.memory
      unhealthy  = aws_cloudwatch_metric_alarm.unhealthy
    } : trigger => { for slot, one in alarms : slot => one.alarm_name }
  }
}

output "dashboard_name" {
  description = "The dashboard of releases."
  value       = aws_cloudwatch_dashboard.release.dashboard_name
}
