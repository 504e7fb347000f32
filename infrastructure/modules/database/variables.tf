variable "service" {
  description = "Name of the service under release: identifiers of database, cache and tables begin with it."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,18}[a-z0-9]$", var.service))
    error_message = "service has 3 to 20 small letters, digits and dashes."
  }
}

variable "network" {
  description = "Data subnets, and the groups of database and cache."
  type = object({
    subnet_ids              = list(string)
    database_security_group = string
    cache_security_group    = string
  })

  validation {
    condition     = length(var.network.subnet_ids) >= 2
    error_message = "data is spread over at least two subnets."
  }
}

variable "replica" {
  description = "Of the replica's region: subnets, group, keys (data, messages), topic and objective for its lag (s)."
  type = object({
    subnet_ids        = list(string)
    security_group_id = string
    key_arns          = object({ data = string, messages = string })
    lag_seconds_max   = number
  })

  validation {
    condition     = length(var.replica.subnet_ids) >= 2 && var.replica.lag_seconds_max > 0
    error_message = "replica has two subnets and an objective for its lag."
  }
}

variable "instance_class" {
  description = "Instance class of database and replica."
  type        = string

  validation {
    condition     = startswith(var.instance_class, "db.")
    error_message = "instance_class begins with db."
  }
}

variable "storage_gib" {
  description = "Storage of the database in GiB."
  type        = number

  validation {
    condition     = var.storage_gib >= 20 && var.storage_gib <= 1000
    error_message = "storage_gib is from 20 to 1000."
  }
}

variable "backup_retention_days" {
  description = "How long automated backups are kept."
  type        = number

  validation {
    condition     = var.backup_retention_days >= 7 && var.backup_retention_days <= 35
    error_message = "backup_retention_days is from 7 to 35."
  }
}

variable "cache_node_type" {
  description = "Node type of the cache."
  type        = string

  validation {
    condition     = startswith(var.cache_node_type, "cache.")
    error_message = "cache_node_type begins with cache."
  }
}

variable "key_arns" {
  description = "Keys of data, secrets and logs."
  type        = object({ data = string, secrets = string, logs = string })

  validation {
    condition     = alltrue([for one in values(var.key_arns) : startswith(one, "arn:aws:kms:")])
    error_message = "key_arns holds ARNs of keys."
  }
}

variable "monitoring_role_arn" {
  description = "Role with which RDS reports what the hosts do."
  type        = string

  validation {
    condition     = can(regex("^arn:aws:iam::[0-9]{12}:role/", var.monitoring_role_arn))
    error_message = "monitoring_role_arn is the ARN of a role."
  }
}

variable "alert_emails" {
  description = "Who hears that the replica lags."
  type        = list(string)

  validation {
    condition     = length(var.alert_emails) >= 1
    error_message = "alert_emails holds at least one address."
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

variable "deletion_protection" {
  description = "Whether databases and tables refuse to be deleted."
  type        = bool
}
