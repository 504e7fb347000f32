variable "service" {
  description = "Name of the service under release: family, container, repository, and with the slot both services."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,18}[a-z0-9]$", var.service))
    error_message = "service has 3 to 20 small letters, digits and dashes."
  }
}

variable "environment" {
  description = "Name of the environment; the cluster's name begins with it."
  type        = string

  validation {
    condition     = contains(["production", "staging", "development"], var.environment)
    error_message = "environment is production, staging or development."
  }
}

variable "region" {
  description = "Region of the cluster."
  type        = string

  validation {
    condition     = can(regex("^[a-z]{2}-[a-z]+-[0-9]$", var.region))
    error_message = "region is the name of a region."
  }
}

variable "account_id" {
  description = "The account; functions of no other pull the engine's image."
  type        = string

  validation {
    condition     = can(regex("^[0-9]{12}$", var.account_id))
    error_message = "account_id has 12 digits."
  }
}

variable "network" {
  description = "VPC, subnets and security group of tasks."
  type        = object({ vpc_id = string, subnet_ids = list(string), security_group_id = string })

  validation {
    condition     = length(var.network.subnet_ids) >= 2
    error_message = "tasks are spread over at least two subnets."
  }
}

variable "load_balancer_suffix" {
  description = "What CloudWatch calls the load balancer: app/<name>/<id>."
  type        = string

  validation {
    condition     = startswith(var.load_balancer_suffix, "app/")
    error_message = "load_balancer_suffix begins with app/."
  }
}

variable "target_groups" {
  description = "By slot: ARN and what CloudWatch calls it."
  type        = map(object({ arn = string, suffix = string }))

  validation {
    condition     = toset(keys(var.target_groups)) == toset(["blue", "green"])
    error_message = "target_groups holds blue and green."
  }
}

variable "live_slot" {
  description = "The slot that has tasks at first."
  type        = string

  validation {
    condition     = contains(["blue", "green"], var.live_slot)
    error_message = "live_slot is blue or green."
  }
}

variable "live_tasks" {
  description = "Tasks of the live slot at first."
  type        = number

  validation {
    condition     = var.live_tasks >= 2 && var.live_tasks <= 20
    error_message = "live_tasks is from 2 to 20."
  }
}

variable "image_digest" {
  description = "Image of the first revision of both slots."
  type        = string

  validation {
    condition     = can(regex("^sha256:[0-9a-f]{64}$", var.image_digest))
    error_message = "image_digest is sha256: and 64 hexadecimal digits."
  }
}

variable "task" {
  description = "Size of a task (CPU units, MiB), hard limit of its container (MiB), and the port it listens on."
  type        = object({ cpu_units = number, memory_mib = number, container_memory_mib = number, port = number })

  validation {
    condition     = var.task.cpu_units >= 256 && var.task.container_memory_mib <= var.task.memory_mib
    error_message = "a task has at least 256 units, and its container at most the task's memory."
  }
}

variable "role_arns" {
  description = "Roles that a task runs with: execution and task."
  type        = object({ execution = string, task = string })

  validation {
    condition     = alltrue([for one in values(var.role_arns) : can(regex("^arn:aws:iam::[0-9]{12}:role/", one))])
    error_message = "role_arns holds ARNs of roles."
  }
}

variable "environment_variables" {
  description = "What a task is told; addresses and names, never a secret."
  type        = map(string)

  validation {
    condition = alltrue([
      for name in keys(var.environment_variables) :
      can(regex("^[A-Z][A-Z0-9_]*$", name)) && !can(regex("PASSWORD|SECRET|TOKEN|PRIVATE|CREDENTIAL", name))
    ])
    error_message = "environment_variables has names in capitals, and none that names a secret."
  }
}

variable "secret_arns" {
  description = "Secrets that a task is handed, variable to ARN."
  type        = map(string)

  validation {
    condition     = alltrue([for one in values(var.secret_arns) : startswith(one, "arn:aws:secretsmanager:")])
    error_message = "secret_arns holds ARNs of Secrets Manager."
  }
}

variable "key_arns" {
  description = "Keys of images (data) and logs."
  type        = object({ data = string, logs = string })

  validation {
    condition     = alltrue([for one in values(var.key_arns) : startswith(one, "arn:aws:kms:")])
    error_message = "key_arns holds ARNs of keys."
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
  description = "Whether repositories refuse to be deleted with the images they hold."
  type        = bool
}
