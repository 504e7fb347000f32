variable "internal" {
  type = bool
}

resource "aws_lb" "open" {
  load_balancer_type = "application"
  internal           = var.internal
}

resource "aws_lb_listener" "open" {
  load_balancer_arn = aws_lb.open.arn
}

resource "aws_apigatewayv2_integration" "open" {
  integration_type = "HTTP_PROXY"
  connection_type  = "VPC_LINK"
  integration_uri  = aws_lb_listener.open.arn
}
