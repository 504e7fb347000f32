# FAIL terraform.backend.s3
terraform {
  backend "s3" {
    bucket  = "state"
    encrypt = true
  }
}
