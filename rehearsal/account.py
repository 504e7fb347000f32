"""pytest plugin: the account under release, held to what its environment declares."""

from __future__ import annotations

import pytest

from gate.verdicts import NotPassed
from infrastructure.backend_file import ENVIRONMENTS, BackendError
from infrastructure.declaration import DeclarationError, declaration
from rehearsal.findings.checks import LiveAccount
from rehearsal.plugin import World
from rollout.model import Verdict

# The sandbox's account is this environment's: the same names, applied to an emulated account (infrastructure/drill.py).
SANDBOX_STANDS_FOR = "production"


@pytest.fixture(scope="session")
def live_account(world: World) -> LiveAccount:
    """Ends the scenario as NO_DATA where the outputs lack a name, SOURCE_ERROR where backend.hcl cannot be read."""
    environment = world.name if world.name in ENVIRONMENTS or world.sandbox is None else SANDBOX_STANDS_FOR
    try:
        declared = declaration(environment, world.outputs)
    except DeclarationError as error:
        raise NotPassed(Verdict.NO_DATA, f"nobody declared what the account is held to: {error}") from error
    except BackendError as error:
        raise NotPassed(Verdict.SOURCE_ERROR, f"where the state lies cannot be read: {error}") from error
    return LiveAccount(world.account, declared)
