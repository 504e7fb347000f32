variable "service" {
  description = "Name of the service under release."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,18}[a-z0-9]$", var.service))
    error_message = "service has 3 to 20 small letters, digits and dashes."
  }
}

variable "region" {
  description = "Region of keys, trail and detector."
  type        = string

  validation {
    condition     = can(regex("^[a-z]{2}-[a-z]+-[0-9]$", var.region))
    error_message = "region is the name of a region."
  }
}

variable "replica_region" {
  description = "Region of the replica, which has keys of its own."
  type        = string

  validation {
    condition     = can(regex("^[a-z]{2}-[a-z]+-[0-9]$", var.replica_region))
    error_message = "replica_region is the name of a region."
  }
}

variable "account_id" {
  description = "The account."
  type        = string

  validation {
    condition     = can(regex("^[0-9]{12}$", var.account_id))
    error_message = "account_id has 12 digits."
  }
}

variable "requests_per_address_max" {
  description = "Requests of one address in five minutes before the WAF blocks it, 100 to 2,000,000."
  type        = number

  validation {
    condition     = var.requests_per_address_max >= 100 && var.requests_per_address_max <= 2000000
    error_message = "requests_per_address_max is from 100 to 2000000."
  }
}

variable "is_behind_gateway" {
  description = "Whether the WAF sees the gateway's address instead of the caller's."
  type        = bool
}

variable "tables" {
  description = "ARNs of the tables that tasks use: sessions and configuration."
  type        = object({ sessions = string, configuration = string })

  validation {
    condition     = alltrue([for one in values(var.tables) : startswith(one, "arn:aws:dynamodb:")])
    error_message = "tables holds ARNs of DynamoDB tables."
  }
}

variable "database_resource_id" {
  description = "Resource id of the database, for its IAM authentication."
  type        = string

  validation {
    condition     = startswith(var.database_resource_id, "db-")
    error_message = "database_resource_id begins with db-."
  }
}

variable "cache" {
  description = "ARNs that a task has to name to sign in at the cache: replication group and user."
  type        = object({ group_arn = string, user_arn = string })

  validation {
    condition     = alltrue([for one in values(var.cache) : startswith(one, "arn:aws:elasticache:")])
    error_message = "cache holds ARNs of ElastiCache."
  }
}

variable "repositories" {
  description = "ARNs of the image repositories: service and engine."
  type        = object({ service = string, engine = string })

  validation {
    condition     = alltrue([for one in values(var.repositories) : startswith(one, "arn:aws:ecr:")])
    error_message = "repositories holds ARNs of ECR."
  }
}

variable "rotation_image" {
  description = "Image, by digest, of the function that rotates the signing key."
  type        = string

  validation {
    condition     = can(regex("@sha256:[0-9a-f]{64}$", var.rotation_image))
    error_message = "rotation_image is named by its digest."
  }
}

variable "alert_topic_arn" {
  description = "Where a rotation that failed and findings of high severity are reported."
  type        = string

  validation {
    condition     = startswith(var.alert_topic_arn, "arn:aws:sns:")
    error_message = "alert_topic_arn is the ARN of a topic."
  }
}

variable "log_retention_days" {
  description = "How long logs are kept."
  type        = number

  validation {
    condition     = var.log_retention_days >= 365 && var.log_retention_days <= 3653
    error_message = "log_retention_days is from 365 to 3653."
  }
}

variable "evidence_retention_years" {
  description = "How long evidence cannot be deleted by anybody."
  type        = number

  validation {
    condition     = var.evidence_retention_years >= 1 && var.evidence_retention_years <= 10
    error_message = "evidence_retention_years is from 1 to 10."
  }
}

variable "deletion_protection" {
  description = "Whether buckets refuse to be deleted with what they hold."
  type        = bool
}
