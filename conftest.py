"""Wiring only: the gate, the rehearsals that it reads, and the steps."""

pytest_plugins = [
    "gate.plugin",
    "rehearsal.plugin",
    "rehearsal.code",
    "rehearsal.account",
    "steps.environment",
    "steps.endpoints",
    "steps.certificates",
    "steps.names",
    "steps.candidate",
    "steps.canary",
    "steps.gates",
    "steps.stability",
    "steps.both_sides",
    "steps.triggers",
    "steps.rollback",
    "steps.emergency",
    "steps.headers",
    "steps.policies",
    "steps.code",
    "steps.ways",
]
