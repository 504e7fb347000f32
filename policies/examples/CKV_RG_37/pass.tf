resource "aws_db_parameter_group" "strict" {
  name   = "strict"
  family = "postgres16"

  parameter {
    name  = "rds.force_ssl"
    value = "1"
  }
}

resource "aws_db_instance" "good" {
  parameter_group_name = aws_db_parameter_group.strict.name
}
