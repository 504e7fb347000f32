# Never unknown: a backend takes no variables.
# FAIL terraform.backend.local
terraform {
  backend "local" {}
}
