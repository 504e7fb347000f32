"""Target groups as Envoy clusters and endpoint assignments: pure functions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sandbox.contracts import TargetGroupView
from sandbox.edge.certificates import INTERNAL_SERVICE_NAME

Target = tuple[str, int]  # address, port

_TLS = "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext"
_HTTP = "type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions"
_CLUSTER = "type.googleapis.com/envoy.config.cluster.v3.Cluster"
_ASSIGNMENT = "type.googleapis.com/envoy.config.endpoint.v3.ClusterLoadAssignment"


def cluster_names(groups: Sequence[TargetGroupView]) -> Mapping[str, str]:
    """Envoy cluster name by target group ARN; group names are unique in an account and region."""
    return {group.arn: group.name for group in groups}


def cluster(name: str, *, directory: str, tls: Mapping[str, str]) -> Mapping[str, Any]:
    """One cluster that takes its endpoints from a file and speaks mutual TLS.

    `tls` holds file names: certificate, key, authority. The panic threshold of 1 % means with fewer than 100 targets:
    send to all of them only when not one is healthy, which is how an ALB fails open."""
    limits = {"max_connections": 4096, "max_pending_requests": 8192, "max_requests": 8192}
    return {
        "@type": _CLUSTER,
        "name": name,
        "type": "EDS",
        "eds_cluster_config": {"eds_config": file_source(f"{directory}/eds-{name}.json")},
        "connect_timeout": "5s",
        "lb_policy": "ROUND_ROBIN",
        "ignore_health_on_host_removal": True,
        "common_lb_config": {"healthy_panic_threshold": {"value": 1}},
        "circuit_breakers": {"thresholds": [limits]},
        "transport_socket": {"name": "tls", "typed_config": _upstream_tls(tls)},
        "typed_extension_protocol_options": {
            "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {
                "@type": _HTTP,
                "explicit_http_config": {"http_protocol_options": {}},
                # Shorter than the service's keep-alive, so that Envoy closes an idle connection first and no
                # request meets a connection that is just being closed.
                "common_http_protocol_options": {"idle_timeout": "30s"},
            }
        },
    }


def assignment(group: TargetGroupView, healthy: Sequence[Target]) -> Mapping[str, Any]:
    """Endpoints of one group; draining targets have left, all not `healthy` ones are marked so."""
    good = set(healthy)
    endpoints = [
        {
            "endpoint": {"address": {"socket_address": {"address": target.ip, "port_value": target.port}}},
            "health_status": "HEALTHY" if (target.ip, target.port) in good else "UNHEALTHY",
        }
        for target in group.targets
        if not target.draining
    ]
    return {"@type": _ASSIGNMENT, "cluster_name": group.name, "endpoints": [{"lb_endpoints": endpoints}]}


def file_source(path: str) -> dict[str, Any]:
    """Envoy's configuration source for a file that is replaced by renaming (an edit in place is not noticed)."""
    return {"resource_api_version": "V3", "path_config_source": {"path": path}}


def _upstream_tls(tls: Mapping[str, str]) -> dict[str, Any]:
    name = {"san_type": "DNS", "matcher": {"exact": INTERNAL_SERVICE_NAME}}
    return {
        "@type": _TLS,
        "sni": INTERNAL_SERVICE_NAME,
        "common_tls_context": {
            "tls_certificates": [
                {"certificate_chain": {"filename": tls["certificate"]}, "private_key": {"filename": tls["key"]}}
            ],
            "validation_context": {
                "trusted_ca": {"filename": tls["authority"]},
                "match_typed_subject_alt_names": [name],
            },
        },
    }
