# The same file in every environment: environments differ in terraform.tfvars and backend.hcl only.

# ---------------------------------------------------------------------------------------------- where

variable "environment" {
  description = "Name of the environment; has to be the name of the directory that is planned."
  type        = string

  validation {
    condition     = contains(["production", "staging", "development"], var.environment)
    error_message = "environment is production, staging or development."
  }
}

variable "account_id" {
  description = "The AWS account of this environment, 12 digits; nothing is planned in another one."
  type        = string

  validation {
    condition     = can(regex("^[0-9]{12}$", var.account_id))
    error_message = "account_id has 12 digits."
  }
}

variable "region" {
  description = "Region of everything but the replica; has to be on the residency list."
  type        = string

  validation {
    condition     = contains(var.residency_regions, var.region)
    error_message = "region is not on the residency list."
  }
}

variable "replica_region" {
  description = "Region of the database's replica: another one than region, and on the residency list."
  type        = string

  validation {
    condition     = var.replica_region != var.region && contains(var.residency_regions, var.replica_region)
    error_message = "replica_region has to differ from region and to be on the residency list."
  }
}

variable "residency_regions" {
  description = "Regions in which customers' data may lie, 2 to 10."
  type        = list(string)

  validation {
    condition = (
      length(var.residency_regions) >= 2 && length(var.residency_regions) <= 10
      && alltrue([for one in var.residency_regions : can(regex("^[a-z]{2}-[a-z]+-[0-9]$", one))])
    )
    error_message = "residency_regions holds 2 to 10 names of regions."
  }
}

variable "offline" {
  description = "Plan without any call to AWS. Such a plan cannot be applied."
  type        = bool
  default     = false
}

# ---------------------------------------------------------------------------------------------- network

variable "topology" {
  description = "direct: WAF on the public load balancer. gateway: API Gateway before an internal one that has the WAF."
  type        = string

  validation {
    condition     = contains(["direct", "gateway"], var.topology)
    error_message = "topology is direct or gateway."
  }
}

variable "vpc_cidr" {
  description = "Addresses of the VPC: a private /16."
  type        = string

  validation {
    condition     = can(regex("^10\\.[0-9]{1,3}\\.0\\.0/16$", var.vpc_cidr)) && can(cidrnetmask(var.vpc_cidr))
    error_message = "vpc_cidr is a /16 in 10.0.0.0/8."
  }
}

variable "replica_vpc_cidr" {
  description = "Addresses of the replica's VPC: another private /16."
  type        = string

  validation {
    condition     = can(regex("^10\\.[0-9]{1,3}\\.0\\.0/16$", var.replica_vpc_cidr)) && var.replica_vpc_cidr != var.vpc_cidr
    error_message = "replica_vpc_cidr is a /16 in 10.0.0.0/8, another one than vpc_cidr."
  }
}

variable "availability_zones" {
  description = "Letters of the region's zones in use, 2 to 4; private subnets, tasks and data are spread over them."
  type        = list(string)

  validation {
    condition = (
      length(distinct(var.availability_zones)) == length(var.availability_zones)
      && length(var.availability_zones) >= 2 && length(var.availability_zones) <= 4
      && alltrue([for one in var.availability_zones : can(regex("^[a-f]$", one))])
    )
    error_message = "availability_zones holds 2 to 4 different letters a to f."
  }
}

variable "nat_gateway_per_zone" {
  description = "A NAT gateway in every zone; production has to have it, elsewhere one may serve all zones."
  type        = bool

  validation {
    condition     = var.nat_gateway_per_zone || var.environment != "production"
    error_message = "production has one NAT gateway per zone."
  }
}

variable "egress_cidrs" {
  description = "External services that tasks may call on 443, name to addresses; everything else stays unreachable."
  type        = map(string)

  validation {
    condition = length(var.egress_cidrs) <= 20 && alltrue([
      for one in values(var.egress_cidrs) : can(cidrnetmask(one)) && tonumber(split("/", one)[1]) >= 16
    ])
    error_message = "egress_cidrs holds at most 20 ranges, none wider than /16."
  }
}

variable "domain" {
  description = "The hosted zone; customers use api.<domain>."
  type        = string

  validation {
    condition     = can(regex("^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\\.)+[a-z]{2,}$", var.domain)) && length(var.domain) <= 200
    error_message = "domain is a DNS name of at most 200 characters."
  }
}

