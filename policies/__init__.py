"""Policies over Terraform: rules, what they are judged on, and the gate that never calls a scan of nothing green.

Everything but `checkov_adapter` works without checkov and in any environment; it and `scan` run in `.venv-policies`.
"""
