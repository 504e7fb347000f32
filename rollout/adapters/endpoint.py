"""The public health endpoint, asked as a customer would. Satisfies `ports.PublicHealth`.

An answer counts only if it names slot and version: while targets drain, or over a cached redirect, the other side can
still say 200. Each question opens its own connection, so a kept one to a dying side proves nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from rollout.errors import BadInput, SourceError
from rollout.seen import PublicReading
from rollout.target import Target

if TYPE_CHECKING:
    import httpx

TIMEOUT_SECONDS = 2.0
HTTPS_PORT = 443
PATH = "/health"
_SHOWN_LENGTH_MAX = 80


@dataclass(frozen=True)
class Address:
    """Where to connect for the public host; names in the request and in the certificate check stay the host's."""

    host: str
    port: int


def address_of(host: str, connect_to: tuple[str, ...]) -> Address:
    """As curl's --connect-to HOST1:PORT1:HOST2:PORT2 (an empty HOST1 or PORT1 means any). Raises BadInput."""
    for entry in connect_to:
        parts = entry.rsplit(":", 3)
        if len(parts) != 4 or not parts[3].isdigit():
            raise BadInput(f"connect_to {entry!r} is malformed", hint="Write host:port:address:port.")
        from_host, from_port, to_host, to_port = parts
        if from_host in ("", host) and from_port in ("", str(HTTPS_PORT)):
            return Address(to_host.strip("[]") or host, int(to_port))
    return Address(host, HTTPS_PORT)


class PublicEndpoint:
    """GET https://<public_host>/health: no redirects followed, 2 s, certificates checked against `target.ca_file`."""

    def __init__(self, target: Target, *, timeout_seconds: float = TIMEOUT_SECONDS) -> None:
        self._target, self._timeout_seconds = target, timeout_seconds
        self._address = address_of(target.public_host, target.connect_to)
        self._wanted: tuple[str, str] = ("", "")
        self._in_a_row = 0

    def current(self) -> tuple[str, str]:
        """(slot, version) that answers now. Raises SourceError if nobody does, or the answer does not say."""
        found, fault = self._ask()
        if fault:
            raise SourceError(
                f"the public endpoint does not tell who answers: {fault}",
                target=self._target.public_host + PATH,
                hint="It has to answer 200 with slot and version in a JSON object.",
            )
        return found

    def in_a_row(self, *, slot: str, version: str, wanted: int) -> PublicReading:
        """Ask once. The count is remembered between calls and starts anew after any other answer, with the reason in
        `detail`, or when other names are asked for. An unknown `version` ("") accepts any that the slot names."""
        if (slot, version) != self._wanted:
            self._wanted, self._in_a_row = (slot, version), 0
        found, fault = self._ask()
        if not fault and (found[0] != slot or version not in ("", found[1])):
            fault = f"answered by {found[0]} {found[1]}, wanted {slot} {version or 'of any version'}"
        self._in_a_row = 0 if fault else self._in_a_row + 1
        return PublicReading(in_a_row=self._in_a_row, detail=fault or f"{self._in_a_row} of {wanted} by {slot}")

    def close(self) -> None:
        """Release the HTTP client, if one was made."""
        if "_client" in self.__dict__:
            self._client.close()

    def _ask(self) -> tuple[tuple[str, str], str]:
        """(slot, version) and why they cannot be told; exactly one of both is empty."""
        import httpx

        host = self._target.public_host
        where = f"[{self._address.host}]" if ":" in self._address.host else self._address.host
        try:
            answer = self._client.get(
                f"https://{where}:{self._address.port}{PATH}",
                headers={"Host": host},
                extensions={"sni_hostname": host},
            )
        except httpx.HTTPError as error:
            return ("", ""), f"no answer: {type(error).__name__} {str(error)[:_SHOWN_LENGTH_MAX]}".strip()
        return _who(answer)

    @cached_property
    def _client(self) -> httpx.Client:
        import ssl

        import httpx

        return httpx.Client(
            verify=ssl.create_default_context(cafile=self._target.ca_file),
            timeout=self._timeout_seconds,
            follow_redirects=False,
            # A proxy of this machine must not stand between us and an address that was given by hand.
            trust_env=not self._target.connect_to,
            limits=httpx.Limits(max_keepalive_connections=0),
        )


def _who(answer: httpx.Response) -> tuple[tuple[str, str], str]:
    if answer.status_code != 200:
        return ("", ""), f"status {answer.status_code}"
    try:
        body: Any = answer.json()
    except ValueError:
        return ("", ""), "the body is not JSON"
    if not isinstance(body, Mapping) or not all(isinstance(body.get(name), str) for name in ("slot", "version")):
        return ("", ""), "the body names no slot or no version"
    if not body["slot"] or not body["version"]:
        return ("", ""), "the body names an empty slot or version"
    return (body["slot"], body["version"]), ""
