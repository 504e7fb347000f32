resource "aws_db_parameter_group" "loose" {
  name   = "loose"
  family = "postgres16"

  parameter {
    name  = "rds.force_ssl"
    value = "0"
  }
}

resource "aws_db_instance" "bad_off" {
  parameter_group_name = aws_db_parameter_group.loose.name
}

resource "aws_db_instance" "bad_default" {
  identifier = "x"
}
