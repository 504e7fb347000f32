"""What customers of the shop do (sandbox/service/README.md), and what they expect to be answered."""

from __future__ import annotations

import base64
import itertools
import json
import os
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from locust import tag, task

from loadtests import right_answers
from loadtests.client import Check, Request
from loadtests.connection import NoAnswer
from loadtests.dispatcher import CannotBegin, OpenUser, wanted_tasks
from loadtests.visit import Visit, makes

TOKEN_PATH, ITEMS_PATH, VERIFY_PATH = "/oauth2/token", "/api/v1/items", "/api/v1/auth/verify"
TOKEN, OFFLINE, REFRESH, REUSE = (f"{TOKEN_PATH}{part}" for part in ("", " (offline)", " (refresh)", " (reuse)"))
ITEM = f"{ITEMS_PATH}/ID"
LIMITED_PATH = "/api/v1/limited"
_FORM, _JSON = "application/x-www-form-urlencoded", "application/json"
_RENEW_BEFORE_SECONDS = 60.0
_CREDENTIAL_BYTES_MAX = 10_000
_now = time.perf_counter


@dataclass(frozen=True)
class Credentials:
    """Of the OAuth2 client that the load test is. Never shown: the secret is left out of every text."""

    client_id: str
    client_secret: str

    def __repr__(self) -> str:
        return f"Credentials({self.client_id})"

    @property
    def authorization(self) -> str:
        """For the header, by RFC 6749, 2.3.1."""
        pair = f"{self.client_id}:{self.client_secret}".encode()
        return f"Basic {base64.b64encode(pair).decode()}"


def read_credentials(path: str | None) -> Credentials:
    """From a JSON file with client_id and client_secret. Raises CannotBegin."""
    if path is None:
        raise CannotBegin("--credentials is missing: a JSON file with client_id and client_secret")
    try:
        with Path(path).open("rb") as file:
            document = json.loads(file.read(_CREDENTIAL_BYTES_MAX))
        return Credentials(str(document["client_id"]), str(document["client_secret"]))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise CannotBegin(f"--credentials {path}: no JSON with client_id and client_secret ({error!r})") from None


class ShopCustomer(OpenUser):
    """Requests are prepared as far as they are always the same; only what an answer brings is put in later."""

    abstract = False

    def on_start(self) -> None:
        """Sign in once, as the token that many customers use. Raises CannotBegin."""
        self._health = self.client.request("GET", "/health")
        self._status = self.client.request("GET", "/api/v1/status")
        # One client above its limit for as long as the test lasts; each process is one of its own.
        greedy = {"X-Client-Id": f"load-{uuid.uuid4().hex[:12]}"}
        self._limited = self.client.request("GET", LIMITED_PATH, headers=greedy)
        self._numbers = itertools.count()
        wanted = wanted_tasks(self.plan.traffic.mix, type(self))
        used = {name for visit, _ in wanted for name in visit.requests}
        self._renewing = False
        if used - {self._health.name, self._status.name, self._limited.name}:
            self._sign_in()

    def _sign_in(self) -> None:
        # A host of its own has its own file; where master and workers share a machine, the master's serves all.
        credentials = read_credentials(os.environ.get("LOADTESTS_CREDENTIALS") or self.plan.credentials_file)
        self._client_id = credentials.client_id
        self._authorization = {"Authorization": credentials.authorization, "Content-Type": _FORM}
        self._obtain = self._token_request({"grant_type": "client_credentials"}, TOKEN)
        scope = {"grant_type": "client_credentials", "scope": "items:read offline_access"}
        self._obtain_offline = self._token_request(scope, OFFLINE)
        self._verified: Check = right_answers.verified_for(self._client_id)
        try:
            answer = self.client.send(self._obtain, wanted=_now())
        except NoAnswer as error:
            raise CannotBegin(f"login failed: POST {TOKEN_PATH}: {error}") from error
        wrong = right_answers.token_given(answer)
        if wrong:
            raise CannotBegin(f"login failed: POST {TOKEN_PATH}: {wrong}")
        self._take(right_answers.document_of(answer) or {})

    def _token_request(self, form: Mapping[str, str], shown: str) -> Request:
        body = urlencode(form).encode()
        return self.client.request("POST", TOKEN_PATH, shown=shown, headers=self._authorization, body=body)

    def _take(self, document: Mapping[str, Any]) -> None:
        self._bearer = {"Authorization": f"Bearer {document['access_token']}"}
        self._token_until = _now() + document["expires_in"]
        self._verify = self.client.request("GET", VERIFY_PATH, headers=self._bearer)

    def _keep_signed_in(self, visit: Visit) -> None:
        """The first visit to see the token grow old renews it; the others use the old one meanwhile."""
        if _now() < self._token_until - _RENEW_BEFORE_SECONDS or self._renewing:
            return
        self._renewing = True
        try:
            self._take(right_answers.document_of(visit.ask(self._obtain, right_answers.token_given)) or {})
        finally:
            self._renewing = False

    @tag("health")
    @task
    @makes("GET /health")
    def health(self, visit: Visit) -> None:
        """Is it up?"""
        visit.ask(self._health, right_answers.healthy)

    @tag("core")
    @task
    @makes("GET /api/v1/status")
    def status(self, visit: Visit) -> None:
        """The hot route."""
        visit.ask(self._status, right_answers.status_told)

    @tag("oauth")
    @task
    @makes(f"POST {TOKEN}")
    def obtain_token(self, visit: Visit) -> None:
        """A client signs in."""
        visit.ask(self._obtain, right_answers.token_given)

    @tag("oauth")
    @task
    @makes(f"GET {VERIFY_PATH}")
    def use_token(self, visit: Visit) -> None:
        """A signed-in client shows its token."""
        self._keep_signed_in(visit)
        visit.ask(self._verify, self._verified)

    @tag("oauth")
    @task
    @makes(f"POST {OFFLINE}", f"POST {REFRESH}", f"POST {REUSE}")
    def refresh_token(self, visit: Visit) -> None:
        """A client keeps itself signed in; and whoever stole the old refresh token gets nothing for it."""
        given = right_answers.document_of(visit.ask(self._obtain_offline, right_answers.tokens_given)) or {}
        form = {"grant_type": "refresh_token", "refresh_token": given["refresh_token"]}
        visit.ask(self._token_request(form, REFRESH), right_answers.tokens_given)
        visit.ask(self._token_request(form, REUSE), right_answers.reuse_refused)

    @tag("core")
    @task
    @makes(f"POST {ITEMS_PATH}", f"GET {ITEM}")
    def write_and_read(self, visit: Visit) -> None:
        """What was written is there, as it was written."""
        self._keep_signed_in(visit)
        number = next(self._numbers)
        item = {"name": f"load test {number}", "quantity": number % 1000, "price_cents": 100 + number % 10_000}
        headers = {**self._bearer, "Content-Type": _JSON}
        write = self.client.request("POST", ITEMS_PATH, headers=headers, body=json.dumps(item).encode())
        written = right_answers.document_of(visit.ask(write, right_answers.item_like(item, status=201))) or {}
        path = f"{ITEMS_PATH}/{uuid.UUID(written['id'])}"
        read = self.client.request("GET", path, shown=ITEM, headers=self._bearer)
        visit.ask(read, right_answers.item_like(item, status=200, item_id=written["id"]))

    @tag("limits")
    @task
    @makes(f"GET {LIMITED_PATH}")
    def rate_limited(self, visit: Visit) -> None:
        """A client that asks too often is told so, and is told when to come again."""
        visit.ask(self._limited, right_answers.limited_fairly)
