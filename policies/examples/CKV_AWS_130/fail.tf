resource "aws_subnet" "bad" {
  map_public_ip_on_launch = true
}
