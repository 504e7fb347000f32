"""Direction of knowledge (design.md 3, contracts.md 4)."""

from __future__ import annotations

import sys
from collections.abc import Iterator

import pytest
from house import Finding, demand_none, dotted, imports, modules, within

# Package: what it may know of our own packages. A package that does not exist yet is not looked at.
KNOWS = {
    "rollout": ("rollout",),
    "gate": ("gate", "evidence", "probes", "rollout.model", "rollout.errors", "sandbox.client"),
    "evidence": ("evidence", "rollout.model"),
    # Bounds are plain arithmetic: with the engine's own, a share means the same everywhere.
    "probes": ("probes", "rollout.model", "rollout.bounds"),
    # Of policies what says verdicts, and what reads Terraform; never a rule.
    "rehearsal": (
        "rehearsal", "sandbox", "probes", "rollout", "evidence", "infrastructure.declaration",
        "infrastructure.backend_file", "policies.gate", "policies.report", "policies.settings", "policies.hcl.files",
        "policies.hcl.syntax",
        "policies.suppressions",
        "policies.catalogue",
    ),
    "steps": ("steps", "rehearsal", "probes", "gate.observe", "rollout.model", "policies.report"),
    "sandbox": ("sandbox", "rollout.model", "rollout.ports"),
    "policies": ("policies",),
    "infrastructure": ("infrastructure", "probes", "rollout.model"),
    # Bounds are plain arithmetic, on the standard library alone: they are shipped to load-generator hosts with it.
    "loadtests": ("loadtests", "rollout.bounds"),
}  # fmt: skip
# Modules of a package that may know more than the package.
KNOWS_MORE = {
    "rehearsal/plugin.py": ("gate",),  # the pytest plugin: it works inside of the gate's run
    "rehearsal/code.py": ("gate",),  # likewise
    "rehearsal/account.py": ("gate",),  # likewise
    "rehearsal/compliance.py": ("gate",),  # likewise
    "rehearsal/performance.py": ("gate",),  # likewise
    "rehearsal/loads.py": ("gate.provenance",),  # the report of a load names the commit as results.json does
    "rehearsal/prepared.py": ("gate",),  # the part of the plugin that tests/defects switches on
    # It applies to the sandbox's account, and reads the outputs as the engine does.
    "infrastructure/drill.py": ("sandbox.errors", "rollout.errors", "rollout.outputs_file"),
    "infrastructure/emulated.py": ("sandbox",),
    "infrastructure/recorded_inventory.py": ("sandbox",),  # likewise
    "infrastructure/record.py": ("sandbox",),  # likewise
}
OURS = (
    "rollout", "gate", "evidence", "probes", "rehearsal", "steps", "policies", "loadtests", "sandbox",
    "infrastructure", "benchmarks", "tests", "conftest",
)  # fmt: skip
# Modules outside of rollout/adapters and probes/account that speak AWS, with the reason.
SPEAKS_AWS = {
    "infrastructure/state_bucket.py": "makes what Terraform needs before it can run",
    "infrastructure/drill.py": "names what its calls may raise",
    "infrastructure/emulated.py": "pushes images as a pipeline does",
    "infrastructure/rotation.py": "is shipped as a function of its own",
}
# Only these know checkov; everything else of the policies works in any environment (policies/__init__.py).
KNOWS_CHECKOV = {"policies/checkov_adapter.py", "policies/catalogue/checkov_meanings.py"}
PURE = (
    "model", "seen", "record", "sight", "bounds", "trend", "completeness", "judge", "trip", "harm", "forward",
    "backward", "events", "rows", "advance", "retreat", "decide", "invariants", "journal",
)  # fmt: skip
PURE_STANDARD_LIBRARY = {
    "__future__", "collections", "dataclasses", "enum", "functools", "hashlib", "itertools", "json", "math", "typing",
}  # fmt: skip
PURE_OURS = {f"rollout.{name}" for name in (*PURE, "errors", "codec")}
COMPOSERS = ("rollout/compose.py", "rollout/deadman.py")


def foreign(package: str) -> Iterator[Finding]:
    """Imports of ours that a package must not know."""
    for path in modules(package):
        known = (*KNOWS[package], *KNOWS_MORE.get(path, ()))
        for line, name in imports(path):
            if within(name, *OURS) and not within(name, *known):
                yield Finding(path, line, f"imports {name}", f"{path} knows only {', '.join(known)}")


