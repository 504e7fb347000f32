# What is particular to staging. No secret and no digest: those come from the pipeline (TF_VAR_...).

environment       = "staging"
account_id        = "111122223333"
region            = "us-east-1"
replica_region    = "us-west-2"
residency_regions = ["us-east-1", "us-west-2"]

topology             = "direct"
vpc_cidr             = "10.30.0.0/16"
replica_vpc_cidr     = "10.31.0.0/16"
availability_zones   = ["a", "b"]
nat_gateway_per_zone = false
egress_cidrs         = {}
domain               = "staging.shop.example"

service                 = "shop-api"
live_slot               = "green"
live_tasks              = 2
task_cpu_units          = 256
task_memory_mib         = 512
container_memory_mib    = 192
token_audience          = "https://api.staging.shop.example"
requests_per_second_max = 1000

database_instance_class  = "db.t4g.medium"
database_storage_gib     = 100
backup_retention_days    = 14
replica_lag_seconds_max  = 60
cache_node_type          = "cache.t4g.medium"
log_retention_days       = 365
evidence_retention_years = 1

triggers = {
  error_rate_percent_max   = 1
  error_rate_minutes       = 5
  latency_milliseconds_max = 500
  latency_minutes          = 5
  cpu_percent_max          = 90
  cpu_minutes              = 10
  memory_percent_max       = 95
  memory_minutes           = 5
  unhealthy_percent_max    = 50
  unhealthy_minutes        = 3
}

controller_tasks             = 2
load_generators_max          = 10
load_generator_instance_type = "c7g.xlarge"
forge_repository             = "example-shop/shop-api"
alert_emails                 = ["operations@shop.example"]
