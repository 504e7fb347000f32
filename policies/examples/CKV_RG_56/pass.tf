resource "aws_lb" "good" {
  load_balancer_type = "application"
  internal           = true
}

resource "aws_lb_listener" "good" {
  load_balancer_arn = aws_lb.good.arn
}

resource "aws_apigatewayv2_integration" "good" {
  integration_type = "HTTP_PROXY"
  connection_type  = "VPC_LINK"
  integration_uri  = aws_lb_listener.good.arn
}

# No gateway stands before it, so it may be public.
resource "aws_lb" "good_alone" {
  load_balancer_type = "application"
}
