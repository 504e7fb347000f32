"""Keeps Envoy's files equal to what the control plane says; called inside each API call that changes something."""

from __future__ import annotations

import logging
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from sandbox.contracts import ControlPlane, ListenerView
from sandbox.edge import endpoints
from sandbox.edge.certificates import Identity, PublicAuthority
from sandbox.edge.endpoints import Target
from sandbox.edge.envoy import Envoy
from sandbox.edge.routes import EdgeFaults, RouteTable, route_tables, weights_of
from sandbox.edge.weak_tls import WeakTerminator

_LOG = logging.getLogger(__name__)
_CONFIRM_SECONDS = 0.05
_LISTENERS = {"HTTPS": "https", "HTTP": "http"}


@dataclass
class EdgeState:
    """What the follower saw last; for the status page."""

    weights: Mapping[str, int] = field(default_factory=dict)  # by target group name
    problems: Sequence[str] = ()


class EdgeFollower:
    """Thread-safe; `follow` may be called for any reason and writes only what differs."""

    def __init__(self, plane: ControlPlane, envoy: Envoy, *, public_host: str, authority: PublicAuthority) -> None:
        self._plane = plane
        self._envoy = envoy
        self._host = public_host
        self._authority = authority
        self._lock = threading.RLock()
        self._faults: dict[str, object] = {}
        self._faulty: Identity | None = None
        self._terminator: WeakTerminator | None = None
        self._healthy: dict[str, frozenset[Target]] = {}
        self.state = EdgeState()

    def follow(self, kind: str = "listener") -> None:
        """Bring Envoy's files up to date; on a listener change wait up to 50 ms until Envoy runs on them."""
        if kind == "dns":
            return
        with self._lock:
            self._follow_groups()
            if kind == "listener":
                self._follow_listeners()

    def set_healthy(self, group_name: str, targets: frozenset[Target]) -> None:
        """Which targets of a group may have traffic."""
        with self._lock:
            if self._healthy.get(group_name) != targets:
                self._healthy[group_name] = targets
                self._follow_groups()

    def set_fault(self, name: str, value: object) -> None:
        """Plant or remove one fault of slot `edge` (see `sandbox.faults`; `value` is checked there)."""
        with self._lock:
            self._faults[name] = value
            if name == "certificate":
                self._plant_certificate(str(value))
            self._follow_groups()
            self._follow_listeners()

    def _plant_certificate(self, kind: str) -> None:
        identity = None if kind == "ok" else self._authority.faulty(kind)
        if kind == "weak_key" and identity is not None:
            inner = self._envoy.inner
            self._terminator = WeakTerminator(identity, address=inner[0], inner=inner)
            self._faulty = None
        else:
            self._terminator = None
            self._faulty = identity

    def _follow_groups(self) -> None:
        groups = self._plane.target_groups()
        for group in groups:
            healthy = self._healthy.get(group.name, frozenset())
            self._envoy.write_endpoints(group.name, endpoints.assignment(group, sorted(healthy)))
        terminator = self._terminator.target if self._terminator else None
        self._envoy.write_clusters([group.name for group in groups], terminator=terminator)

    def _follow_listeners(self) -> None:
        listeners = self._plane.listeners()
        names = endpoints.cluster_names(self._plane.target_groups())
        weights = self._weights(listeners, names)
        moved = bool(self.state.weights) and weights != self.state.weights
        drop = moved and bool(self._faults.get("drop_one"))
        tables = route_tables(listeners, names, self._edge_faults(drop))
        self._follow_certificate(listeners)
        self._envoy.write_listeners(
            oldest_tls="TLSv1_0" if self._faults.get("tls_minimum") == "1.0" else "TLSv1_2",
            terminated_elsewhere=self._terminator is not None,
        )
        self._write_tables(tables)
        if drop:
            self._faults["drop_one"] = False
        problems = [problem for table in tables.values() for problem in table.problems]
        self.state = EdgeState(weights=weights, problems=problems)

    def _write_tables(self, tables: Mapping[str, RouteTable]) -> None:
        written = {
            listener: self._envoy.write_routes(listener, tables.get(protocol, RouteTable(routes=())))
            for protocol, listener in _LISTENERS.items()
        }
        version = written["https"]
        if version is None or self._envoy.child is None:
            return
        try:
            self._envoy.confirm_routes("https", version, deadline_seconds=_CONFIRM_SECONDS)
        except OSError as error:
            # Envoy is gone, which the status page says. The account's API answers all the same, as AWS would.
            _LOG.warning("the new routes are not confirmed: %s", error)

    def _follow_certificate(self, listeners: Sequence[ListenerView]) -> None:
        if self._faulty is not None:
            self._envoy.write_certificate(self._faulty)
            return
        arns = [view.certificate_arn for view in listeners if view.certificate_arn]
        if arns:
            certificate, chain, key = self._plane.certificate(arns[0])
            self._envoy.write_certificate(Identity(certificate=certificate, chain=chain, key=key))

    def _weights(self, listeners: Sequence[ListenerView], names: Mapping[str, str]) -> Mapping[str, int]:
        for view in listeners:
            found = weights_of(view, self._host)
            if found:
                return {names.get(arn, arn): weight for arn, weight in found.items()}
        return {}

    def _edge_faults(self, drop: bool) -> EdgeFaults:
        return EdgeFaults(
            redirect_off=self._faults.get("redirect") == "off",
            leaking_host=self._host if self._faults.get("candidate_leak") else "",
            security_headers_strip=bool(self._faults.get("security_headers_strip")),
            drop_next_request=drop,
        )
