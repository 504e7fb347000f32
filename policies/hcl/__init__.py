"""Reads Terraform's language: files to syntax, syntax to values, what cannot be known to `Unknown`."""