@pytest.mark.parametrize("package", sorted(KNOWS))
def test_a_package_knows_only_what_it_may(package: str) -> None:
    demand_none(foreign(package))


def test_the_gate_works_without_a_rehearsal() -> None:
    """Only the wiring (conftest.py) and the steps bring them together; what is excepted exists."""
    demand_none(
        Finding(path, line, f"imports {name}", "Pass it in, or let rehearsal/plugin.py register it.")
        for path in modules("gate", "evidence", "probes", "rollout", "sandbox", "infrastructure", "policies")
        for line, name in imports(path)
        if within(name, "rehearsal", "steps")
    )
    assert set(KNOWS_MORE) | set(SPEAKS_AWS) | KNOWS_CHECKOV <= set(modules())


def test_no_module_reaches_up_by_dots() -> None:
    demand_none(
        Finding(path, line, f"imports {name}", "Write the whole name of the module.")
        for path in modules()
        for line, name in imports(path)
        if name.startswith(".")
    )


def test_the_core_is_pure() -> None:
    """No clock, network, environment, random, logging, thread or cloud: standard types in, standard types out."""
    demand_none(
        Finding(path, line, f"imports {name}", "The core is pure: pass the value in, or move this to the engine.")
        for path in modules("rollout")
        if dotted(path) in {f"rollout.{name}" for name in PURE}
        for line, name in imports(path)
        if name.split(".")[0] not in PURE_STANDARD_LIBRARY
        and name not in PURE_OURS
        and name.rsplit(".", 1)[0] not in PURE_OURS | {"rollout"}
    )


def test_the_core_takes_no_helper_from_the_package_that_is_not_pure() -> None:
    """`from rollout import x` hides a module behind a name."""
    demand_none(
        Finding(path, line, f"imports {name}", "Only pure modules.")
        for path in modules("rollout")
        if dotted(path) in {f"rollout.{name}" for name in PURE}
        for line, name in imports(path)
        if name.rsplit(".", 1)[0] == "rollout" and name not in PURE_OURS
    )


def test_boto3_stays_in_the_adapters() -> None:
    demand_none(
        Finding(
            path, line, f"imports {name}", "Ask through a port; only rollout/adapters and probes/account speak AWS."
        )
        for path in modules(
            "rollout", "steps", "rehearsal", "gate", "evidence", "probes", "policies", "loadtests", "infrastructure"
        )
        if not path.startswith(("rollout/adapters/", "probes/account/")) and path not in SPEAKS_AWS
        for line, name in imports(path)
        if within(name, "boto3", "botocore")
    )


def test_checkov_stays_behind_its_adapter() -> None:
    demand_none(
        Finding(path, line, f"imports {name}", "Ask through policies/checkov_adapter.py.")
        for path in modules()
        if path not in KNOWS_CHECKOV
        for line, name in imports(path)
        if within(name, "checkov")
    )


def test_adapters_meet_the_engine_in_compose_alone() -> None:
    demand_none(
        Finding(path, line, f"imports {name}", "Take it from rollout/compose.py.")
        for path in modules("rollout", "steps", "rehearsal", "gate", "probes", "evidence", "sandbox", "infrastructure")
        if not path.startswith("rollout/adapters/") and path not in COMPOSERS
        for line, name in imports(path)
        if within(name, "rollout.adapters")
    )


def test_adapters_do_not_know_the_engine() -> None:
    engine = ("rollout.engine", "rollout.decide", "rollout.events", "rollout.compose", "rollout.cli", "rollout.submit")
    demand_none(
        Finding(path, line, f"imports {name}", "An adapter knows ports and values only.")
        for path in modules("rollout")
        if path.startswith("rollout/adapters/")
        for line, name in imports(path)
        if within(name, *engine)
    )


def test_probes_and_rehearsals_never_import_steps_and_nobody_imports_tests() -> None:
    demand_none(
        Finding(path, line, f"imports {name}", "Knowledge points the other way.")
        for path in modules("probes", "steps", "rehearsal", "infrastructure", "policies")
        for line, name in imports(path)
        if within(name, "tests") or (not path.startswith("steps/") and within(name, "steps"))
    )


def test_the_list_of_pure_modules_names_modules_that_exist() -> None:
    present = {dotted(path) for path in modules("rollout")}
    missing = [name for name in PURE if f"rollout.{name}" not in present]

    assert missing == [], f"tests/architecture/test_imports.py: PURE names {missing}, which do not exist"
    assert set(sys.stdlib_module_names) >= PURE_STANDARD_LIBRARY - {"__future__"}
