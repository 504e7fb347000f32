variable "value" {
  type = bool
}

resource "aws_dynamodb_table" "open" {
  point_in_time_recovery {
    enabled = var.value
  }
}
