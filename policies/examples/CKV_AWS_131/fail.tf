resource "aws_lb" "bad" {
  load_balancer_type         = "application"
  drop_invalid_header_fields = false
}
