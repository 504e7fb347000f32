"""Asks checkov what its own checks mean; runs in the policies' interpreter, alone and by its path.

Prints {"version": ..., "meanings": {id: {"says": name, "sha256": of the check's code}}}; ends with 1 for an unknown id.
"""

from __future__ import annotations

import ast
import hashlib
import inspect
import json
import os
import sys
from importlib.metadata import version
from typing import Any

os.environ.setdefault("LOG_LEVEL", "ERROR")
os.environ.setdefault("CKV_SKIP_PACKAGE_UPDATE_CHECK", "true")


def main(names: list[str]) -> int:
    """Answer for these ids."""
    found = {name: _meaning(name, check) for name, check in _checks().items() if name in names}
    missing = sorted(set(names) - set(found))
    if missing:
        sys.stderr.write(f"checkov {version('checkov')} does not know {', '.join(missing)}\n")
        return 1
    sys.stdout.write(json.dumps({"version": version("checkov"), "meanings": found}))
    return 0


def _checks() -> dict[str, Any]:
    """Every Python check of a Terraform resource, by id."""
    # Imported late: the settings above are read at the import, and only this interpreter has checkov.
    import checkov.terraform.checks.resource.aws  # noqa: F401  # registers the checks
    from checkov.terraform.checks.resource.registry import (
        resource_registry,
    )

    listed = (*resource_registry.checks.values(), *resource_registry.wildcard_checks.values())
    return {check.id: check for checks in listed for check in checks}


def _meaning(name: str, check: Any) -> dict[str, str]:
    tree = ast.parse(inspect.getsource(type(check)))
    return {"says": str(check.name), "sha256": hashlib.sha256(ast.unparse(tree).encode()).hexdigest()}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
