resource "aws_subnet" "good" {
  map_public_ip_on_launch = false
}
