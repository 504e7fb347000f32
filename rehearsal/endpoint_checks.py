"""Small questions to the service that need more than one probe: who is live, the published document, a core feature."""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import httpx

from probes.auth import Authority, fetch_token
from probes.failures import Cause
from probes.http import ask
from probes.identity import Identity
from probes.question import Question
from rollout.model import Observation

if TYPE_CHECKING:
    from rehearsal.plugin import World


def live_identity(place: World) -> Identity:
    """The slot that has all customers by the listener's weights, and the image that its service runs."""
    stable, _ = place.connection.router.roles()
    image = place.connection.ports.sources.services.read(stable).image
    digest = image.rsplit("@", 1)[-1]
    versions = {value: name for name, value in dict(place.outputs.get("images", {})).items()}
    version = next((name for value, name in versions.items() if value in digest or digest in value), None)
    return Identity(slot=stable, version=version, digest=digest)


def published_document(asker: httpx.Client) -> Mapping[str, Any]:
    """The OpenAPI document; empty when it cannot be read, which no answer matches."""
    answer = ask(asker, "/openapi.json")
    if isinstance(answer, Cause):
        return {}
    try:
        document = json.loads(answer.body)
    except ValueError:
        return {}
    return document if isinstance(document, dict) else {}


def core_feature_with_token(asker: httpx.Client, authority: Authority) -> tuple[Observation, ...]:
    """`core.journey`: with the token an item is made, read back and removed; without it none is made."""
    question = Question(
        name="core.journey",
        rule="a token makes, reads and removes an item; none is made without it",
        source=f"{asker.base_url.host} /api/v1/items",
    )
    token = fetch_token(asker, authority)
    if isinstance(token, Cause):
        return (question.failed(token.kind, token.sentence),)
    name = f"release-check-{secrets.token_hex(6)}"
    statuses = _journey(asker, {"authorization": f"Bearer {token}"}, name)
    wanted = [401, 201, 200, 204, 404]
    message = f"without token, make, read, remove, read again answered {statuses}, wanted {wanted}"
    return ((question.passed if statuses == wanted else question.failed)(statuses, message),)


def _item(name: str) -> dict[str, object]:
    return {"name": name, "quantity": 1, "price_cents": 100}


def _journey(asker: httpx.Client, headers: Mapping[str, str], name: str) -> list[object]:
    refused = ask(asker, "/api/v1/items", method="POST", json=_item(name))
    made = ask(asker, "/api/v1/items", method="POST", json=_item(name), headers=headers)
    identifier = "" if isinstance(made, Cause) else str(made.mapping().get("id", ""))
    path = f"/api/v1/items/{identifier}"
    rest = [ask(asker, path, method=method, headers=headers) for method in ("GET", "DELETE", "GET")]
    return [answer.kind if isinstance(answer, Cause) else answer.status for answer in (refused, made, *rest)]
