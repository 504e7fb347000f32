resource "aws_lb" "bad" {
  load_balancer_type = "application"
  internal           = false
}

resource "aws_lb_listener" "bad" {
  load_balancer_arn = aws_lb.bad.arn
}

resource "aws_apigatewayv2_integration" "bad" {
  integration_type = "HTTP_PROXY"
  connection_type  = "VPC_LINK"
  integration_uri  = aws_lb_listener.bad.arn
}

resource "aws_lb" "bad_default" {
  load_balancer_type = "application"
}

resource "aws_lb_listener" "bad_default" {
  load_balancer_arn = aws_lb.bad_default.arn
}

resource "aws_apigatewayv2_integration" "bad_default" {
  integration_type = "HTTP_PROXY"
  connection_type  = "VPC_LINK"
  integration_uri  = aws_lb_listener.bad_default.arn
}
