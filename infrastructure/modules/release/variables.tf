variable "service" {
  description = "Name of the service under release."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,18}[a-z0-9]$", var.service))
    error_message = "service has 3 to 20 small letters, digits and dashes."
  }
}

variable "environment" {
  description = "Name of the environment, as in release.toml."
  type        = string

  validation {
    condition     = contains(["production", "staging", "development"], var.environment)
    error_message = "environment is production, staging or development."
  }
}

variable "region" {
  description = "Region of the release."
  type        = string

  validation {
    condition     = can(regex("^[a-z]{2}-[a-z]+-[0-9]$", var.region))
    error_message = "region is the name of a region."
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

variable "traffic" {
  description = "What a release moves: listener, rule, both target groups, hosted zone."
  type = object({
    listener_arn      = string
    rule_arn          = string
    target_group_arns = map(string)
    hosted_zone_id    = string
  })

  validation {
    condition     = toset(keys(var.traffic.target_group_arns)) == toset(["blue", "green"])
    error_message = "traffic names the target groups of blue and green."
  }
}

variable "services" {
  description = "What a release runs: cluster (name, ARN), services by slot, roles that their tasks are given."
  type = object({
    cluster            = object({ name = string, arn = string })
    names              = map(string)
    task_role_arn      = string
    execution_role_arn = string
  })

  validation {
    condition     = toset(keys(var.services.names)) == toset(["blue", "green"])
    error_message = "services names blue and green."
  }
}

variable "network" {
  description = "Where controllers and load generators run: private subnets, and a group for each."
  type = object({
    subnet_ids                = list(string)
    controller_security_group = string
    load_security_group       = string
  })

  validation {
    condition     = length(var.network.subnet_ids) >= 2
    error_message = "controllers are spread over at least two subnets."
  }
}

variable "image" {
  description = "The engine's image, by digest."
  type        = string

  validation {
    condition     = can(regex("@sha256:[0-9a-f]{64}$", var.image))
    error_message = "image is named by its digest."
  }
}

variable "controller_tasks" {
  description = "Controllers that run side by side."
  type        = number

  validation {
    condition     = var.controller_tasks >= 1 && var.controller_tasks <= 3
    error_message = "controller_tasks is from 1 to 3."
  }
}

variable "load_generators" {
  description = "Load generators: how many a test may start, and of which type."
  type        = object({ max = number, instance_type = string })

  validation {
    condition     = var.load_generators.max >= 1 && var.load_generators.max <= 20
    error_message = "a test starts from 1 to 20 load generators."
  }
}

variable "forge_repository" {
  description = "owner/name of the repository whose pipeline may submit releases."
  type        = string

  validation {
    condition     = can(regex("^[A-Za-z0-9-]{1,39}/[A-Za-z0-9._-]{1,100}$", var.forge_repository))
    error_message = "forge_repository is owner/name, without wildcards."
  }
}

variable "key_arns" {
  description = "Keys of data, messages and logs."
  type        = object({ data = string, messages = string, logs = string })

  validation {
    condition     = alltrue([for one in values(var.key_arns) : startswith(one, "arn:aws:kms:")])
    error_message = "key_arns holds ARNs of keys."
  }
}

variable "alert_emails" {
  description = "Who hears of every alert."
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
  description = "Whether the table of rollouts refuses to be deleted."
  type        = bool
}
