"""The account that infrastructure/ declares, in a sandbox without Terraform: recorded once, replayed, kept, adopted."""
