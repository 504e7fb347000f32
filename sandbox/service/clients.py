"""The registered OAuth2 clients. Their secrets are derived from the signing key, so none is written down anywhere."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass

from sandbox.service.problem import RefusedError
from sandbox.service.settings import AUDIENCE, OTHER_AUDIENCE

SCOPES = ("items:read", "items:write", "health:read", "offline_access")


@dataclass(frozen=True, kw_only=True)
class Client:
    """One client: what it may ask for, and where a browser may be sent back to."""

    id: str
    scopes: tuple[str, ...] = SCOPES
    audiences: tuple[str, ...] = (AUDIENCE, OTHER_AUDIENCE)
    redirect_uris: tuple[str, ...] = ("https://shop.example/callback",)


CLIENTS: Mapping[str, Client] = {name: Client(id=name) for name in ("storefront", "release-checks", "load-test")}


def secret_of(signing_key_pem: bytes, client_id: str) -> str:
    """The secret of a client; whoever holds the signing key (the sandbox's supervisor) can tell it to a test."""
    mac = hmac.new(signing_key_pem, f"client secret of {client_id}".encode(), hashlib.sha256)
    return base64.urlsafe_b64encode(mac.digest()).decode().rstrip("=")


def authenticate(signing_key_pem: bytes, authorization: str, *, form: Mapping[str, str]) -> Client:
    """The client, by Basic authentication or by client_id and client_secret in the form.

    Raises RefusedError(401, invalid_client)."""
    client_id, secret = _credentials(authorization, form)
    client = CLIENTS.get(client_id)
    expected = secret_of(signing_key_pem, client_id)
    if client is None or not hmac.compare_digest(expected.encode(), secret.encode("utf-8", "replace")):
        raise oauth_error("invalid_client", "the client is unknown or its secret is wrong", status=401)
    return client


def claimed_id(authorization: str, form: Mapping[str, str]) -> str:
    """The id that a request claims, unproven; for counting only."""
    return _credentials(authorization, form)[0][:128]


def _credentials(authorization: str, form: Mapping[str, str]) -> tuple[str, str]:
    scheme, _, value = authorization.partition(" ")
    if scheme.lower() == "basic":
        try:
            client_id, _, secret = base64.b64decode(value, validate=True).decode("utf-8").partition(":")
        except (binascii.Error, ValueError):
            return "", ""
        return client_id, secret
    return form.get("client_id", ""), form.get("client_secret", "")


def oauth_error(code: str, description: str, *, status: int = 400) -> RefusedError:
    """A refusal in the shape of RFC 6749, section 5.2, which is also a problem document."""
    challenge = {"www-authenticate": 'Basic realm="shop"'} if status == 401 else {}
    members = {"error": code, "error_description": description}
    return RefusedError(status, description, headers=challenge, members=members, media_type="application/json")
