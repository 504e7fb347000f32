"""API Gateway: every HTTP API of the region, its stages, routes, integrations and domain names.

An environment of the direct topology has none and declares the kinds `gateway`, `gateway stage`, `route`,
`integration` and `gateway domain` not applicable, with that reason.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from probes.account.asking import Asker, ClientMaker
from probes.account.declared import Declared
from probes.account.population import (
    Members,
    Population,
    Resource,
    Seen,
    Unknown,
    View,
    check,
    known,
    population,
    view_of,
)

Row = Mapping[str, Any]

KINDS = ("gateway", "gateway stage", "route", "integration", "gateway domain")
_OLD_API = "a REST API: this check reads HTTP APIs only"


def view(account: ClientMaker, declared: Declared) -> View:
    """HTTP APIs and their parts. A REST API is a member that nothing is known of, so that it cannot be overlooked."""
    asker = Asker(account)
    apis = asker.all("apigatewayv2", "get_apis", "Items")
    old = asker.all("apigateway", "get_rest_apis", "items")
    parts: dict[str, tuple[str, Callable[[Row, Row], Resource]]] = {
        "gateway stage": ("get_stages", _stage),
        "route": ("get_routes", _route),
        "integration": ("get_integrations", _integration),
    }

    def gateways() -> Members:
        rest = (Resource(name=f"{row['name']} ({_OLD_API})", facts={"id": row["id"]}) for row in known(old))
        return (*(Resource(name=row["Name"], facts=row) for row in known(apis)), *rest)

    def of(kind: str) -> Population:
        operation, made = parts[kind]
        return population(
            kind,
            f"apigatewayv2 {operation}",
            lambda: tuple(
                made(api, row)
                for api in known(apis)
                for row in known(asker.all("apigatewayv2", operation, "Items", ApiId=api["ApiId"]))
            ),
        )

    domains = population("gateway domain", "apigatewayv2 get_domain_names", lambda: _domains(asker))
    return view_of(declared, population("gateway", "apigatewayv2 get_apis", gateways), *map(of, parts), domains)


def _stage(api: Row, row: Row) -> Resource:
    return Resource(name=f"{api['Name']} {row['StageName']}", facts=row)


def _route(api: Row, row: Row) -> Resource:
    return Resource(name=f"{api['Name']} {row['RouteKey']}", facts=row)


def _integration(api: Row, row: Row) -> Resource:
    return Resource(name=f"{api['Name']} {row['IntegrationId']}", facts=row)


def _domains(asker: Asker) -> Members:
    rows = known(asker.all("apigatewayv2", "get_domain_names", "Items"))
    return tuple(Resource(name=row["DomainName"], facts=row) for row in rows)


@check("gateway", rule="answers under its own domain only")
def default_endpoint_off(one: Resource, _: Declared) -> Seen:
    """ARCH-10: the address that AWS gives it has neither our certificate nor the WAF before our domain."""
    value = bool(one["DisableExecuteApiEndpoint"])
    return Seen(value, "" if value else "its default endpoint is open")


@check("gateway stage", rule="writes an access log")
def access_logs(one: Resource, _: Declared) -> Seen:
    """ARCH-10."""
    name, settings = one["StageName"], one.get("AccessLogSettings") or {}
    place = settings.get("DestinationArn")
    return Seen([name, place], "" if place else "writes no access log")


@check("gateway stage", rule="throttles")
def throttled(one: Resource, _: Declared) -> Seen:
    """ARCH-10: without limits of its own a stage takes what the whole account may take."""
    name, settings = one["StageName"], one.get("DefaultRouteSettings") or {}
    rate, burst = settings.get("ThrottlingRateLimit"), settings.get("ThrottlingBurstLimit")
    return Seen([name, rate, burst], "" if rate and burst else "does not throttle")


@check("route", rule="asks who is there", limit=lambda declared: sorted(declared.public_routes))
def authorised(one: Resource, declared: Declared) -> Seen:
    """ARCH-10. A route that is meant for everybody (health, sign-in) is declared public by its key."""
    key, kind = str(one["RouteKey"]), str(one.get("AuthorizationType") or "NONE")
    if key in declared.public_routes:
        return Seen("declared public")
    named = kind == "AWS_IAM" or (kind in ("JWT", "CUSTOM") and bool(one.get("AuthorizerId")))
    return Seen(kind, "" if named else "has no authorizer")


@check("gateway domain", rule="speaks TLS 1.2 or later")
def tls_policy(one: Resource, _: Declared) -> Seen:
    """ARCH-10."""
    policies = [str(row["SecurityPolicy"]) for row in one["DomainNameConfigurations"]]
    if not policies:
        raise Unknown("AWS gave no configuration of it")
    weak = [name for name in policies if name == "TLS_1_0"]
    return Seen(policies, "allows TLS 1.0" if weak else "")


@check("integration", rule="reaches the load balancer privately")
def private_integration(one: Resource, _: Declared) -> Seen:
    """ARCH-10: through a VPC link; over the internet it would be a public way around."""
    kind, link = str(one["ConnectionType"]), one.get("ConnectionId")
    return Seen([kind, link], "" if kind == "VPC_LINK" and link else f"connects by {kind}")


@check("integration", rule="waits longer than the service may take", limit=lambda d: d.service_timeout_seconds)
def outlasts_service(one: Resource, declared: Declared) -> Seen:
    """ARCH-10: else the gateway gives up on answers that the service is still making, and clients ask again."""
    seconds = int(one["TimeoutInMillis"]) / 1000
    good = seconds > declared.service_timeout_seconds
    return Seen(seconds, "" if good else f"gives up after {seconds:g} s")
