"""Controls of HIPAA, SOC 2 and GDPR, what supports them, and what nothing checks: `python -m policies.catalogue`.

built_in.toml names the rules of checkov that the gate runs; those of ours are the files of policies/rules.
"""
