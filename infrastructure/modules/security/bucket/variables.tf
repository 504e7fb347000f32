variable "name" {
  description = "Name of the bucket."
  type        = string

  validation {
    condition     = can(regex("^[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$", var.name))
    error_message = "name has 3 to 63 small letters, digits and dashes."
  }
}

variable "key_arn" {
  description = "Key of its objects; null for S3's own, which only log deliveries need."
  type        = string
  default     = null

  validation {
    condition     = var.key_arn == null || can(startswith(var.key_arn, "arn:aws:kms:"))
    error_message = "key_arn is the ARN of a key."
  }
}

variable "expiry_days" {
  description = "Days after which objects expire, 0 for never; at most 3653."
  type        = number

  validation {
    condition     = var.expiry_days >= 0 && var.expiry_days <= 3653
    error_message = "expiry_days is from 0 to 3653."
  }
}

variable "locked_years" {
  description = "Years during which nothing can be deleted, 0 for no lock; at most 10."
  type        = number

  validation {
    condition     = var.locked_years >= 0 && var.locked_years <= 10
    error_message = "locked_years is from 0 to 10."
  }
}

variable "statements" {
  description = "Statements of the bucket policy beside the one that demands TLS."
  type        = any

  validation {
    condition     = alltrue([for one in var.statements : one.Effect == "Deny" || one.Principal != "*"])
    error_message = "no statement may allow everybody anything."
  }
}

variable "access_log_bucket_name" {
  description = "Bucket that takes this one's access log."
  type        = string

  validation {
    condition     = can(regex("^[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$", var.access_log_bucket_name))
    error_message = "access_log_bucket_name is the name of a bucket."
  }
}

variable "deletion_protection" {
  description = "Whether the bucket refuses to be deleted with what it holds."
  type        = bool
}
