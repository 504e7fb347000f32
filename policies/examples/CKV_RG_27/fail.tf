resource "aws_wafv2_web_acl" "main" {
  name = "main"
}

resource "aws_lb" "good" {
  name = "good"
}

resource "aws_lb" "bad" {
  name = "bad"
}

resource "aws_wafv2_web_acl_association" "main" {
  resource_arn = aws_lb.good.arn
  web_acl_arn  = aws_wafv2_web_acl.main.arn
}

resource "aws_lb" "bad_behind_api" {
  name     = "behind"
  internal = true
}

resource "aws_lb_listener" "inner" {
  load_balancer_arn = aws_lb.bad_behind_api.arn
}

resource "aws_apigatewayv2_integration" "inner" {
  integration_uri = aws_lb_listener.inner.arn
}
