variable "value" {
  type = bool
}

resource "aws_lb" "open" {
  load_balancer_type         = "application"
  drop_invalid_header_fields = var.value
}
