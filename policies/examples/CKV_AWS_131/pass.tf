resource "aws_lb" "good" {
  load_balancer_type         = "application"
  drop_invalid_header_fields = true
}
