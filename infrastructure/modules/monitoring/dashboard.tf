# One dashboard: both slots side by side in every figure that a gate or trigger reads, with its limit drawn in. Which slot
# is live follows from the requests; the engine marks the deployment.

locals {
  figures = {
    "Requests a minute"             = { namespace = local.elb_namespace, metric = "RequestCount", stat = "Sum", limit = null }
    "Failed requests a minute"      = { namespace = local.elb_namespace, metric = "HTTPCode_Target_5XX_Count", stat = "Sum", limit = null }
    "Refused connections a minute"  = { namespace = local.elb_namespace, metric = "TargetConnectionErrorCount", stat = "Sum", limit = null }
    "Response time, p95 (s)"        = { namespace = local.elb_namespace, metric = "TargetResponseTime", stat = "p95", limit = var.triggers.latency_milliseconds_max / 1000 }
    "Unhealthy targets"             = { namespace = local.elb_namespace, metric = "UnHealthyHostCount", stat = "Maximum", limit = null }
    "CPU (percent of the limit)"    = { namespace = local.ecs_namespace, metric = "CPUUtilization", stat = "Average", limit = var.triggers.cpu_percent_max }
    "Memory (percent of the limit)" = { namespace = local.ecs_namespace, metric = "MemoryUtilization", stat = "Average", limit = var.triggers.memory_percent_max }
  }
  titles     = keys(local.figures)
  dimensions = { (local.elb_namespace) = local.group_dimensions, (local.ecs_namespace) = local.service_dimensions }
  widgets = [
    for index, title in local.titles : {
      type   = "metric"
      x      = (index % 2) * 12
      y      = floor(index / 2) * 6
      width  = 12
      height = 6
      properties = {
        title  = title
        region = var.region
        period = 60
        stat   = local.figures[title].stat
        metrics = [
          for slot in keys(var.slots) : concat(
            [local.figures[title].namespace, local.figures[title].metric],
            flatten([for name, value in local.dimensions[local.figures[title].namespace][slot] : [name, value]]),
            [{ label = slot, color = slot == "blue" ? "#1f77b4" : "#2ca02c" }],
          )
        ]
        annotations = {
          horizontal = local.figures[title].limit == null ? [] : [{ label = "takes traffic back", value = local.figures[title].limit }]
        }
      }
    }
  ]
}

resource "aws_cloudwatch_dashboard" "release" {
  dashboard_name = "${var.service}-release"
  dashboard_body = jsonencode({ widgets = local.widgets })
}
