"""Controls of HIPAA, SOC 2 and GDPR, what supports them, and what nothing checks: `python -m policies.catalogue`."""