variable "test_header_value" {
  description = "What a check has to send to reach a slot's own address. From the pipeline (TF_VAR_test_header_value), never from a file."
  type        = string
  sensitive   = true

  validation {
    condition     = can(regex("^[A-Za-z0-9_-]{24,128}$", var.test_header_value))
    error_message = "test_header_value has 24 to 128 letters, digits, _ or -."
  }
}

# ---------------------------------------------------------------------------------------------- service

variable "service" {
  description = "Name of the service under release; part of most names."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,18}[a-z0-9]$", var.service))
    error_message = "service has 3 to 20 small letters, digits and dashes."
  }
}

variable "service_image_digest" {
  description = "Image of the first revision of both slots; the engine registers all later ones. From the pipeline."
  type        = string

  validation {
    condition     = can(regex("^sha256:[0-9a-f]{64}$", var.service_image_digest))
    error_message = "service_image_digest is sha256: and 64 hexadecimal digits."
  }
}

variable "live_slot" {
  description = "The slot that carries customers when the environment is first made; the engine moves it later."
  type        = string

  validation {
    condition     = contains(["blue", "green"], var.live_slot)
    error_message = "live_slot is blue or green."
  }
}

variable "live_tasks" {
  description = "Tasks of the live slot when the environment is first made, 2 to 20."
  type        = number

  validation {
    condition     = var.live_tasks >= 2 && var.live_tasks <= 20 && floor(var.live_tasks) == var.live_tasks
    error_message = "live_tasks is a whole number from 2 to 20."
  }
}

variable "task_cpu_units" {
  description = "CPU of a task, 256 to 4096 units (1024 are one vCPU)."
  type        = number

  validation {
    condition     = contains([256, 512, 1024, 2048, 4096], var.task_cpu_units)
    error_message = "task_cpu_units is a size that Fargate has: 256, 512, 1024, 2048 or 4096."
  }
}

variable "task_memory_mib" {
  description = "Memory of a task in MiB, 512 to 30720."
  type        = number

  validation {
    condition     = var.task_memory_mib >= 512 && var.task_memory_mib <= 30720
    error_message = "task_memory_mib is from 512 to 30720."
  }
}

variable "container_memory_mib" {
  description = "Hard limit of the service's container in MiB; at most the task's memory."
  type        = number

  validation {
    condition     = var.container_memory_mib >= 128 && var.container_memory_mib <= var.task_memory_mib
    error_message = "container_memory_mib is from 128 to task_memory_mib."
  }
}

variable "token_audience" {
  description = "Audience of the tokens that the gateway accepts; an https address."
  type        = string

  validation {
    condition     = can(regex("^https://[a-z0-9.-]{1,200}$", var.token_audience))
    error_message = "token_audience is an https address without a path."
  }
}

variable "requests_per_second_max" {
  description = "Throttle of the gateway and, five minutes long and by address, of the WAF: 10 to 10000."
  type        = number

  validation {
    condition     = var.requests_per_second_max >= 10 && var.requests_per_second_max <= 10000
    error_message = "requests_per_second_max is from 10 to 10000."
  }
}

# ---------------------------------------------------------------------------------------------- data

variable "database_instance_class" {
  description = "Instance class of the database and its replica."
  type        = string

  validation {
    condition     = can(regex("^db\\.[a-z0-9]+\\.[a-z0-9]+$", var.database_instance_class))
    error_message = "database_instance_class begins with db."
  }
}

variable "database_storage_gib" {
  description = "Storage of the database in GiB, 20 to 1000; it may grow to five times as much by itself."
  type        = number

  validation {
    condition     = var.database_storage_gib >= 20 && var.database_storage_gib <= 1000
    error_message = "database_storage_gib is from 20 to 1000."
  }
}

variable "backup_retention_days" {
  description = "How long automated backups are kept, 7 to 35 days."
  type        = number

  validation {
    condition     = var.backup_retention_days >= 7 && var.backup_retention_days <= 35
    error_message = "backup_retention_days is from 7 to 35."
  }
}

