# FAIL provider.aws
provider "aws" {
  region = "us-east-1"
}
