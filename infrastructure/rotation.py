"""The function that changes the key which signs tokens: Secrets Manager calls `handler` with one step at a time.

The new key waits as AWSPENDING, is tried, and becomes AWSCURRENT; the old one stays as AWSPREVIOUS, and the service
goes on accepting tokens that it signed. Every step may be repeated: what was done already is not done again.
Source: AWS Secrets Manager User Guide, "Lambda function rotation strategies" and "Rotation function steps".
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

CURRENT, PENDING = "AWSCURRENT", "AWSPENDING"
_PROBE = b"release-gates: does this key sign?"


class RotationError(Exception):
    """The step cannot be done, or what waits is no usable key. Secrets Manager tries again later; the old key stays."""


def handler(event: Mapping[str, str], _context: object = None, *, client: Any = None) -> None:
    """One step. `event` has SecretId, ClientRequestToken (the new version's id) and Step.

    Raises RotationError, and botocore's ClientError if Secrets Manager refuses a call.
    """
    secret_id, version, step = event["SecretId"], event["ClientRequestToken"], event["Step"]
    steps: Mapping[str, Callable[[Any, str, str], None]] = {
        "createSecret": _create,
        "setSecret": _set,
        "testSecret": _test,
        "finishSecret": _finish,
    }
    if step not in steps:
        raise RotationError(f"{step!r} is no step of a rotation")
    secrets = client if client is not None else _client()
    stages = secrets.describe_secret(SecretId=secret_id).get("VersionIdsToStages", {})
    if step != "createSecret" and PENDING not in stages.get(version, []) and CURRENT not in stages.get(version, []):
        raise RotationError(f"version {version} is neither waiting nor in use")
    if CURRENT in stages.get(version, []):
        return  # this rotation is over; the call is a repetition
    steps[step](secrets, secret_id, version)


def _client() -> Any:
    import boto3

    return boto3.client("secretsmanager")


def _create(secrets: Any, secret_id: str, version: str) -> None:
    try:
        secrets.get_secret_value(SecretId=secret_id, VersionId=version, VersionStage=PENDING)
    except secrets.exceptions.ResourceNotFoundException:
        key = ec.generate_private_key(ec.SECP256R1()).private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        secrets.put_secret_value(
            SecretId=secret_id, ClientRequestToken=version, SecretString=key.decode(), VersionStages=[PENDING]
        )


def _set(_secrets: Any, _secret_id: str, _version: str) -> None:
    """Nobody else has to be told: tasks read the key from the secret, and verifiers the public half from tasks."""


def _test(secrets: Any, secret_id: str, version: str) -> None:
    value = secrets.get_secret_value(SecretId=secret_id, VersionId=version, VersionStage=PENDING)["SecretString"]
    try:
        key = serialization.load_pem_private_key(value.encode(), password=None)
    except (ValueError, TypeError) as error:
        raise RotationError("what waits is no private key in PEM") from error
    if not isinstance(key, ec.EllipticCurvePrivateKey) or not isinstance(key.curve, ec.SECP256R1):
        raise RotationError("what waits is no key on P-256")
    signature = key.sign(_PROBE, ec.ECDSA(hashes.SHA256()))
    try:
        key.public_key().verify(signature, _PROBE, ec.ECDSA(hashes.SHA256()))
    except InvalidSignature as error:
        raise RotationError("the key does not verify what it signed") from error


def _finish(secrets: Any, secret_id: str, version: str) -> None:
    stages = secrets.describe_secret(SecretId=secret_id)["VersionIdsToStages"]
    before = next((one for one, its in stages.items() if CURRENT in its), None)
    move = {"RemoveFromVersionId": before} if before else {}
    secrets.update_secret_version_stage(SecretId=secret_id, VersionStage=CURRENT, MoveToVersionId=version, **move)
