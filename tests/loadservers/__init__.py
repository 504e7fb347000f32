"""Loopback servers whose behaviour is known exactly: what a load generator says of them can be held against the truth.

Started as a process of their own (`process.py`), so that nothing they do costs the generator's time. Their latencies
are planned, not drawn (`planned.py`), and what they truly did is on record (`lane.py`).
"""
