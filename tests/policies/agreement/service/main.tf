terraform {
  required_providers {
    aws = {
      source                = "hashicorp/aws"
      configuration_aliases = [aws.far]
    }
  }
}

variable "name" {
  type = string
}

variable "slots" {
  type = map(object({ weight = number, tasks = number }))
}

variable "key_arn" {
  type = string
}

variable "password" {
  type      = string
  sensitive = true
}

variable "days" {
  type    = number
  default = 30
}

locals {
  key = var.key_arn
}

data "aws_iam_policy_document" "assume" {
  statement {
    actions = ["sts:AssumeRole"]

    principals {
      type        = "Service"
      identifiers = ["ecs-tasks.amazonaws.com"]
    }
  }
}

resource "aws_iam_role" "execution" {
  name               = "${var.name}-execution"
  assume_role_policy = data.aws_iam_policy_document.assume.json
}

resource "aws_lb_target_group" "this" {
  for_each = var.slots

  name     = "${var.name}-${each.key}"
  port     = 8080
  protocol = "HTTP"
  vpc_id   = "vpc-1"
}

resource "aws_cloudwatch_log_group" "this" {
  count = 2

  provider          = aws.far
  name              = "/${var.name}/${count.index}"
  retention_in_days = var.days * (count.index + 1)
  kms_key_id        = local.key
}

resource "aws_ecs_task_definition" "this" {
  for_each = var.slots

  family             = "${var.name}-${each.key}"
  execution_role_arn = aws_iam_role.execution.arn

  container_definitions = jsonencode([{
    name   = "app"
    image  = "app@sha256:${join("", [for _ in range(64) : "a"])}"
    memory = 192
    environment = [
      { name = "SLOT", value = each.key },
      { name = "TASKS", value = tostring(each.value.tasks) },
    ]
  }])
}

resource "aws_db_instance" "this" {
  identifier        = replace(var.name, "-", "")
  engine            = "postgres"
  instance_class    = "db.t3.micro"
  allocated_storage = 20
  storage_encrypted = true
  kms_key_id        = local.key
  username          = "app"
  password          = var.password
  multi_az          = alltrue([for slot in var.slots : slot.tasks >= 2])
}

output "group_arns" {
  value = { for slot, group in aws_lb_target_group.this : slot => group.arn }
}
