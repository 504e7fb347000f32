"""The rotation of the signing key, against the emulated Secrets Manager."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from moto import mock_aws

from infrastructure.rotation import CURRENT, PENDING, RotationError, handler

STEPS = ("createSecret", "setSecret", "testSecret", "finishSecret")
SECRET = "shop-api/signing-key"


@pytest.fixture
def client() -> Iterator[Any]:
    with mock_aws():
        session = boto3.Session(aws_access_key_id="t", aws_secret_access_key="t", region_name="us-east-1")
        secrets = session.client("secretsmanager")
        secrets.create_secret(Name=SECRET, SecretString="the old key")
        yield secrets


def _begin(client: Any, value: str = "") -> str:
    """A version that Secrets Manager has made known as waiting, as it does before the first step."""
    version = str(uuid.uuid4())
    if value:
        client.put_secret_value(
            SecretId=SECRET, ClientRequestToken=version, SecretString=value, VersionStages=[PENDING]
        )
    return version


def _step(client: Any, version: str, step: str) -> None:
    handler({"SecretId": SECRET, "ClientRequestToken": version, "Step": step}, client=client)


def _stages(client: Any, version: str) -> list[str]:
    return list(client.describe_secret(SecretId=SECRET)["VersionIdsToStages"].get(version, []))


def test_all_steps_put_a_new_key_in_force_and_keep_the_old_one(client: Any) -> None:
    version = _begin(client)
    for step in STEPS:
        _step(client, version, step)

    current = client.get_secret_value(SecretId=SECRET, VersionStage=CURRENT)
    key = serialization.load_pem_private_key(current["SecretString"].encode(), password=None)
    assert current["VersionId"] == version
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    assert client.get_secret_value(SecretId=SECRET, VersionStage="AWSPREVIOUS")["SecretString"] == "the old key"


def test_a_step_that_is_repeated_changes_nothing(client: Any) -> None:
    version = _begin(client)
    _step(client, version, "createSecret")
    before = client.get_secret_value(SecretId=SECRET, VersionId=version)["SecretString"]
    _step(client, version, "createSecret")

    assert client.get_secret_value(SecretId=SECRET, VersionId=version)["SecretString"] == before
    for step in (*STEPS[1:], *STEPS):
        _step(client, version, step)
    assert CURRENT in _stages(client, version)


def _rsa() -> str:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()


@pytest.mark.parametrize(
    ("value", "said"), [("no key", "no private key"), (_rsa, "no key on P-256")], ids=["no key", "another kind"]
)
def test_what_is_no_usable_key_never_comes_into_force(client: Any, value: Any, said: str) -> None:
    version = _begin(client, value if isinstance(value, str) else value())

    with pytest.raises(RotationError, match=said):
        _step(client, version, "testSecret")

    assert client.get_secret_value(SecretId=SECRET)["SecretString"] == "the old key"


@pytest.mark.parametrize("step", STEPS[1:])
def test_a_version_that_does_not_wait_is_refused(client: Any, step: str) -> None:
    with pytest.raises(RotationError, match="neither waiting nor in use"):
        _step(client, _begin(client), step)


def test_an_unknown_step_is_refused(client: Any) -> None:
    with pytest.raises(RotationError, match="no step"):
        _step(client, _begin(client), "deleteSecret")
