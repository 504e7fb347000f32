variable "service" {
  description = "Name of the service under release: alarms, dashboard and sampling rule begin with it."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,18}[a-z0-9]$", var.service))
    error_message = "service has 3 to 20 small letters, digits and dashes."
  }
}

variable "region" {
  description = "Region of the metrics."
  type        = string

  validation {
    condition     = can(regex("^[a-z]{2}-[a-z]+-[0-9]$", var.region))
    error_message = "region is the name of a region."
  }
}

variable "slots" {
  description = "By slot: what CloudWatch calls its target group, and its ECS service."
  type        = map(object({ target_group_suffix = string, service_name = string }))

  validation {
    condition     = toset(keys(var.slots)) == toset(["blue", "green"])
    error_message = "slots holds blue and green."
  }
}

variable "load_balancer_suffix" {
  description = "What CloudWatch calls the load balancer."
  type        = string

  validation {
    condition     = startswith(var.load_balancer_suffix, "app/")
    error_message = "load_balancer_suffix begins with app/."
  }
}

variable "cluster_name" {
  description = "The ECS cluster."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,62}$", var.cluster_name))
    error_message = "cluster_name has small letters, digits and dashes."
  }
}

variable "alert_topic_arn" {
  description = "Where alarms go."
  type        = string

  validation {
    condition     = startswith(var.alert_topic_arn, "arn:aws:sns:")
    error_message = "alert_topic_arn is the ARN of a topic."
  }
}

variable "triggers" {
  description = "Limits and minutes, as in release.toml's [plan.triggers]."
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
    condition     = alltrue([for one in values(var.triggers) : one > 0])
    error_message = "limits and minutes are above 0."
  }
}
