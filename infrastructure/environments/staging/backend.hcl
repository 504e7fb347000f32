# terraform init -backend-config=backend.hcl; the bucket and its key are made by python -m infrastructure.state_bucket
bucket       = "shop-api-terraform-state-111122223333"
key          = "staging/terraform.tfstate"
region       = "us-east-1"
kms_key_id   = "alias/terraform-state"
