"""KMS: the default keys of AWS's services are AWS's.

Corrects moto 5.2.5: the key that a service is given where nobody names one (alias/aws/rds and its like) is told as a
customer managed key that is not rotated. AWS manages it, rotates it every year, and lets nobody change that.
Source: KMS developer guide, "AWS managed keys" and "Rotating AWS KMS keys".
"""

from __future__ import annotations

from typing import Any

from moto.kms.responses import KmsResponse

_OF_AWS = "alias/aws/"


class KmsApi(KmsResponse):
    """The API handler; one instance per call."""

    def call_action(self) -> Any:
        # Other services of moto make such keys without asking this API: they are told apart when anybody looks.
        for key in self.kms_backend.keys.values():
            if any(name.startswith(_OF_AWS) for name in key.aliases):
                key.key_manager, key.key_rotation_status = "AWS", True
        return super().call_action()
