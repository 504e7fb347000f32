variable "force" {
  type = string
}

resource "aws_db_parameter_group" "some" {
  name   = "some"
  family = "postgres16"

  parameter {
    name  = "rds.force_ssl"
    value = var.force
  }
}

resource "aws_db_instance" "open" {
  parameter_group_name = aws_db_parameter_group.some.name
}
