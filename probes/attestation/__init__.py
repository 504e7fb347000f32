"""Signed statements of people: who approved what, read strictly and held against what is to be done.

`documents` reads a directory of them, `approval` judges; `python -m probes.attestation` signs and verifies.
"""
