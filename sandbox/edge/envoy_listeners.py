"""Envoy's listeners: what is between a customer's connection and the routes. Pure functions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sandbox.edge.access_log import LOG_FORMAT
from sandbox.edge.endpoints import Target, file_source

API = "type.googleapis.com/envoy"
TERMINATOR = "weak-tls"
_HCM = f"{API}.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager"
# What TLS 1.0 and 1.1 need besides Envoy's own list, which has no CBC suite.
_OLD_CIPHERS = ["ECDHE-ECDSA-AES128-SHA", "ECDHE-ECDSA-AES256-SHA", "ECDHE-RSA-AES128-SHA", "ECDHE-RSA-AES256-SHA"]
_MODERN_CIPHERS = [
    f"ECDHE-{key}-{suite}" for key in ("ECDSA", "RSA") for suite in ("AES128-GCM-SHA256", "AES256-GCM-SHA384")
]
# An ALB answers 502 when it reached no answer of a target (refused, reset, broken); Envoy says 503 for these flags.
_BAD_GATEWAY_FLAGS = ["UF", "UC", "UR", "LR", "UPE", "URX"]


@dataclass(frozen=True, kw_only=True)
class ListenerSpec:
    """Where things are: the listeners' targets, the directory of dynamic files, the access log."""

    https: Target
    http: Target
    inner: Target
    directory: str
    access_log: str


def listeners(spec: ListenerSpec, *, oldest_tls: str, terminated_elsewhere: bool) -> Sequence[Mapping[str, Any]]:
    """The public listeners https and http, and an inner one that has the routes of https without TLS.

    `oldest_tls` is "TLSv1_2" or "TLSv1_0"; `terminated_elsewhere` hands customers' TLS to `sandbox.edge.weak_tls`."""
    secure: dict[str, Any] = {"filters": [_http_filter(spec, "https")]}
    if terminated_elsewhere:
        secure = {"filters": [_tcp_filter()]}
    else:
        secure["transport_socket"] = {"name": "tls", "typed_config": _downstream_tls(spec, oldest_tls)}
    return [
        _listener("https", spec.https, secure),
        _listener("http", spec.http, {"filters": [_http_filter(spec, "http")]}),
        _listener("inner", spec.inner, {"filters": [_http_filter(spec, "https", scheme="https")]}),
    ]


def terminator_cluster(target: Target) -> Mapping[str, Any]:
    """The cluster of `sandbox.edge.weak_tls`."""
    address, port = target
    endpoint = {"endpoint": {"address": {"socket_address": {"address": address, "port_value": port}}}}
    assignment = {"cluster_name": TERMINATOR, "endpoints": [{"lb_endpoints": [endpoint]}]}
    return {
        "@type": f"{API}.config.cluster.v3.Cluster",
        "name": TERMINATOR,
        "type": "STATIC",
        "load_assignment": assignment,
    }


def _listener(name: str, target: Target, chain: Mapping[str, Any]) -> dict[str, Any]:
    address = {"socket_address": {"address": target[0], "port_value": target[1]}}
    return {
        "@type": f"{API}.config.listener.v3.Listener",
        "name": name,
        "address": address,
        "filter_chains": [chain],
    }


def _tcp_filter() -> dict[str, Any]:
    proxy = f"{API}.extensions.filters.network.tcp_proxy.v3.TcpProxy"
    config = {"@type": proxy, "stat_prefix": TERMINATOR, "cluster": TERMINATOR}
    return {"name": "tcp", "typed_config": config}


def _http_filter(spec: ListenerSpec, routes: str, *, scheme: str = "") -> dict[str, Any]:
    mapper = {"filter": {"response_flag_filter": {"flags": _BAD_GATEWAY_FLAGS}}, "status_code": 502}
    uuid = f"{API}.extensions.request_id.uuid.v3.UuidRequestIdConfig"
    router = {"@type": f"{API}.extensions.filters.http.router.v3.Router", "suppress_envoy_headers": True}
    lua = {"@type": f"{API}.extensions.filters.http.lua.v3.Lua"}
    manager: dict[str, Any] = {
        "@type": _HCM,
        "stat_prefix": routes,
        "rds": {"route_config_name": routes, "config_source": file_source(f"{spec.directory}/routes-{routes}.json")},
        "http_filters": [{"name": "lua", "typed_config": lua}, {"name": "router", "typed_config": router}],
        "use_remote_address": True,
        "preserve_external_request_id": True,
        "request_id_extension": {"typed_config": {"@type": uuid, "pack_trace_reason": False}},
        "server_header_transformation": "PASS_THROUGH",
        "http2_protocol_options": {"max_concurrent_streams": 128},
        "common_http_protocol_options": {"idle_timeout": "60s"},
        "local_reply_config": {"mappers": [mapper]},
        "access_log": [_access_log(spec)],
    }
    if scheme:
        manager["scheme_header_transformation"] = {"scheme_to_overwrite": scheme}
    return {"name": "http", "typed_config": manager}


def _access_log(spec: ListenerSpec) -> dict[str, Any]:
    return {
        "name": "file",
        "typed_config": {
            "@type": f"{API}.extensions.access_loggers.file.v3.FileAccessLog",
            "path": spec.access_log,
            "log_format": {"text_format_source": {"inline_string": LOG_FORMAT}},
        },
    }


def _downstream_tls(spec: ListenerSpec, oldest: str) -> dict[str, Any]:
    ciphers = _MODERN_CIPHERS if oldest == "TLSv1_2" else [*_MODERN_CIPHERS, *_OLD_CIPHERS]
    certificate = {"name": "server", "sds_config": file_source(f"{spec.directory}/certificate.json")}
    return {
        "@type": f"{API}.extensions.transport_sockets.tls.v3.DownstreamTlsContext",
        "common_tls_context": {
            "alpn_protocols": ["h2", "http/1.1"],
            "tls_params": {"tls_minimum_protocol_version": oldest, "cipher_suites": ciphers},
            "tls_certificate_sds_secret_configs": [certificate],
        },
    }
