"""IAM: the account's root has a second factor, unless the fault root_without_second_factor says otherwise.

Corrects moto 5.2.5, whose root never has one (AccountMFAEnabled 0): AWS has no call that gives it one either, so a
sandbox's account would be unguarded for ever.
"""

from __future__ import annotations

from moto.core.responses import ActionResult
from moto.iam.responses import IamResponse

from sandbox.cloud.world import World


class IamApi(IamResponse):
    """The API handler; one instance per call."""

    def __init__(self, world: World) -> None:
        super().__init__()
        self._world = world

    def get_account_summary(self) -> ActionResult:
        unguarded = self._world.faults.get("account", "root_without_second_factor")
        self.backend.account_summary._account_mfa_enabled = 0 if unguarded else 1
        return super().get_account_summary()
