"""Answers DNS questions from the control plane's Route 53 records; UDP and TCP on one port of the public address."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import Mapping, Sequence
from typing import Any

import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdatatype
import dns.rrset

from sandbox.errors import SandboxError

Record = Mapping[str, Any]

WRONG_ADDRESS = "127.255.255.254"  # a loopback address where nothing listens
LONG_TTL_SECONDS = 86_400
ALIAS_TTL_SECONDS = 60  # what Route 53 answers for an alias to a load balancer
DANGLING_NAME = "gone.load-balancer.invalid."
FOREIGN_AUTHORITY = '0 issue "other-authority.example"'
_CNAME_DEPTH_MAX = 8
_BIND_ATTEMPTS_MAX = 20


class Resolver:
    """Pure part: a question and the records give an answer. `faults` are those of slot `dns` (see `sandbox.faults`)."""

    def __init__(self, *, load_balancer_address: str, faults: Mapping[str, object]) -> None:
        self._address = load_balancer_address
        self._faults = faults

    def answer(self, query: dns.message.Message, records: Sequence[Record]) -> dns.message.Message:
        """An authoritative answer: NOERROR with or without data, NXDOMAIN with the zone's SOA, REFUSED outside."""
        response = dns.message.make_response(query)
        response.flags |= dns.flags.AA
        question = query.question[0]
        name, kind = question.name, dns.rdatatype.to_text(question.rdtype)
        if name in _balancers(records):
            # A resolver out there would follow the alias to Amazon's own zone; this one stands in for it.
            if kind == "A":
                response.answer = [dns.rrset.from_text(name, ALIAS_TTL_SECONDS, "IN", "A", self._address)]
            return response
        zone = _zone_of(name, records)
        if zone is None:
            response.set_rcode(dns.rcode.REFUSED)
            response.flags &= ~dns.flags.AA
            return response
        response.answer = self._resolve(name, kind, records)
        if not response.answer:
            if not any(_name_of(record) == name for record in records):
                response.set_rcode(dns.rcode.NXDOMAIN)
            response.authority = self._sets(zone, "SOA", records)
        return response

    def _resolve(self, name: dns.name.Name, kind: str, records: Sequence[Record]) -> list[dns.rrset.RRset]:
        answers: list[dns.rrset.RRset] = []
        for _ in range(_CNAME_DEPTH_MAX):
            found = self._sets(name, kind, records)
            if found or kind == "CNAME":
                return answers + found
            links = self._sets(name, "CNAME", records)
            if not links:
                return answers
            answers += links
            name = links[0][0].target
        return answers

    def _sets(self, name: dns.name.Name, kind: str, records: Sequence[Record]) -> list[dns.rrset.RRset]:
        if kind == "CAA" and self._faults.get("caa_forbids") and _zone_of(name, records) == name:
            return [dns.rrset.from_text(name, 300, "IN", "CAA", FOREIGN_AUTHORITY)]
        found = []
        for record in records:
            if record.get("Type") != kind or _name_of(record) != name:
                continue
            values, ttl = self._values(record)
            if self._faults.get("long_ttl") and kind in ("A", "CNAME"):
                ttl = LONG_TTL_SECONDS
            # Route 53 takes names in values as complete, with or without the dot at their end.
            found.append(
                dns.rrset.from_text_list(name, ttl, "IN", kind, values, origin=dns.name.root, relativize=False)
            )
        return found

    def _values(self, record: Record) -> tuple[list[str], int]:
        if "AliasTarget" in record:
            return [WRONG_ADDRESS if self._faults.get("wrong_target") else self._address], ALIAS_TTL_SECONDS
        values = [item["Value"] for item in record.get("ResourceRecords") or []]
        if record.get("Type") == "CNAME":
            values = [self._link(value) for value in values]
        return values, int(record.get("TTL") or 300)

    def _link(self, target: str) -> str:
        if self._faults.get("dangling_cname"):
            return DANGLING_NAME
        if self._faults.get("wrong_target"):
            return _other_slot(target)
        return target


def _balancers(records: Sequence[Record]) -> set[dns.name.Name]:
    """The load balancers' own names, to which aliases point."""
    aliases = (record["AliasTarget"]["DNSName"] for record in records if "AliasTarget" in record)
    return {dns.name.from_text(str(alias)) for alias in aliases}


def _other_slot(target: str) -> str:
    slot, _, rest = target.partition(".")
    return {"blue": f"green.{rest}", "green": f"blue.{rest}"}.get(slot, target)


def _name_of(record: Record) -> dns.name.Name:
    # Route 53 writes a wildcard's asterisk and odd characters as octal escapes, as dnspython reads them.
    return dns.name.from_text(str(record["Name"]))


def _zone_of(name: dns.name.Name, records: Sequence[Record]) -> dns.name.Name | None:
    zones = [_name_of(record) for record in records if record.get("Type") == "SOA"]
    above = [zone for zone in zones if name.is_subdomain(zone)]
    return max(above, key=len, default=None)


class _Datagrams(asyncio.DatagramProtocol):
    def __init__(self, server: DnsServer) -> None:
        self._server = server
        self._transport: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport  # type: ignore[assignment]  # asyncio hands a datagram transport to this protocol

    def datagram_received(self, data: bytes, addr: tuple[str | Any, int]) -> None:
        answer = self._server.respond(data)
        if answer is not None and self._transport is not None:
            self._transport.sendto(answer, addr)


class DnsServer:
    """Serves a resolver in the running event loop."""

    def __init__(self, resolver: Resolver, records: Any) -> None:
        self._resolver = resolver
        self._records = records
        self.port = 0

    async def start(self, address: str) -> None:
        """Listen on one port for both protocols. Raises SandboxError when none was free in 20 attempts."""
        loop = asyncio.get_running_loop()
        for _ in range(_BIND_ATTEMPTS_MAX):
            transport, _protocol = await loop.create_datagram_endpoint(
                lambda: _Datagrams(self), local_addr=(address, 0), family=socket.AF_INET
            )
            port = transport.get_extra_info("sockname")[1]
            try:
                self._server = await asyncio.start_server(self._serve_stream, address, port)
            except OSError:
                transport.close()  # another program has the TCP port of this number
                continue
            self.port = port
            return
        raise SandboxError(f"no port of {address} is free for UDP and TCP")

    def respond(self, data: bytes) -> bytes | None:
        """The answer to one message; None for what is no question."""
        try:
            query = dns.message.from_wire(data)
        except dns.exception.DNSException:
            return None
        if not query.question:
            return None
        return self._resolver.answer(query, self._records()).to_wire()

    async def _serve_stream(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            (length,) = struct.unpack("!H", await reader.readexactly(2))
            answer = self.respond(await reader.readexactly(length))
            if answer is not None:
                writer.write(struct.pack("!H", len(answer)) + answer)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            return
        finally:
            writer.close()
