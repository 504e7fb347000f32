variable "service" {
  description = "Name of the service under release."
  type        = string

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{1,18}[a-z0-9]$", var.service))
    error_message = "service has 3 to 20 small letters, digits and dashes."
  }
}

variable "region" {
  description = "Region of the VPC."
  type        = string

  validation {
    condition     = can(regex("^[a-z]{2}-[a-z]+-[0-9]$", var.region))
    error_message = "region is the name of a region."
  }
}

variable "account_id" {
  description = "The account; endpoints serve its identities only."
  type        = string

  validation {
    condition     = can(regex("^[0-9]{12}$", var.account_id))
    error_message = "account_id has 12 digits."
  }
}

variable "topology" {
  description = "direct or gateway; see the environments' variable."
  type        = string

  validation {
    condition     = contains(["direct", "gateway"], var.topology)
    error_message = "topology is direct or gateway."
  }
}

variable "vpc_cidr" {
  description = "Addresses of the VPC, a /16."
  type        = string

  validation {
    condition     = can(cidrnetmask(var.vpc_cidr)) && endswith(var.vpc_cidr, "/16")
    error_message = "vpc_cidr is a /16."
  }
}

variable "zones" {
  description = "Full names of the availability zones in use, 2 to 4."
  type        = list(string)

  validation {
    condition     = length(var.zones) >= 2 && length(var.zones) <= 4
    error_message = "zones holds 2 to 4 names."
  }
}

variable "nat_gateway_per_zone" {
  description = "A NAT gateway in every zone instead of one for all."
  type        = bool
}

variable "replica" {
  description = "Where the replica lives: addresses (/16), two zones' full names, key of its flow log."
  type = object({
    vpc_cidr    = string
    zones       = list(string)
    key_arn     = string
    logging_arn = string
  })

  validation {
    condition     = can(cidrnetmask(var.replica.vpc_cidr)) && length(var.replica.zones) == 2
    error_message = "replica has a CIDR and two zones."
  }
}

variable "egress_cidrs" {
  description = "External services that tasks may call on 443, name to addresses."
  type        = map(string)

  validation {
    condition     = alltrue([for one in values(var.egress_cidrs) : can(cidrnetmask(one))])
    error_message = "egress_cidrs holds ranges of addresses."
  }
}

variable "domain" {
  description = "The hosted zone."
  type        = string

  validation {
    condition     = can(regex("^[a-z0-9.-]{3,200}$", var.domain))
    error_message = "domain is a DNS name."
  }
}

variable "web_acl_arn" {
  description = "The WAF's web ACL, which is put on the load balancer."
  type        = string

  validation {
    condition     = startswith(var.web_acl_arn, "arn:aws:wafv2:")
    error_message = "web_acl_arn is the ARN of a web ACL."
  }
}

variable "live_slot" {
  description = "The slot that has all of the weight at first."
  type        = string

  validation {
    condition     = contains(["blue", "green"], var.live_slot)
    error_message = "live_slot is blue or green."
  }
}

variable "container_port" {
  description = "Where a task listens, 1024 to 65535."
  type        = number

  validation {
    condition     = var.container_port >= 1024 && var.container_port <= 65535
    error_message = "container_port is from 1024 to 65535."
  }
}

variable "test_header_value" {
  description = "What a check sends to reach a slot's own address."
  type        = string
  sensitive   = true

  validation {
    condition     = length(var.test_header_value) >= 24
    error_message = "test_header_value has at least 24 characters."
  }
}

variable "gateway" {
  description = "Of the API gateway: audience of tokens, requests per second it lets through, routes that need no token."
  type = object({
    token_audience          = string
    requests_per_second_max = number
    open_routes             = set(string)
  })

  validation {
    condition     = var.gateway.requests_per_second_max > 0 && !contains(var.gateway.open_routes, "$default")
    error_message = "gateway throttles, and never opens all routes."
  }
}

variable "logging" {
  description = "Bucket of access logs, key and retention (days) of log groups, role that writes flow logs."
  type = object({
    bucket         = string
    key_arn        = string
    retention_days = number
    flow_role_arn  = string
  })

  validation {
    condition     = var.logging.retention_days >= 365 && var.logging.retention_days <= 3653
    error_message = "logs are kept from 365 to 3653 days."
  }
}

variable "deletion_protection" {
  description = "Whether the load balancer refuses to be deleted."
  type        = bool
}
