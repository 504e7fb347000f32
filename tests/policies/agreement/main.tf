# A root with everything that makes reading Terraform hard. plan.json beside it is what Terraform 1.11 and the AWS
# provider 5.100 say of it (terraform plan -refresh=false; terraform show -json); a test holds our reader against it.

terraform {
  required_version = "~> 1.9"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "~> 5.100"
    }
  }
}

provider "aws" {
  region                      = "us-east-1"
  access_key                  = "test"
  secret_key                  = "test"
  skip_credentials_validation = true
  skip_metadata_api_check     = true
  skip_requesting_account_id  = true
}

provider "aws" {
  alias                       = "far"
  region                      = "us-west-2"
  access_key                  = "test"
  secret_key                  = "test"
  skip_credentials_validation = true
  skip_metadata_api_check     = true
  skip_requesting_account_id  = true
}

variable "slots" {
  type    = map(object({ weight = number, tasks = number }))
  default = { blue = { weight = 0, tasks = 2 }, green = { weight = 100, tasks = 3 } }
}

variable "password" {
  type      = string
  default   = "not-a-real-one"
  sensitive = true
}

locals {
  name  = "shop-${lower("PROD")}"
  ports = [for port in range(3) : 8080 + port if port != 1]
  zones = { for index, letter in ["a", "b"] : letter => cidrsubnet("10.0.0.0/16", 8, index) }
}

module "service" {
  source    = "./service"
  providers = { aws = aws, aws.far = aws.far }

  name     = local.name
  slots    = var.slots
  key_arn  = aws_kms_key.main.arn
  password = var.password
}

resource "aws_kms_key" "main" {
  description         = "${local.name} ${length(var.slots)}"
  enable_key_rotation = true
}

resource "aws_subnet" "this" {
  for_each = local.zones

  vpc_id            = "vpc-1"
  cidr_block        = each.value
  availability_zone = "us-east-1${each.key}"
}

resource "aws_lb" "this" {
  name            = format("%s-%02d", local.name, 7)
  subnets         = [for zone in sort(keys(local.zones)) : aws_subnet.this[zone].id]
  security_groups = [aws_security_group.this.id]
  internal        = length(local.ports) > 1 ? false : true
}

resource "aws_security_group" "this" {
  name = join("-", [local.name, "lb"])

  dynamic "ingress" {
    for_each = toset(local.ports)

    content {
      description = "port ${ingress.value}"
      from_port   = ingress.value
      to_port     = ingress.value
      protocol    = "tcp"
      cidr_blocks = values(local.zones)
    }
  }
}

resource "aws_lb_listener" "https" {
  load_balancer_arn = aws_lb.this.arn
  port              = 443
  protocol          = "HTTPS"
  certificate_arn   = "arn:aws:acm:us-east-1:111122223333:certificate/1"

  default_action {
    type = "forward"

    forward {
      dynamic "target_group" {
        for_each = var.slots

        content {
          arn    = module.service.group_arns[target_group.key]
          weight = target_group.value.weight
        }
      }
    }
  }
}
