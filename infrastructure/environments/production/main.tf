# One environment. The same file in every environment: what differs stands in terraform.tfvars and backend.hcl.

locals {
  container_port = 8443
  zones          = [for letter in var.availability_zones : "${var.region}${letter}"]
  replica_zones  = [for letter in ["a", "b"] : "${var.replica_region}${letter}"]
  engine_image   = "${module.compute.repositories["engine"].url}@${var.engine_image_digest}"
  # What has to work before a caller can have a token, and the shallow health page.
  open_routes = toset([
    "GET /.well-known/jwks.json",
    "GET /health",
    "GET /oauth2/authorize",
    "POST /api/v1/session",
    "POST /oauth2/token",
  ])
}

# ---------------------------------------------------------------------------------------------- the right place

data "aws_caller_identity" "this" {
  count = var.offline ? 0 : 1
}

data "aws_region" "this" {
  count = var.offline ? 0 : 1
}

# Refuses to plan anything in another account or region, or with another environment's variables. (The provider refuses
# another account by itself; this says it in words, and keeps who applied last in the state.)
resource "terraform_data" "place" {
  input = {
    account_id  = var.account_id
    environment = var.environment
    region      = var.region
  }

  lifecycle {
    precondition {
      condition     = alltrue([for one in data.aws_caller_identity.this : one.account_id == var.account_id])
      error_message = "These credentials belong to another account than account_id says."
    }

    precondition {
      condition     = alltrue([for one in data.aws_region.this : one.name == var.region])
      error_message = "The provider works in another region than region says."
    }

    precondition {
      condition     = basename(abspath(path.root)) == var.environment
      error_message = "These are the variables of another environment than the directory's."
    }
  }
}

# ---------------------------------------------------------------------------------------------- modules

module "networking" {
  source = "../../modules/networking"

  providers = {
    aws         = aws
    aws.replica = aws.replica
  }

  service              = var.service
  region               = var.region
  account_id           = var.account_id
  topology             = var.topology
  vpc_cidr             = var.vpc_cidr
  zones                = local.zones
  nat_gateway_per_zone = var.nat_gateway_per_zone
  egress_cidrs         = var.egress_cidrs
  domain               = var.domain
  web_acl_arn          = module.security.web_acl_arn
  live_slot            = var.live_slot
  container_port       = local.container_port
  test_header_value    = var.test_header_value
  deletion_protection  = var.deletion_protection

  replica = {
    vpc_cidr    = var.replica_vpc_cidr
    zones       = local.replica_zones
    key_arn     = module.security.replica_key_arns["logs"]
    logging_arn = module.security.role_arns["flow_logs"]
  }

  gateway = {
    token_audience          = var.token_audience
    requests_per_second_max = var.requests_per_second_max
    open_routes             = local.open_routes
  }

  logging = {
    bucket         = module.security.log_bucket_name
    key_arn        = module.security.key_arns["logs"]
    retention_days = var.log_retention_days
    flow_role_arn  = module.security.role_arns["flow_logs"]
  }
}

module "security" {
  source = "../../modules/security"

  providers = {
    aws         = aws
    aws.replica = aws.replica
  }

  service                  = var.service
  region                   = var.region
  replica_region           = var.replica_region
  account_id               = var.account_id
  requests_per_address_max = var.requests_per_second_max * 300
  is_behind_gateway        = var.topology == "gateway"
  tables                   = { for purpose, one in module.database.tables : purpose => one.arn }
  database_resource_id     = module.database.database.resource_id
  cache                    = { group_arn = module.database.cache.group_arn, user_arn = module.database.cache.user_arn }
  repositories             = { for name, one in module.compute.repositories : name => one.arn }
  rotation_image           = local.engine_image
  alert_topic_arn          = module.release.alert_topic_arn
  log_retention_days       = var.log_retention_days
  evidence_retention_years = var.evidence_retention_years
  deletion_protection      = var.deletion_protection
}

module "database" {
  source = "../../modules/database"

  providers = {
    aws         = aws
    aws.replica = aws.replica
  }

