variable "value" {
  type = bool
}

resource "aws_lb" "open" {
  access_logs {
    bucket  = "logs"
    enabled = var.value
  }
}