variable "replica_lag_seconds_max" {
  description = "Objective for the replica's lag, 1 to 900 s."
  type        = number

  validation {
    condition     = var.replica_lag_seconds_max >= 1 && var.replica_lag_seconds_max <= 900
    error_message = "replica_lag_seconds_max is from 1 to 900."
  }
}

variable "cache_node_type" {
  description = "Node type of the cache."
  type        = string

  validation {
    condition     = can(regex("^cache\\.[a-z0-9]+\\.[a-z0-9]+$", var.cache_node_type))
    error_message = "cache_node_type begins with cache."
  }
}

variable "log_retention_days" {
  description = "How long logs are kept: at least a year, at most ten."
  type        = number

  validation {
    condition     = contains([365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653], var.log_retention_days)
    error_message = "log_retention_days is a retention that CloudWatch has, from 365 to 3653."
  }
}

variable "evidence_retention_years" {
  description = "How long evidence cannot be deleted by anybody, 1 to 10 years (HIPAA 164.316(b)(2)(i) asks for 6)."
  type        = number

  validation {
    condition     = var.evidence_retention_years >= 1 && var.evidence_retention_years <= 10
    error_message = "evidence_retention_years is from 1 to 10."
  }
}

variable "deletion_protection" {
  description = "Refuse to delete load balancer, databases, tables and buckets that hold anything. False only for an environment that is about to be destroyed."
  type        = bool
  default     = true
}

# ---------------------------------------------------------------------------------------------- watching and releasing

variable "triggers" {
  description = "What takes traffic back, as in release.toml's [plan.triggers]; the alarms mirror it. May be stricter, never looser."
  type = object({
    error_rate_percent_max   = number
    error_rate_minutes       = number
    latency_milliseconds_max = number
    latency_minutes          = number
    cpu_percent_max          = number
    cpu_minutes              = number
    memory_percent_max       = number
    memory_minutes           = number
    unhealthy_percent_max    = number
    unhealthy_minutes        = number
  })

  validation {
    condition = (
      var.triggers.error_rate_percent_max <= 1 && var.triggers.error_rate_minutes <= 5
      && var.triggers.latency_milliseconds_max <= 500 && var.triggers.latency_minutes <= 5
      && var.triggers.cpu_percent_max <= 90 && var.triggers.cpu_minutes <= 10
      && var.triggers.memory_percent_max <= 95 && var.triggers.memory_minutes <= 5
      && var.triggers.unhealthy_percent_max <= 50 && var.triggers.unhealthy_minutes <= 3
      && alltrue([for one in values(var.triggers) : one > 0])
    )
    error_message = "A trigger is looser than the guide's, or not above 0."
  }
}

variable "engine_image_digest" {
  description = "Image of the controller, the dead-man function and the rotation of secrets. From the pipeline."
  type        = string

  validation {
    condition     = can(regex("^sha256:[0-9a-f]{64}$", var.engine_image_digest))
    error_message = "engine_image_digest is sha256: and 64 hexadecimal digits."
  }
}

variable "controller_tasks" {
  description = "Controllers that run side by side, 1 to 3; any of them may die."
  type        = number

  validation {
    condition     = var.controller_tasks >= 1 && var.controller_tasks <= 3
    error_message = "controller_tasks is from 1 to 3."
  }
}

variable "load_generators_max" {
  description = "Hosts that a load test may start, 1 to 20; none run between tests."
  type        = number

  validation {
    condition     = var.load_generators_max >= 1 && var.load_generators_max <= 20
    error_message = "load_generators_max is from 1 to 20."
  }
}

variable "load_generator_instance_type" {
  description = "Instance type of a load generator."
  type        = string

  validation {
    condition     = can(regex("^[a-z0-9]+\\.[a-z0-9]+$", var.load_generator_instance_type))
    error_message = "load_generator_instance_type is a family and a size."
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

variable "alert_emails" {
  description = "People who hear of every alert, 1 to 20 addresses; each has to confirm."
  type        = list(string)

  validation {
    condition = (
      length(var.alert_emails) >= 1 && length(var.alert_emails) <= 20
      && alltrue([for one in var.alert_emails : can(regex("^[^@\\s]+@[^@\\s]+\\.[a-z]{2,}$", one))])
    )
    error_message = "alert_emails holds 1 to 20 addresses."
  }
}
