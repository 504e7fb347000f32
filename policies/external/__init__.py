"""For checkov's own command line: `PYTHONPATH=. checkov -d DIRECTORY --external-checks-dir policies/external`."""
