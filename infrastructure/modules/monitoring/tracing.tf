# X-Ray: of each task's requests the first of every second, and then one in twenty.

resource "aws_xray_sampling_rule" "service" {
  rule_name      = var.service
  priority       = 100
  version        = 1
  reservoir_size = 1
  fixed_rate     = 0.05
  service_name   = var.service
  service_type   = "*"
  host           = "*"
  http_method    = "*"
  url_path       = "*"
  resource_arn   = "*"
}

resource "aws_xray_group" "service" {
  group_name        = var.service
  filter_expression = "service(\"${var.service}\")"

  insights_configuration {
    insights_enabled      = true
    notifications_enabled = false
  }
}
