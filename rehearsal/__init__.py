"""Rehearsals and drills: real rollouts in sandboxes, made once per run and read by many scenarios.

A rehearsal drives the same command that an operator types, under a steady stream of customers' requests, and leaves
one `result.json`: the journal, every AWS call, the alerts that arrived, what the stream saw, what was probed and when.
"""
