"""Applies the playbooks to throw-away roots and writes down what became of them, for probes.host_report to judge."""
