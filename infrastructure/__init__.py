"""Terraform of the environments, and the few Python programs around it."""