  service               = var.service
  instance_class        = var.database_instance_class
  storage_gib           = var.database_storage_gib
  backup_retention_days = var.backup_retention_days
  cache_node_type       = var.cache_node_type
  key_arns              = module.security.key_arns
  monitoring_role_arn   = module.security.role_arns["database_monitoring"]
  alert_emails          = var.alert_emails
  log_retention_days    = var.log_retention_days
  deletion_protection   = var.deletion_protection

  network = {
    subnet_ids              = module.networking.data_subnet_ids
    database_security_group = module.networking.security_group_ids["database"]
    cache_security_group    = module.networking.security_group_ids["cache"]
  }

  replica = {
    subnet_ids        = module.networking.replica.subnet_ids
    security_group_id = module.networking.replica.security_group_id
    key_arns          = module.security.replica_key_arns
    lag_seconds_max   = var.replica_lag_seconds_max
  }
}

module "compute" {
  source = "../../modules/compute"

  service              = var.service
  environment          = var.environment
  region               = var.region
  account_id           = var.account_id
  load_balancer_suffix = module.networking.load_balancer.suffix
  target_groups        = module.networking.target_groups
  live_slot            = var.live_slot
  live_tasks           = var.live_tasks
  image_digest         = var.service_image_digest
  role_arns            = module.security.role_arns
  key_arns             = module.security.key_arns
  log_retention_days   = var.log_retention_days
  deletion_protection  = var.deletion_protection

  network = {
    vpc_id            = module.networking.vpc_id
    subnet_ids        = module.networking.private_subnet_ids
    security_group_id = module.networking.security_group_ids["service"]
  }

  task = {
    cpu_units            = var.task_cpu_units
    memory_mib           = var.task_memory_mib
    container_memory_mib = var.container_memory_mib
    port                 = local.container_port
  }

  environment_variables = {
    CACHE_ENDPOINT      = module.database.cache.endpoint
    CACHE_USER          = module.database.cache.user_name
    CONFIGURATION_TABLE = module.database.tables["configuration"].name
    DATABASE_ENDPOINT   = module.database.database.endpoint
    DATABASE_NAME       = module.database.database.name
    DOCUMENTS_BUCKET    = module.security.bucket_names["documents"]
    PUBLIC_HOST         = module.networking.hosts.public
    SESSIONS_TABLE      = module.database.tables["sessions"].name
  }

  secret_arns = { SIGNING_KEY = module.security.signing_key_secret_arn }
}

module "monitoring" {
  source = "../../modules/monitoring"

  service              = var.service
  region               = var.region
  load_balancer_suffix = module.networking.load_balancer.suffix
  cluster_name         = module.compute.cluster.name
  alert_topic_arn      = module.release.alert_topic_arn
  triggers             = var.triggers

  slots = {
    for slot, group in module.networking.target_groups :
    slot => { target_group_suffix = group.suffix, service_name = module.compute.service_names[slot] }
  }
}

module "release" {
  source = "../../modules/release"

  service             = var.service
  environment         = var.environment
  region              = var.region
  account_id          = var.account_id
  image               = local.engine_image
  controller_tasks    = var.controller_tasks
  load_generators     = { max = var.load_generators_max, instance_type = var.load_generator_instance_type }
  forge_repository    = var.forge_repository
  key_arns            = module.security.key_arns
  alert_emails        = var.alert_emails
  log_retention_days  = var.log_retention_days
  deletion_protection = var.deletion_protection

  traffic = {
    listener_arn      = module.networking.listener_arn
    rule_arn          = module.networking.rule_arn
    target_group_arns = { for slot, one in module.networking.target_groups : slot => one.arn }
    hosted_zone_id    = module.networking.hosted_zone_id
  }

  services = {
    cluster            = module.compute.cluster
    names              = module.compute.service_names
    task_role_arn      = module.security.role_arns["task"]
    execution_role_arn = module.security.role_arns["execution"]
  }

  network = {
    subnet_ids                = module.networking.private_subnet_ids
    controller_security_group = module.networking.security_group_ids["controller"]
    load_security_group       = module.networking.security_group_ids["load"]
  }
}
