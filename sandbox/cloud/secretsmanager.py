"""Secrets Manager: a rotation that is asked for is noted, and changes no value.

Corrects moto 5.2.5: rotating a secret that has no value yet answers 500; and a version that nothing was put into
becomes the current one, because the function that should make it is not run. Functions are not run here either, so
the value in force stays in force, as it does on AWS while a rotation has not succeeded.
"""

from __future__ import annotations

import json
import time
from typing import Any

from moto.secretsmanager.responses import SecretsManagerResponse

from sandbox.cloud.errors import AwsError

_DAY_SECONDS = 86_400


class SecretsManagerApi(SecretsManagerResponse):
    """The API handler; one instance per call."""

    def rotate_secret(self) -> str:
        secret_id = self._get_param("SecretId")
        secret: Any = self.backend.secrets.get(secret_id)
        function = self._get_param("RotationLambdaARN") or getattr(secret, "rotation_lambda_arn", "")
        if secret is None or not function:
            return str(super().rotate_secret())  # unknown, or rotated by the service that owns it
        self._check_function(function)
        days = int((self._get_param("RotationRules") or {}).get("AutomaticallyAfterDays") or 0)
        secret.rotation_requested = True
        secret.rotation_enabled = True
        secret.rotation_lambda_arn = function
        if days:
            secret.auto_rotate_after_days = days
            secret.next_rotation_date = int(time.time()) + days * _DAY_SECONDS
        return json.dumps({"ARN": secret.arn, "Name": secret.name, "VersionId": self._get_param("ClientRequestToken")})

    def _check_function(self, arn: str) -> None:
        from moto.awslambda.utils import get_backend

        known = {function.function_arn for function in get_backend(self.current_account, self.region).list_functions()}
        if arn not in known:
            raise AwsError("ResourceNotFoundException", f"Secrets Manager can't find the specified function {arn}.")
