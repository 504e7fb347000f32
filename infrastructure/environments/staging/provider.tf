# The original of environments/*/provider.tf; see backend.tf for why the environments hold copies.
terraform {
  required_version = ">= 1.11.0, < 2.0.0" # 1.11: locking by the bucket alone is no longer experimental

  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "5.100.0"
    }
  }
}

locals {
  # A plan that was made offline can never be applied: its provider signs with something that is no key.
  offline_key = var.offline ? "offline" : null

  tags = {
    environment  = var.environment
    "managed-by" = "terraform"
    service      = var.service
  }
}

provider "aws" {
  region                      = var.region
  allowed_account_ids         = var.offline ? null : [var.account_id]
  access_key                  = local.offline_key
  secret_key                  = local.offline_key
  skip_credentials_validation = var.offline
  skip_metadata_api_check     = var.offline
  skip_requesting_account_id  = var.offline

  default_tags {
    tags = local.tags
  }

  ignore_tags {
    key_prefixes = ["release-gates:"] # roles and usual sizes, which the engine writes
  }
}

provider "aws" {
  alias                       = "replica"
  region                      = var.replica_region
  allowed_account_ids         = var.offline ? null : [var.account_id]
  access_key                  = local.offline_key
  secret_key                  = local.offline_key
  skip_credentials_validation = var.offline
  skip_metadata_api_check     = var.offline
  skip_requesting_account_id  = var.offline

  default_tags {
    tags = local.tags
  }
}
