variable "value" {
  type = bool
}

resource "aws_subnet" "open" {
  map_public_ip_on_launch = var.value
}
