# Versions are literals; a variable here is an error of Terraform's own.
# DEFERRED terraform
# PASS provider.aws
terraform {
  required_version = "~> 1.9"

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = var.version
    }
  }
}

provider "aws" {
  region = "us-east-1"
}
