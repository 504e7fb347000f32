resource "aws_db_instance" "bad" {
  engine = "postgres"
}
