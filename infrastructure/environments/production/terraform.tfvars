# What is particular to production. No secret and no digest: those come from the pipeline (TF_VAR_...).

environment       = "production"
account_id        = "123456789012"
region            = "us-east-1"
replica_region    = "us-west-2"
residency_regions = ["us-east-1", "us-west-2"]

topology             = "direct"
vpc_cidr             = "10.20.0.0/16"
replica_vpc_cidr     = "10.21.0.0/16"
availability_zones   = ["a", "b", "c"]
nat_gateway_per_zone = true
egress_cidrs         = {}
domain               = "shop.example"

service                 = "shop-api"
live_slot               = "green"
live_tasks              = 3
task_cpu_units          = 256
task_memory_mib         = 512
container_memory_mib    = 192
token_audience          = "https://api.shop.example"
requests_per_second_max = 2000

database_instance_class  = "db.m6g.large"
database_storage_gib     = 100
backup_retention_days    = 35
replica_lag_seconds_max  = 60
cache_node_type          = "cache.m6g.large"
log_retention_days       = 2557
evidence_retention_years = 7

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
