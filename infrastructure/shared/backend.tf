# The original of environments/*/backend.tf. Terraform reads backend and provider blocks from the root module's own
# directory only, so each environment holds a copy; tests/infrastructure holds the copies equal to this file. No symbolic
# links: archives and Windows checkouts lose them, and an environment without a backend would silently keep local state.
#
# Bucket, key, region and encryption key differ by environment and stand in its backend.hcl:
#   terraform init -backend-config=backend.hcl
terraform {
  backend "s3" {
    encrypt      = true
    use_lockfile = true # a conditional write in the bucket; needs no table
  }
}
